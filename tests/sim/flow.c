/* SPDX-License-Identifier: MIT */
/* flow.c - see flow.h. */
#include "tests/sim/flow.h"

#include "tests/sim/judge.h"
#include "tests/sim/kernel.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"
#include "tests/support/random.h"

#include <stdlib.h>
#include <string.h>

enum { FLOW_HEADER = 4, FLOW_SERIAL = 8 };

typedef struct flow_pair {
    struct flow_pair *next;
    sim_flow flows[2];
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

sim_flow *sim_flow_of(sim_link *link, uint32_t side)
{
    if (!link->judged) {
        flow_pair *pair = calloc(1, sizeof *pair);
        SIM_MUST(pair != NULL);
        pair->next = pairs;
        pairs = pair;
        link->judged = pair->flows;
    }
    return (sim_flow *) link->judged + side;
}

uint32_t sim_flow_offer(const sim_offer *offer, uint8_t *data)
{
    SIM_MUST(sim_offers_count < SIM_OFFERS_MAX);
    uint32_t serial = sim_offers_count++;
    uint64_t random = sim.seed + serial;
    for (uint32_t at = 0; at < offer->length; at += 8) {
        uint64_t word = test_random(&random);
        memcpy(data + at, &word, offer->length - at < 8 ? offer->length - at : 8);
    }
    if (offer->length >= FLOW_SERIAL) {
        memcpy(data, &serial, sizeof serial);
        memcpy(data + 4, &offer->thread, sizeof offer->thread);
    } else {
        memset(data, 0x5A, offer->length);
    }
    sim_offers[serial] = *offer;
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
    uint32_t serial;
    memcpy(&serial, flow->head + FLOW_HEADER, sizeof serial);
    if (flow->length < FLOW_SERIAL) {
        flow->short_ones++;
        return;
    }
    if (serial == 0 || serial >= sim_offers_count || sim_offers[serial].length != flow->length ||
        sim_offers[serial].sum != flow->sum) {
        sim_fail("a frame of %u bytes was written that nobody offered: its content was mixed, cut or doubled (link %u)",
                 flow->length, link->number);
    }
    sim_offer *offer = &sim_offers[serial];
    if (offer->link && (offer->link != link || offer->side != side)) {
        sim_fail("message %u was written to link %u, but offered to another", serial, link->number);
    }
    if (offer->link && offer->written) {
        sim_fail("message %u was written twice (link %u)", serial, link->number);
    }
    if (offer->state == SIM_REFUSED) {
        sim_fail("message %u was written though its send was refused (link %u)", serial, link->number);
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
    flow->frames[flow->count++] = (sim_frame){flow->length, flow->sum};
    flow->part = 0;
}

static void flow_header_is_whole(sim_flow *flow)
{
    flow->length = flow->head[0] | (uint32_t) flow->head[1] << 8 | (uint32_t) flow->head[2] << 16 |
                   (uint32_t) flow->head[3] << 24;
    flow->sum = 0;
    flow->refused = flow->length > sim_message_bytes_max;
}

static void flow_tap(sim_link *link, uint32_t side, const uint8_t *data, uint32_t bytes)
{
    sim_flow *flow = sim_flow_of(link, side);
    for (uint32_t at = 0; at < bytes && !flow->refused;) {
        if (flow->part < FLOW_HEADER) {
            flow->head[flow->part++] = data[at++];
            if (flow->part == FLOW_HEADER) {
                flow_header_is_whole(flow);
            }
        } else {
            uint32_t left = flow->length - (flow->part - FLOW_HEADER);
            uint32_t take = left < bytes - at ? left : bytes - at;
            for (uint32_t i = 0; i < take && flow->part + i < sizeof flow->head; i++) {
                flow->head[flow->part + i] = data[at + i];
            }
            flow->sum = sim_sum(flow->sum, data + at, take);
            flow->part += take;
            at += take;
        }
        if (!flow->refused && flow->part >= FLOW_HEADER && flow->part - FLOW_HEADER == flow->length) {
            if (link->sides[side].engine) {
                flow_check_offered(flow, link, side);
            }
            flow_add(flow);
        }
    }
    if (flow->refused && link->sides[side].engine) {
        sim_fail("an engine wrote a length of %u (link %u)", flow->length, link->number);
    }
}

void sim_flow_deliver(sim_flow *flow, const sim_link *link, const void *data, size_t length)
{
    if (flow->delivered == flow->count) {
        sim_fail("a message is delivered that nobody wrote, or that was delivered before (link %u)", link->number);
    }
    const sim_frame *frame = &flow->frames[flow->delivered++];
    if (length != frame->length || sim_sum(0, data, (uint32_t) length) != frame->sum) {
        sim_fail("message %u of link %u is delivered with %zu bytes, and %u were written, or other ones",
                 flow->delivered - 1, link->number, length, frame->length);
    }
    sim.messages++;
}
