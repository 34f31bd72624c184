/* SPDX-License-Identifier: MIT */
/*
 * load.h - what the load is on either system: what it was asked for, when to count, and what came of it.
 *
 * Modes that go alike on both stand beside it (load_broadcast.c, load_churn.c, load_hold.c) and do by side_... what
 * each system does its own way (linux/side.c, windows/side.c); echoes are each system's own. Whatever fails ends the
 * program. One thread, but for Windows' echoes.
 */
#ifndef PIPEPORT_BENCH_LOAD_H
#define PIPEPORT_BENCH_LOAD_H

#include "bench/arguments.h"
#include "bench/histogram.h"

#include <stdbool.h>
#include <stdint.h>

enum load_mode { LOAD_ECHO, LOAD_BROADCAST, LOAD_CHURN, LOAD_HOLD, LOAD_MODES };

struct side;

struct load {
    const char *name; /* Of the server's pipe. */
    enum load_mode mode;
    uint32_t connections, size, depth, milliseconds, warm_up_ms, messages;
    uint32_t deaf;     /* Broadcast: connections more, which never read. */
    uint32_t fill_kib; /* Broadcast: sent to all before anything is counted. */
    uint32_t sent_max; /* Messages that are sent at a time, at most. */
    struct side *side; /* What this system's load has besides. */

    bool counting;
    uint64_t begin_ns, end_ns; /* When counting begins and ends. */
    uint64_t counted, all;     /* Messages (trips, deliveries, visits) counted, and all. */
    double seconds;            /* Set where counting ends. */
    struct histogram trips;
};

/* load_begin sets the times; load_over tells when a mode shall end, and begins the counting: `now_ns` is the clock's.
 * load_settle after the end. */
void load_begin(struct load *load);
bool load_over(struct load *load, uint64_t now_ns);
void load_settle(struct load *load);

/* Ends the program: a reply is wrong, or the server is gone. Thread: any. */
_Noreturn void load_fail(const char *what);

/* The modes. */
void load_echo(struct load *load);
void load_broadcast(struct load *load);
void load_churn(struct load *load);
void load_hold(struct load *load);

/* How many messages a broadcast sends at a time, at most. */
uint32_t load_broadcast_sent_max(const struct load *load);

/* What each system does its own way. */
struct side_bounds {
    uint32_t connections_max, size_min, size_max, depth_max;
};

extern const struct side_bounds side_bounds;
extern const struct argument side_options[]; /* Ends with NULL, as all such tables. */

/* The options are read. */
void side_prepare(struct load *load);

/* Counting has begun; it ended, after so long. What it tells besides: words, each with a blank before it. */
void side_counting_begins(struct load *load);
void side_counting_ends(struct load *load, uint64_t ns);
void side_tell(const struct load *load);

/* As many as there shall be; those that never read, which stay until the program ends. */
void side_connect(struct load *load);
void side_connect_deaf(struct load *load);

/* One message on each connection. */
void side_send_each(struct load *load);

/* Broadcast. Sees to it that whoever sends next is heard by all; sends, joined, and from who sends to all: `count` is
 * sent_max at most. */
void side_gather(struct load *load);
void side_send_to_all(struct load *load, uint32_t count);

/* Waits until something has come, and answers how many whole messages: 0 is no fault. */
uint32_t side_take(struct load *load);

/* Whether each connection has had all that was sent to all, none twice. */
bool side_is_even(const struct load *load);

/* Churn: of visit `index`, below `connections`. It connects; sends (greeted before, where the server greets); waits for
 * the reply and closes. */
void side_visit_begin(struct load *load, uint32_t index);
void side_visit_ask(struct load *load, uint32_t index);
void side_visit_end(struct load *load, uint32_t index);

/* Whether the server greets, so that all visits shall have begun before one asks. */
bool side_is_greeted(const struct load *load);

#endif
