/* SPDX-License-Identifier: MIT */
/* flow.c - see flow.h. */
#include "tests/sim/flow.h"

#include "tests/fuzz/naive_framing.h"
#include "tests/sim/judge.h"
#include "tests/sim/kernel.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

enum { FLOW_HEAD_ROOM = 96, FLOW_BLOCK_ROOM = 4096 };

typedef struct flow_pair {
    struct flow_pair *next;
    sim_flow flows[2];
    sim_verdict verdict;
} flow_pair;

sim_offer *sim_offers;
uint32_t sim_offers_count;

static flow_pair *pairs;

static void flow_tap(sim_link *link, uint32_t side, const uint8_t *data, uint32_t bytes);

void sim_flows_begin(void)
{
    while (pairs) {
        flow_pair *next = pairs->next;
        for (int i = 0; i < 2; i++) {
            free(pairs->flows[i].frames);
            free(pairs->flows[i].lanes);
            free(pairs->flows[i].head);
            free(pairs->flows[i].stream);
        }
        free(pairs);
        pairs = next;
    }
    if (!sim_offers) {
        sim_offers = calloc(SIM_OFFERS_MAX, sizeof sim_offers[0]);
        SIM_MUST(sim_offers != NULL);
    }
    sim_offers_count = 1; /* 0 is nobody's. */
    sim_link_taps = flow_tap;
}

static flow_pair *flow_pair_of(sim_link *link)
{
    if (!link->judged) {
        flow_pair *pair = calloc(1, sizeof *pair);
        SIM_MUST(pair != NULL);
        pair->next = pairs;
        pairs = pair;
        link->judged = pair;
        for (int i = 0; i < 2; i++) {
            sim_flow *flow = &pair->flows[i];
            flow->dialect = sim_dialect_of(link->name);
            flow->head_room = flow->dialect->rule.kind == PP_FRAMING_HEADERS ? FLOW_BLOCK_ROOM : FLOW_HEAD_ROOM;
            flow->head = malloc(flow->head_room);
            SIM_MUST(flow->head != NULL);
        }
    }
    return link->judged;
}

sim_flow *sim_flow_of(sim_link *link, uint32_t side)
{
    return &flow_pair_of(link)->flows[side];
}

sim_verdict *sim_flow_verdict(sim_link *link)
{
    return &flow_pair_of(link)->verdict;
}

bool sim_flow_is_delivered(const sim_flow *flow)
{
    return flow->delivered == flow->count && flow->stream_count == 0;
}

uint32_t sim_flow_offer(const sim_offer *offer, uint8_t *data)
{
    uint32_t at;
    SIM_MUST(sim_offers_count < SIM_OFFERS_MAX);
    uint32_t serial = sim_offers_count++;
    sim_offers[serial] = *offer;
    sim_offers[serial].expected = sim_dialect_fill(offer->dialect, data, offer->length, serial);
    sim_offers[serial].is_tagged = sim_dialect_is_tagged(offer->dialect, offer->length, &at);
    sim_offers[serial].sum = sim_sum(0, data, offer->length);
    return serial;
}

static void flow_keep_order(sim_flow *flow, const sim_link *link, uint32_t thread, uint32_t serial)
{
    uint32_t i = 0;
    while (i < flow->lanes_count && flow->lanes[i].thread != thread) {
        i++;
    }
    if (i == flow->lanes_count) {
        if (i == flow->lanes_room) {
            flow->lanes_room = i ? i * 2 : 4;
            flow->lanes = realloc(flow->lanes, flow->lanes_room * sizeof flow->lanes[0]);
            SIM_MUST(flow->lanes != NULL);
        }
        flow->lanes[flow->lanes_count++] = (sim_lane){.thread = thread};
    }
    if (serial == flow->lanes[i].serial) {
        sim_fail("message %u was written twice (link %u)", serial, link->number);
    }
    if (serial < flow->lanes[i].serial) {
        sim_fail("message %u was written after %u of the same thread (link %u)", serial, flow->lanes[i].serial,
                 link->number);
    }
    flow->lanes[i].serial = serial;
}

/* Is this connection one of those that a message to several may reach? */
static bool flow_is_for(const sim_offer *offer, uint32_t serial, const sim_link *link, uint32_t side)
{
    const sim_audience *audience = &offer->audience;
    const sim_conn *conn = NULL;
    for (uint32_t i = 0; i < sim_conns_count && !conn; i++) {
        conn = sim_conns[i].link == link && sim_conns[i].side == side ? &sim_conns[i] : NULL;
    }
    if (!conn || conn->party != audience->party) {
        return conn == NULL && audience->group == 0 && audience->list_count == 0; /* `opened` is about to be told. */
    }
    bool is_listed = audience->list_count == 0;
    for (uint32_t i = 0; i < audience->list_count; i++) {
        is_listed = is_listed || audience->list[i] == conn;
    }
    const sim_member *member = audience->group ? &conn->groups[audience->group - 1] : NULL;
    return is_listed && (!member || (member->moves && (member->maybe || serial < member->out_since)));
}

/* A whole frame that an engine wrote: somebody offered just that, here, and it was not written yet. */
static void flow_check_offered(sim_flow *flow, const sim_link *link, uint32_t side)
{
    if (flow->tag_count < SIM_TAG_BYTES) {
        flow->short_ones++;
        return;
    }
    uint32_t serial = sim_dialect_read_tag(flow->dialect, flow->tag);
    if (serial == 0 || serial >= sim_offers_count || sim_offers[serial].length != flow->payload ||
        sim_offers[serial].sum != flow->sum) {
        sim_fail("a frame of %u bytes was written that nobody offered: its content was mixed, cut or doubled (link %u)",
                 flow->payload, link->number);
    }
    sim_offer *offer = &sim_offers[serial];
    if (offer->link && (offer->link != link || offer->side != side)) {
        sim_fail("message %u was written to link %u, but offered to another", serial, link->number);
    }
    if (offer->link && offer->written) {
        sim_fail("message %u was written twice (link %u)", serial, link->number);
    }
    if (offer->state == SIM_REFUSED || offer->expected != PIPEPORT_OK) {
        sim_fail("message %u was written though its send was refused, or must be (link %u)", serial, link->number);
    }
    offer->written = true;
    flow->broadcasts += offer->is_broadcast && !offer->audience.list_count;
    if (offer->is_broadcast && !flow_is_for(offer, serial, link, side)) {
        sim_fail("message %u was written to link %u, which is none of those it is for", serial, link->number);
    }
    flow_keep_order(flow, link, offer->thread, serial);
}

static void flow_add(sim_flow *flow)
{
    if (flow->count == flow->room) {
        flow->room = flow->room ? flow->room * 2 : 8;
        flow->frames = realloc(flow->frames, flow->room * sizeof flow->frames[0]);
        SIM_MUST(flow->frames != NULL);
    }
    flow->frames[flow->count++] = (sim_frame){flow->payload, flow->sum};
}

static void flow_begin_frame(sim_flow *flow)
{
    flow->head_count = flow->payload = flow->tag_count = 0;
    flow->is_body = flow->held = false;
    flow->sum = 0;
}

static void flow_frame_is_whole(sim_flow *flow, const sim_link *link, uint32_t side)
{
    if (link->sides[side].engine) {
        flow_check_offered(flow, link, side);
    }
    if (flow->dialect->rule.kind != PP_FRAMING_NONE) {
        flow_add(flow);
    }
    flow_begin_frame(flow);
}

/* What is behind the header. */
static uint32_t flow_take_body(sim_flow *flow, const uint8_t *data, uint32_t bytes)
{
    uint32_t take = flow->left < bytes ? (uint32_t) flow->left : bytes;
    for (uint32_t i = 0; i < take && flow->tag_count < SIM_TAG_BYTES; i++) {
        flow->tag[flow->tag_count++] = data[i];
    }
    flow->sum = sim_sum(flow->sum, data, take);
    flow->left -= take;
    return take;
}

/* One byte of a header. */
static void flow_take_head(sim_flow *flow, uint8_t byte)
{
    SIM_MUST(flow->head_count < flow->head_room);
    flow->head[flow->head_count++] = byte;
    naive_framed framed = naive_frame_at(&flow->dialect->rule, flow->head, flow->head_count, sim_message_bytes_max);
    flow->refused = framed.refused_after != 0;
    if (framed.known_after != 0) {
        flow->is_body = true;
        flow->left = (uint64_t) framed.frame_bytes - flow->head_count;
        flow->payload = (uint32_t) framed.payload_bytes;
        flow->sum = sim_sum(0, flow->head + framed.payload_at, flow->head_count - (uint32_t) framed.payload_at);
    }
}

/* NONE: an engine's messages are as long as they were offered, and all have a tag. */
static void flow_take_tag(sim_flow *flow, const sim_link *link, uint8_t byte)
{
    flow->tag[flow->tag_count++] = byte;
    if (flow->tag_count < SIM_TAG_BYTES) {
        return;
    }
    uint32_t serial = sim_dialect_read_tag(flow->dialect, flow->tag);
    if (serial == 0 || serial >= sim_offers_count || sim_offers[serial].length < SIM_TAG_BYTES) {
        sim_fail("bytes were written that nobody offered (link %u)", link->number);
    }
    flow->is_body = true;
    flow->payload = sim_offers[serial].length;
    flow->left = flow->payload - SIM_TAG_BYTES;
    flow->sum = sim_sum(0, flow->tag, SIM_TAG_BYTES);
}

/* One byte of a line; true: it ends it. */
static bool flow_take_line(sim_flow *flow, uint8_t byte)
{
    static const uint8_t held = '\r';
    const pp_framing *rule = &flow->dialect->rule;
    if (byte == rule->delimiter) {
        return true;
    }
    if (flow->held) {
        flow->sum = sim_sum(flow->sum, &held, 1);
        flow->payload++;
    }
    flow->held = rule->strip_cr && byte == '\r';
    if (!flow->held) {
        flow->sum = sim_sum(flow->sum, &byte, 1);
        flow->payload++;
    }
    if (flow->tag_count < SIM_TAG_BYTES) {
        flow->tag[flow->tag_count++] = byte;
    }
    flow->refused = flow->payload > sim_message_bytes_max;
    return false;
}

static void flow_keep_stream(sim_flow *flow, const uint8_t *data, uint32_t bytes)
{
    if (flow->stream_count + bytes > flow->stream_room) {
        flow->stream_room = 2 * (flow->stream_count + bytes);
        flow->stream = realloc(flow->stream, flow->stream_room);
        SIM_MUST(flow->stream != NULL);
    }
    memcpy(flow->stream + flow->stream_count, data, bytes);
    flow->stream_count += bytes;
}

/* One write of a whole link is one message. */
static void flow_take_message(sim_flow *flow, const uint8_t *data, uint32_t bytes)
{
    flow->refused = bytes > sim_message_bytes_max;
    flow->payload = bytes;
    flow->left = bytes;
    (void) flow_take_body(flow, data, bytes);
}

/* What comes next; true: with it a frame is whole. */
static bool flow_take(sim_flow *flow, const sim_link *link, const uint8_t *data, uint32_t *at, uint32_t bytes)
{
    if (flow->is_body) {
        *at += flow_take_body(flow, data + *at, bytes - *at);
    } else if (flow->dialect->rule.kind == PP_FRAMING_DELIMITER) {
        return flow_take_line(flow, data[(*at)++]);
    } else if (flow->dialect->rule.kind == PP_FRAMING_NONE) {
        flow_take_tag(flow, link, data[(*at)++]);
    } else {
        flow_take_head(flow, data[(*at)++]);
    }
    return flow->is_body && flow->left == 0;
}

static void flow_tap(sim_link *link, uint32_t side, const uint8_t *data, uint32_t bytes)
{
    sim_flow *flow = sim_flow_of(link, side);
    bool is_stream = flow->dialect->rule.kind == PP_FRAMING_NONE;
    bool is_engine = link->sides[side].engine;
    SIM_MUST(link->whole == (flow->dialect->rule.kind == PP_FRAMING_MESSAGE));
    if (side == 1 && *sim_flow_verdict(link) == SIM_TURNED_AWAY) {
        sim_fail("a client that was turned away is written to (link %u)", link->number);
    }
    if (is_stream) {
        flow_keep_stream(flow, data, bytes);
    }
    if (link->whole && !flow->refused) {
        flow_take_message(flow, data, bytes);
        if (!flow->refused) {
            flow_frame_is_whole(flow, link, side);
        }
    }
    for (uint32_t at = 0; at < bytes && !link->whole && !flow->refused && (is_engine || !is_stream);) {
        if (flow_take(flow, link, data, &at, bytes)) {
            flow_frame_is_whole(flow, link, side);
        }
    }
    if (flow->refused && is_engine) {
        sim_fail("an engine wrote a frame that its peer must refuse (link %u)", link->number);
    }
}

static void flow_deliver_stream(sim_flow *flow, const sim_link *link, const void *data, size_t length)
{
    if (length == 0 || length > sim_message_bytes_max || length > flow->stream_count ||
        memcmp(data, flow->stream, length) != 0) {
        sim_fail("%zu bytes are delivered that are not the next of those that were written (link %u)", length,
                 link->number);
    }
    flow->stream_count -= length;
    memmove(flow->stream, flow->stream + length, flow->stream_count);
}

void sim_flow_deliver(sim_flow *flow, const sim_link *link, const void *data, size_t length)
{
    sim_met_messages[flow->dialect->framing.kind][flow->dialect->direction]++;
    sim.messages++;
    if (flow->dialect->rule.kind == PP_FRAMING_NONE) {
        flow_deliver_stream(flow, link, data, length);
        return;
    }
    if (flow->delivered == flow->count) {
        sim_fail("a message is delivered that nobody wrote, or that was delivered before (link %u)", link->number);
    }
    const sim_frame *frame = &flow->frames[flow->delivered++];
    if (length != frame->length || sim_sum(0, data, (uint32_t) length) != frame->sum) {
        sim_fail("message %u of link %u is delivered with %zu bytes, and %u were written, or other ones",
                 flow->delivered - 1, link->number, length, frame->length);
    }
}
