/* SPDX-License-Identifier: MIT */
/* link.c - see link.h. */
#include "tests/sim/link.h"

#include "tests/sim/kernel.h"
#include "tests/sim/schedule.h"
#include "tests/sim/trace.h"

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
        link->channels[i].ring = NULL;
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

sim_link *sim_link_open(uint32_t bytes)
{
    if (links_count == links_room) {
        links_room = links_room ? links_room * 2 : 64;
        links = realloc(links, links_room * sizeof links[0]);
        SIM_MUST(links != NULL);
    }
    sim_link *link = calloc(1, sizeof *link);
    SIM_MUST(link != NULL);
    link->number = links_count;
    for (int i = 0; i < 2; i++) {
        link->channels[i].ring = malloc(bytes);
        SIM_MUST(link->channels[i].ring != NULL);
        link->channels[i].room = bytes;
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

uint32_t sim_link_writable(const sim_link *link, uint32_t side)
{
    const sim_channel *to = &link->channels[side];
    return sim_link_peer_is_open(link, side) ? to->room - to->held : 0;
}

uint32_t sim_link_readable(const sim_link *link, uint32_t side)
{
    return link->channels[1 - side].held;
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

uint32_t sim_link_write(sim_link *link, uint32_t side, const uint8_t *data, uint32_t bytes)
{
    sim_channel *to = &link->channels[side];
    uint32_t room = sim_link_writable(link, side);
    bytes = bytes < room ? bytes : room;
    if (bytes == 0) {
        return 0;
    }
    if (sim_link_taps) {
        sim_link_taps(link, side, data, bytes);
    }
    uint32_t end = (to->at + to->held) % to->room;
    uint32_t first = bytes < to->room - end ? bytes : to->room - end;
    memcpy(to->ring + end, data, first);
    memcpy(to->ring, data + first, bytes - first);
    to->held += bytes;
    to->written += bytes;
    sim_side *reader = &link->sides[1 - side];
    reader->silent_longest_ns = sim_side_silence_ns(reader);
    reader->is_silent = false;
    link_stir(link, 1 - side);
    return bytes;
}

uint32_t sim_link_read(sim_link *link, uint32_t side, uint8_t *data, uint32_t bytes)
{
    sim_channel *from = &link->channels[1 - side];
    bytes = bytes < from->held ? bytes : from->held;
    if (bytes == 0) {
        return 0;
    }
    uint32_t first = bytes < from->room - from->at ? bytes : from->room - from->at;
    memcpy(data, from->ring + from->at, first);
    memcpy(data + first, from->ring, bytes - first);
    from->at = (from->at + bytes) % from->room;
    from->held -= bytes;
    from->read += bytes;
    link_stir(link, 1 - side);
    return bytes;
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
        at->is_silent = sim_link_readable(link, side) == 0;
    }
}

uint64_t sim_side_silence_ns(const sim_side *side)
{
    uint64_t ns = side->is_silent ? sim_now_ns() - side->heard_ns : 0;
    return ns > side->silent_longest_ns ? ns : side->silent_longest_ns;
}
