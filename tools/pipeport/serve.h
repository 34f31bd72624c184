/* SPDX-License-Identifier: MIT */
/*
 * serve.h - `pipeport serve`: a server that echoes, swallows or broadcasts, and keeps books on it.
 *
 * serve_options.c reads the arguments; serve.c is the main thread; serve_host.c is what happens in events,
 * serve_topics.c with --topics, serve_verify.c with --verify; serve_books.c is what is said at the end. Events run on
 * any worker: what they share here are atomic sums, relaxed, since each stands alone and is read for good only after
 * the server has stopped.
 */
#ifndef PIPEPORT_TOOL_SERVE_H
#define PIPEPORT_TOOL_SERVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/include/pipeport.h"
#include "tools/pipeport/args.h"
#include "tools/pipeport/pipe_options.h"

#define SERVE_NO_BROADCASTS UINT32_MAX
#define SERVE_STATUSES 16 /* One more than the last pipeport_status. */
#define SERVE_TURN_MS 50u /* How long the main thread looks away from Ctrl-C and the clock. */

struct serve_options {
    struct pipe_options pipe;
    bool topics, echo, sink, verify, quiet, until_empty;
    uint32_t topics_max; /* 0: not given. */
    uint32_t seed;
    uint32_t broadcast_every_ms; /* SERVE_NO_BROADCASTS: none. */
    uint32_t broadcasts;         /* 0: without end. */
    uint32_t broadcast_bytes, wait_for;
    uint32_t connections, accepts, workers;
    uint32_t first_message_ms, idle_ms, write_stall_ms;
    uint32_t seconds, drain_ms;
    struct args_word fault;
    uint32_t fault_at;
};

enum serve_fault {
    SERVE_LOSE,
    SERVE_DOUBLE,
    SERVE_FLIP,
    SERVE_SWAP,
    SERVE_ASTRAY
}; /* In the order of --fault's words. */

struct serve_topics;
struct serve_subscriptions;
struct serve_verify;

struct serve {
    struct serve_options options;
    const char *name;
    pipeport_engine *engine;
    pipeport_server *server;
    pipeport_options server_options;
    bool echoes;                 /* Fixed before the server starts. */
    struct serve_topics *topics; /* NULL without --topics. */

    /* Events write, relaxed. */
    _Atomic uint64_t open, opened, closed; /* `open` grows before `opened`: who sees one sees the other. */
    _Atomic uint64_t open_most;            /* The most at one time. */
    _Atomic uint64_t messages_in, messages_in_bytes;
    _Atomic uint64_t messages_out, messages_out_bytes;
    _Atomic uint64_t accepted_bytes;              /* Of send and broadcast, frames counted, by our own arithmetic. */
    _Atomic uint64_t sent_bytes, discarded_bytes; /* As `closed` said. */
    _Atomic uint64_t waited;                      /* Echoes that met a FULL and were sent later. */
    _Atomic uint64_t failures;                    /* Of ours: no memory, a status that should not be. */
    _Atomic uint64_t ended[SERVE_STATUSES];       /* `closed` events by their why. */
    _Atomic uint64_t topics_published, topics_delivered; /* Messages; once for each who got one. */
    _Atomic uint64_t topics_refused, topics_turned_down; /* Messages that cost a connection; subscriptions. */
    _Atomic uint32_t topics_spoilable;                   /* Messages so far, where a fault is asked for. */
    _Atomic uint64_t verified;                           /* Messages; with framing none bytes. */
    atomic_bool fault_done;                              /* One connection has it. */

    /* The main thread's alone. */
    uint64_t broadcasts, deliveries, broadcast_call_ns;
    uint64_t deliveries_refused, deliveries_dropped, slow_peers; /* As the server says. */
    uint64_t broadcast_due_ns;                                   /* 0 until wait_for are open. */
    uint64_t memory_before; /* Engine memory with the server listening and nobody there. */
    uint64_t memory_open;   /* The connections open when memory_most was looked at: the most seen at a look. */
    uint64_t memory_most;   /* The least engine memory seen while memory_open were open. */
    uint64_t ran_ns;
};

/* `pipeport serve` after its own word. Returns the exit code. */
int serve_main(int count, char **arguments);
void serve_help(void);

/* The events, with `serve` as their user. */
void serve_host_events(struct serve *serve, pipeport_events *events);
uint64_t serve_host_open(const struct serve *serve);

/* Reads the arguments and settles what they leave open; an exit code, and in *go whether there is more to do. */
int serve_options_read(struct serve *serve, int count, char **arguments, bool *go);

/* --topics: what came is a topic and a message; it is passed on to who has subscribed to the topic. `opened` answers
 * NULL when there is no memory, `closed` takes NULL. */
bool serve_topics_init(struct serve *serve);
void serve_topics_fini(struct serve *serve);
struct serve_subscriptions *serve_topics_opened(const struct serve *serve);
void serve_topics_message(struct serve *serve, struct serve_subscriptions *own, pipeport_conn conn, const void *data,
                          size_t length);
void serve_topics_closed(struct serve *serve, struct serve_subscriptions *own);
void serve_topics_books(const struct serve *serve);

/* --verify: what came is what `pipeport swarm` has sent, whole and in order. The state is freed by who was given it. */
struct serve_verify *serve_verify_opened(void);
void serve_verify_message(struct serve *serve, struct serve_verify *verify, pipeport_conn conn, const void *data,
                          size_t length);
void serve_verify_books(const struct serve *serve);

/* Says the summary; true where the books balance. The server has stopped, the engine still lives. */
bool serve_books_close(struct serve *serve);

#endif
