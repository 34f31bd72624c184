/* SPDX-License-Identifier: MIT */
/*
 * link.h - a simulated pipe: two channels of bounded bytes between two ends.
 *
 * Channel 0 goes from the client (side 0) to the server (side 1), channel 1 back; so side `s` writes to channel s and
 * reads from channel 1 - s. What was written is read even after the writer has closed, unless the server has
 * aborted where the rules have it so (as on Windows). Links live as long as the world, so that a judge can look at them
 * afterwards; only their bytes go when both ends have.
 *
 * A whole link has messages of its own: what one write wrote is one, also of 0 bytes, and it is written when there is
 * room for all of it, or not at all. A link may go one way; against it nothing is ever written.
 */
#ifndef TESTS_SIM_LINK_H
#define TESTS_SIM_LINK_H

#include "engine/port/plan.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sim_link sim_link;
struct sim_record;

enum { SIM_MESSAGES_MAX = 256 }; /* In one channel of a whole link. */

typedef struct sim_channel {
    uint8_t *ring;
    uint32_t room; /* Bytes it can hold. */
    uint32_t at;   /* The first byte held. */
    uint32_t held;
    uint64_t written, read; /* Ever. */
    uint64_t skipped;       /* Of what was read: what nobody was given. */
    uint32_t *lengths;      /* Whole: of the messages held, a ring. Of the oldest: what is still to be read. */
    uint32_t lengths_at, lengths_count;
    bool is_barred; /* The link does not go this way. */
    bool is_lost;   /* Something was never read, for it was taken away. */
} sim_channel;

typedef struct sim_side {
    bool open;
    bool hushed;             /* It has ended its sending, and may read on. */
    bool engine;             /* An engine's end, not a raw peer's. */
    bool hurt;               /* The system failed an operation of it. */
    uint32_t inside;         /* Calls that are under way on it. */
    struct sim_record *read; /* Armed, or NULL; a wait for something to read too. */
    struct sim_record *write;
    uint64_t write_since_ns;    /* When the last write began, as its thread knew the time. */
    uint64_t write_longest_ns;  /* The longest that the peer let one pend. */
    uint64_t heard_ns;          /* When a read that brought something was last home, or it was opened. */
    bool is_silent;             /* Since `heard_ns` nothing is there to read. */
    uint64_t silent_longest_ns; /* The longest of those times that have ended. */
    bool drained;               /* The judge's: its connection has written all that it accepted. */
} sim_side;

struct sim_link {
    uint32_t number;
    uint32_t named; /* The ear's own: which name it holds, as sim_link_holds says. */
    bool whole;
    bool is_cut;      /* The server has taken its client off, which may not have closed yet. */
    char name[32];    /* Of its server, as much of it as there is room for. */
    uint32_t process; /* Who is at the client's end, */
    const char *user; /* and whose process that is. */
    sim_channel channels[2];
    sim_side sides[2];
    void *judged; /* The judge's own. */
};

/* Told of all bytes that enter a channel; may be NULL. */
extern void (*sim_link_taps)(sim_link *link, uint32_t side, const uint8_t *data, uint32_t bytes);

void sim_links_begin(void);
uint32_t sim_links_open_sides(void);

/* Both sides open, but nobody's yet. `bytes` each way, or a whole message as long as the plan says. */
sim_link *sim_link_open(uint32_t bytes, const pp_plan *plan);
sim_link *sim_link_of(uint32_t number);
uint32_t sim_link_count(void);

/* Whole: one message, also of 0 bytes; false: there is no room for it. hear: of the oldest one as much as there is room
 * for (where the rules have it so nothing, if that is not all), and what is left of it; there is one. */
bool sim_link_say(sim_link *link, uint32_t side, const uint8_t *data, uint32_t bytes);
uint32_t sim_link_hear(sim_link *link, uint32_t side, uint8_t *data, uint32_t bytes, uint32_t *more);

/* As much as there is room for, or as is there; of a whole link one message or nothing, or a part of the oldest. */
uint32_t sim_link_write(sim_link *link, uint32_t side, const uint8_t *data, uint32_t bytes);
uint32_t sim_link_read(sim_link *link, uint32_t side, uint8_t *data, uint32_t bytes);
uint32_t sim_link_writable(const sim_link *link, uint32_t side);
uint32_t sim_link_readable(const sim_link *link, uint32_t side);          /* Whole: of the oldest message, or 1. */
bool sim_link_takes(const sim_link *link, uint32_t side, uint32_t bytes); /* A write of so much can be begun. */
bool sim_link_is_barred(const sim_link *link, uint32_t side);             /* This side never writes. */

/* What an await on this side hears: only of a link that it never reads, the end. */
pp_fault sim_link_word(const sim_link *link, uint32_t side);

bool sim_link_peer_is_open(const sim_link *link, uint32_t side);
bool sim_link_peer_sends(const sim_link *link, uint32_t side); /* Open, and not hushed. */
void sim_link_hush(sim_link *link, uint32_t side);
void sim_link_close(sim_link *link, uint32_t side);
void sim_link_abort(sim_link *link); /* Of its server. */

/* It is one of its name's: as long as its server end is open; and where the rules have it so (as on Windows), unless
 * that was aborted, until both are closed. */
bool sim_link_holds(const sim_link *link);

/* The peer, or a cancel, has ended an engine's pending write. */
void sim_side_wrote(sim_side *side);

/* An engine's read is home. */
void sim_link_heard(sim_link *link, uint32_t side, uint32_t bytes);

/* The longest that this end has waited for a byte of the peer's, with nothing to read. */
uint64_t sim_side_silence_ns(const sim_side *side);

#endif
