/* SPDX-License-Identifier: MIT */
/* link.c - see link.h. */
#include "tests/sim/link.h"

#include "tests/sim/kernel.h"
#include "tests/sim/schedule.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

static sim_link **links;
static uint32_t links_count, links_room;
static uint32_t sides_open;

void (*sim_link_taps)(sim_link *link, uint32_t side, const uint8_t *data, uint32_t bytes);

static void link_free_rings(sim_link *link)
{
    for (int i = 0; i < 2; i++) {
        free(link->channels[i].ring);
        free(link->channels[i].lengths);
        link->channels[i].ring = NULL;
        link->channels[i].lengths = NULL;
    }
}

void sim_links_begin(void)
{
    for (uint32_t i = 0; i < links_count; i++) {
        link_free_rings(links[i]);
        free(links[i]);
    }
    links_count = 0;
    sides_open = 0;
}

uint32_t sim_links_open_sides(void)
{
    return sides_open;
}

static void link_open_channel(sim_channel *channel, uint32_t bytes, const pp_plan *plan)
{
    if (plan->whole) {
        bytes = bytes > plan->message_bytes_max ? bytes : plan->message_bytes_max;
        channel->lengths = malloc(SIM_MESSAGES_MAX * sizeof channel->lengths[0]);
        SIM_MUST(channel->lengths != NULL);
    }
    channel->ring = malloc(bytes);
    SIM_MUST(channel->ring != NULL);
    channel->room = bytes;
}

sim_link *sim_link_open(uint32_t bytes, const pp_plan *plan)
{
    if (links_count == links_room) {
        links_room = links_room ? links_room * 2 : 64;
        links = realloc(links, links_room * sizeof links[0]);
        SIM_MUST(links != NULL);
    }
    sim_link *link = calloc(1, sizeof *link);
    SIM_MUST(link != NULL);
    link->number = links_count;
    link->whole = plan->whole;
    link->channels[0].is_barred = plan->way == PP_WAY_TO_CLIENT;
    link->channels[1].is_barred = plan->way == PP_WAY_TO_SERVER;
    for (int i = 0; i < 2; i++) {
        link_open_channel(&link->channels[i], bytes, plan);
        link->sides[i].open = true;
        link->sides[i].heard_ns = sim_now_ns();
        link->sides[i].is_silent = true;
    }
    links[links_count++] = link;
    sides_open += 2;
    return link;
}

sim_link *sim_link_of(uint32_t number)
{
    SIM_MUST(number < links_count);
    return links[number];
}

uint32_t sim_link_count(void)
{
    return links_count;
}

bool sim_link_peer_is_open(const sim_link *link, uint32_t side)
{
    return link->sides[1 - side].open;
}

bool sim_link_peer_sends(const sim_link *link, uint32_t side)
{
    return link->sides[1 - side].open && !link->sides[1 - side].hushed;
}

pp_fault sim_link_word(const sim_link *link, uint32_t side)
{
    bool is_end = sim_link_is_barred(link, 1 - side) && !sim_link_peer_is_open(link, side);
    return is_end ? (pp_fault){PIPEPORT_GONE, 109} : (pp_fault){PIPEPORT_OK, 0};
}

uint32_t sim_link_writable(const sim_link *link, uint32_t side)
{
    const sim_channel *to = &link->channels[side];
    bool is_full = to->is_barred || (link->whole && to->lengths_count == SIM_MESSAGES_MAX);
    return sim_link_peer_is_open(link, side) && !is_full ? to->room - to->held : 0;
}

bool sim_link_takes(const sim_link *link, uint32_t side, uint32_t bytes)
{
    uint32_t room = sim_link_writable(link, side);
    return link->whole ? room >= bytes && room > 0 : room > 0;
}

bool sim_link_is_barred(const sim_link *link, uint32_t side)
{
    return link->channels[side].is_barred;
}

uint32_t sim_link_readable(const sim_link *link, uint32_t side)
{
    const sim_channel *from = &link->channels[1 - side];
    if (!link->whole || from->lengths_count == 0) {
        return from->held;
    }
    return from->lengths[from->lengths_at] > 0 ? from->lengths[from->lengths_at] : 1;
}

/* Whoever waits for something on this side looks again. */
static void link_stir(sim_link *link, uint32_t side)
{
    if (link->sides[side].read) {
        sim_kernel_look(link->sides[side].read);
    }
    if (link->sides[side].write) {
        sim_kernel_look(link->sides[side].write);
    }
    sim_wake_all(&link->sides[side]);
}

static void link_put(sim_link *link, uint32_t side, const uint8_t *data, uint32_t bytes)
{
    sim_channel *to = &link->channels[side];
    SIM_MUST(!link->sides[side].hushed);
    if (sim_link_taps) {
        sim_link_taps(link, side, data, bytes);
    }
    uint32_t end = (to->at + to->held) % to->room;
    uint32_t first = bytes < to->room - end ? bytes : to->room - end;
    memcpy(to->ring + end, data, first);
    memcpy(to->ring, data + first, bytes - first);
    to->held += bytes;
    to->written += bytes;
    if (bytes > 0) {
        sim_side *reader = &link->sides[1 - side];
        reader->silent_longest_ns = sim_side_silence_ns(reader);
        reader->is_silent = false;
    }
    link_stir(link, 1 - side);
}

bool sim_link_say(sim_link *link, uint32_t side, const uint8_t *data, uint32_t bytes)
{
    sim_channel *to = &link->channels[side];
    SIM_MUST(link->whole);
    if (!sim_link_takes(link, side, bytes)) {
        return false;
    }
    to->lengths[(to->lengths_at + to->lengths_count++) % SIM_MESSAGES_MAX] = bytes;
    link_put(link, side, data, bytes);
    return true;
}

uint32_t sim_link_write(sim_link *link, uint32_t side, const uint8_t *data, uint32_t bytes)
{
    uint32_t room = sim_link_writable(link, side);
    if (link->whole) {
        return bytes > 0 && sim_link_say(link, side, data, bytes) ? bytes : 0;
    }
    bytes = bytes < room ? bytes : room;
    if (bytes > 0) {
        link_put(link, side, data, bytes);
    }
    return bytes;
}

static void link_get(sim_link *link, uint32_t side, uint8_t *data, uint32_t bytes)
{
    sim_channel *from = &link->channels[1 - side];
    uint32_t first = bytes < from->room - from->at ? bytes : from->room - from->at;
    memcpy(data, from->ring + from->at, first);
    memcpy(data + first, from->ring, bytes - first);
    from->at = (from->at + bytes) % from->room;
    from->held -= bytes;
    from->read += bytes;
    link_stir(link, 1 - side);
}

uint32_t sim_link_hear(sim_link *link, uint32_t side, uint8_t *data, uint32_t bytes, uint32_t *more)
{
    sim_channel *from = &link->channels[1 - side];
    SIM_MUST(link->whole && from->lengths_count > 0);
    uint32_t *left = &from->lengths[from->lengths_at];
    if (!sim.rules.shared && *left > bytes) { /* As on Linux. */
        *more = *left;
        return 0;
    }
    bytes = bytes < *left ? bytes : *left;
    *left -= bytes;
    *more = *left;
    if (*left == 0) {
        from->lengths_at = (from->lengths_at + 1) % SIM_MESSAGES_MAX;
        from->lengths_count--;
    }
    link_get(link, side, data, bytes);
    return bytes;
}

uint32_t sim_link_read(sim_link *link, uint32_t side, uint8_t *data, uint32_t bytes)
{
    uint32_t more, there = sim_link_readable(link, side);
    bytes = bytes < there ? bytes : there;
    if (bytes > 0 && link->whole) {
        return sim_link_hear(link, side, data, bytes, &more);
    }
    if (bytes > 0) {
        link_get(link, side, data, bytes);
    }
    return bytes;
}

void sim_link_hush(sim_link *link, uint32_t side)
{
    SIM_MUST(link->sides[side].open && !link->sides[side].hushed);
    link->sides[side].hushed = true;
    sim_trace("an end has said all: link, side", link->number, side, 0);
    link_stir(link, 1 - side);
}

void sim_link_close(sim_link *link, uint32_t side)
{
    SIM_MUST(link->sides[side].open);
    link->sides[side].open = false;
    sides_open--;
    sim_trace("an end closes: link, side, unread", link->number, side, sim_link_readable(link, side));
    if (sim_link_peer_is_open(link, side)) {
        link_stir(link, 1 - side);
    } else {
        link_free_rings(link);
    }
}

void sim_link_abort(sim_link *link)
{
    sim_channel *to = &link->channels[1];
    if (sim.rules.shared) {
        to->is_lost = to->held > 0 || to->lengths_count > 0;
        to->held = to->lengths_count = 0;
        link->is_cut = true;
    }
    sim_link_close(link, 1);
}

bool sim_link_holds(const sim_link *link)
{
    return link->sides[1].open || (sim.rules.shared && !link->is_cut && link->sides[0].open);
}

void sim_side_wrote(sim_side *side)
{
    uint64_t ns = sim_now_ns() - side->write_since_ns;
    side->write_longest_ns = ns > side->write_longest_ns ? ns : side->write_longest_ns;
}

void sim_link_heard(sim_link *link, uint32_t side, uint32_t bytes)
{
    sim_side *at = &link->sides[side];
    if (bytes != 0) {
        at->heard_ns = sim_now_ns();
        at->is_silent = link->channels[1 - side].held == 0;
    }
}

uint64_t sim_side_silence_ns(const sim_side *side)
{
    uint64_t ns = side->is_silent ? sim_now_ns() - side->heard_ns : 0;
    return ns > side->silent_longest_ns ? ns : side->silent_longest_ns;
}
