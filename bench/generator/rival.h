/* SPDX-License-Identifier: MIT */
/*
 * rival.h - the servers that `pipeport-bench peers` compares with one another, pipeport's own first, and the load that
 * visits each: neutral, raw calls of the system (bench/linux, bench/windows), but where the protocol is a library's.
 * Its server is visited by that library's own client (bench/peers/linux/client.h), as its users have it, and once more
 * by the raw load, which speaks that protocol itself: what the server alone can do. Which there are, and how they are
 * called, one .c per system says.
 */
#ifndef PIPEPORT_GENERATOR_RIVAL_H
#define PIPEPORT_GENERATOR_RIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/generator/words.h"

#define RIVALS_MAX 16
#define RIVAL_LOAD "load"         /* The program that visits all but those that name one. */
#define RIVAL_MORE_CONNECTIONS 64 /* That a server has room for: those of the last visit may still be going. */

enum rival_mode {
    RIVAL_ECHO,      /* `depth` messages in flight on each connection, each sent back. */
    RIVAL_BROADCAST, /* The last connection asks, `depth` at a time; each goes to all. */
    RIVAL_CHURN,     /* Connect, exchange one message, close. */
    RIVAL_IDLE,      /* One message on each connection, then none: memory. */
    RIVAL_MODES
};

/* What a visit asks for. */
struct rival_task {
    enum rival_mode mode;
    uint32_t connections, depth, bytes;
    uint32_t duration_ms, warmup_ms; /* Of no meaning to RIVAL_IDLE. */
};

enum rival_family { RIVAL_PIPEPORT, RIVAL_PEER, RIVAL_BARE };

struct rival {
    const char *word;  /* On the command line and in files. */
    const char *title; /* In tables. */
    const char *program;
    const char *about;
    const char *options[5]; /* Its own, after those that all of its family have; ends with NULL. */
    enum rival_family family;
    const char *load;         /* The program that visits it; NULL: RIVAL_LOAD. */
    uint32_t speech;          /* Of RIVAL_LOAD: 0 for our framing, else the number of a protocol of its own. */
    uint32_t connections_max; /* 0: as many as `peers` asks for. */
    bool ends_threads; /* A thread of its own ends with each connection: who asks about living threads misses it. */
    bool only_echoes;  /* It cannot broadcast. */
};

/* Those of this system; the first is pipeport's. */
extern const struct rival *const rivals[];
extern const size_t rivals_count;

/* Those of every system. */
extern const struct rival rival_libuv, rival_libuv_joined;

/* What the load and the servers can do here. */
extern const uint32_t rival_depth_max, rival_bytes_max;

/* "echo"; static. What its figures are: "messages/s", or bytes a connection. */
const char *rival_mode_text(enum rival_mode mode);
const char *rival_unit(enum rival_mode mode);

/* Which rival these `length` bytes name; rivals_count where none. */
size_t rival_find(const char *word, size_t length);

/* The program that visits it. */
const char *rival_load(const struct rival *rival);

/* "pipeport, threads, libuv", for who typed another. */
void rival_list(char *text, size_t room);

/* After the program's path: how the server is called, and how the load that visits it. `server_process`: whose
 * processor time the load is to tell. */
void rival_add_server(const struct rival *rival, const struct rival_task *task, const char *name, struct words *words);
void rival_add_load(const struct rival *rival, const struct rival_task *task, const char *name, uint32_t server_process,
                    struct words *words);

/* How many connections a server is to have room for: more than there shall be, as far as it goes. */
uint32_t rival_room(const struct rival *rival, const struct rival_task *task);

/* What of it this system's servers and load alone are told. */
void rivals_add_to_server(const struct rival *rival, const struct rival_task *task, struct words *words);
void rivals_add_to_load(const struct rival *rival, const struct rival_task *task, uint32_t server_process,
                        struct words *words);

#endif
