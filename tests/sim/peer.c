/* SPDX-License-Identifier: MIT */
/* peer.c - see peer.h. */
#include "tests/sim/peer.h"

#include "tests/sim/flow.h"
#include "tests/sim/judge.h"
#include "tests/sim/pipe.h"
#include "tests/sim/schedule.h"
#include "tests/sim/trace.h"
#include "tests/sim/user.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <string.h>

enum { PEER_ROOM = 4096, PEER_LONGEST = 3000 };

typedef enum peer_kind {
    PEER_GOES_AT_ONCE,
    PEER_TALKS,       /* Whole messages, cut anywhere; reads. */
    PEER_NEVER_READS, /* And talks. */
    PEER_LISTENS,     /* Talks, ends its sending, and reads to the end, or not. */
    PEER_HALF,        /* Goes in the middle of a message. */
    PEER_GARBAGE,     /* Whatever: sooner or later a length that is refused. */
    PEER_OVERSIZED,   /* Some messages, then a length just above the bound. */
    PEER_SILENT,      /* Neither reads nor writes, for long. */
    PEER_KINDS
} peer_kind;

uint32_t sim_peers_busy;

static bool peers_called_off;

void sim_peers_begin(void)
{
    sim_peers_busy = 0;
    peers_called_off = false;
}

void sim_peers_call_off(void)
{
    peers_called_off = true;
}

/* Reads some, unless it never does. False: the server has gone. */
static bool peer_reads(sim_link *link, bool never)
{
    uint8_t room[PEER_ROOM];
    if (!never) {
        (void) sim_link_read(link, 0, room, 1 + sim_below(sizeof room));
    }
    return sim_link_peer_is_open(link, 0) || (!never && sim_link_readable(link, 0) > 0);
}

/* All of it, in pieces, as long as somebody is there to read it. */
static bool peer_writes(sim_link *link, const uint8_t *data, uint32_t bytes, bool never_reads)
{
    for (uint32_t at = 0; at < bytes;) {
        uint32_t piece = sim_below(3) ? bytes - at : 1 + sim_below(bytes - at);
        at += sim_link_write(link, 0, data + at, piece);
        if (at < bytes) {
            if (!peer_reads(link, never_reads) || !sim_link_peer_is_open(link, 0) || peers_called_off) {
                return false;
            }
            (void) sim_block(&link->sides[0], sim_now_ns() + 1 + sim_below(3000000));
        }
    }
    return true;
}

/* As much of a frame with such a body as there is room for. */
static uint32_t peer_frame(const sim_dialect *dialect, uint8_t *to, uint32_t body)
{
    uint32_t bytes = sim_dialect_head(dialect, to, body);
    uint32_t most = body < PEER_ROOM - bytes - 2 ? body : PEER_ROOM - bytes - 2;
    bool is_line = dialect->rule.kind == PP_FRAMING_DELIMITER;
    uint8_t fill = (uint8_t) sim_below(256);
    memset(to + bytes, is_line && fill == dialect->rule.delimiter ? fill ^ 1 : fill, most);
    bytes += most;
    if (is_line && most == body) {
        if (dialect->rule.strip_cr && sim_below(2)) {
            to[bytes++] = '\r';
        }
        to[bytes++] = dialect->rule.delimiter;
    }
    return bytes;
}

static bool peer_talks(sim_link *link, bool never_reads)
{
    uint8_t frame[PEER_ROOM];
    uint32_t most = sim_message_bytes_max < PEER_LONGEST ? sim_message_bytes_max : PEER_LONGEST;
    uint32_t length = sim_below(4) ? sim_below(60 < most ? 60 : most) : sim_below(4) ? sim_below(most) : most;
    const sim_dialect *dialect = sim_dialect_of(link->name);
    if (link->whole && sim_below(8) == 0) {
        (void) sim_link_say(link, 0, frame, 0);
        return true;
    }
    uint32_t bytes = peer_frame(dialect, frame, dialect->rule.keep ? length : sim_dialect_fit(dialect, length));
    return peer_writes(link, frame, bytes, never_reads);
}

static bool peer_acts(sim_link *link, peer_kind kind)
{
    uint8_t bytes[PEER_ROOM];
    const sim_dialect *dialect = sim_dialect_of(link->name);
    if (sim_link_is_barred(link, 0)) {
        return kind != PEER_GOES_AT_ONCE;
    }
    switch (kind) {
    case PEER_TALKS:
    case PEER_LISTENS:
    case PEER_NEVER_READS:
        return peer_talks(link, kind == PEER_NEVER_READS);
    case PEER_HALF:
        if (sim_below(4)) {
            return peer_talks(link, false);
        }
        (void) peer_writes(link, bytes, sim_below(peer_frame(dialect, bytes, 1 + sim_below(sim_message_bytes_max))),
                           false);
        return false;
    case PEER_GARBAGE:
        for (uint32_t i = 0; i < 64; i++) {
            bytes[i] = (uint8_t) sim_below(256);
        }
        return peer_writes(link, bytes, 1 + sim_below(64), false);
    case PEER_OVERSIZED:
        if (sim_below(4)) {
            return peer_talks(link, false);
        }
        return peer_writes(link, bytes, peer_frame(dialect, bytes, sim_message_bytes_max + 1 + sim_below(1000)), false);
    case PEER_SILENT:
        return true;
    case PEER_GOES_AT_ONCE:
    case PEER_KINDS:
        break;
    }
    return false;
}

/* Has said all; the system has to know of such an end. Most read until the server has ended too. */
static void peer_listens(sim_link *link)
{
    bool never_reads = sim_below(5) == 0;
    uint32_t rounds = sim_below(8) ? UINT32_MAX : sim_below(4);
    sim_link_hush(link, 0);
    while (rounds-- > 0 && !peers_called_off && peer_reads(link, never_reads)) {
        (void) sim_block(&link->sides[0], sim_now_ns() + 1 + sim_below(20000000));
    }
}

static void peer_lives(sim_link *link)
{
    peer_kind kind = sim_below(PEER_KINDS);
    bool never_reads = kind == PEER_NEVER_READS || kind == PEER_SILENT;
    uint32_t rounds = 1 + sim_below(40);
    sim_trace("a raw peer: link, kind", link->number, kind, 0);
    for (uint32_t i = 0; i < rounds && !peers_called_off && peer_acts(link, kind); i++) {
        if (!peer_reads(link, never_reads)) {
            break;
        }
        (void) sim_block(&link->sides[0], sim_now_ns() + 1 + sim_below(kind == PEER_SILENT ? 400000000 : 20000000));
    }
    if (kind == PEER_LISTENS && !sim.rules.shared && !sim_link_is_barred(link, 0) && sim_link_peer_is_open(link, 0) &&
        !peers_called_off) {
        peer_listens(link);
    }
    sim_link_close(link, 0);
}

static void peer_body(void *argument)
{
    (void) argument;
    char name[24];
    for (uint32_t i = 1 + sim_below(3); i > 0 && !peers_called_off; i--) {
        pipeport_status status;
        snprintf(name, sizeof name, "server-%u", sim_below(sim_users.servers));
        sim_link *link = sim_ear_dial(name, 512 + sim_below(60000), &status);
        if (link) {
            peer_lives(link);
        }
        sim_sleep_ns(sim_below(30000000));
    }
    sim_peers_busy--;
}

void sim_peer_spawn(void)
{
    sim_peers_busy++;
    (void) sim_thread_start(peer_body, NULL);
}
