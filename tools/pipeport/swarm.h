/* SPDX-License-Identifier: MIT */
/*
 * swarm.h - `pipeport swarm`: many clients that send, and believe nothing of what comes back.
 *
 * Its life:  connect all -> rest a moment -> send and check until everybody has everything -> close -> report.
 * Nobody closes before all have finished, so that a message that comes twice still finds somebody who objects.
 *
 * swarm.c reads the arguments and is the main thread; swarm_client.c is one connection's events; swarm_report.c is what
 * is said at the end. A connection's events never overlap, so its fields need no lock: after `opened` they belong to
 * its events until `closed`, and then to the main thread. The main thread sends each connection's first message, for
 * which `opened` has prepared everything; all others are sent in events.
 */
#ifndef PIPEPORT_TOOL_SWARM_H
#define PIPEPORT_TOOL_SWARM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/include/pipeport.h"
#include "tools/pipeport/args.h"
#include "tools/pipeport/histogram.h"
#include "tools/pipeport/say.h"

#define SWARM_ANY_BROADCASTS UINT32_MAX

enum swarm_direction { SWARM_DUPLEX, SWARM_TO_CLIENT }; /* In the order of the words of --direction. */

struct swarm_options {
    pipeport_framing framing; /* Zeroed: not given. */
    uint32_t connections, messages, depth, threads;
    struct args_sizes sizes;
    struct args_word direction; /* SWARM_TO_CLIENT or not. */
    uint32_t broadcasts;        /* SWARM_ANY_BROADCASTS: as many as come. */
    uint32_t seed, timeout_s, window, settle_ms, connect_ms;
    uint32_t message_bytes, queue_bytes, buffer_bytes; /* 0: not given. */
};

struct swarm;

struct swarm_client {
    struct swarm *swarm; /* Fixed, as is the tag, its number. */
    uint32_t tag;
    pipeport_client *client; /* Who dialled it writes it; the main thread reads it when nobody dials any more. */
    pipeport_conn conn;      /* `opened` writes it before it counts itself in swarm->opened. */

    uint64_t sent, echoed;   /* Messages: accepted by pipeport_send, verified. sent - echoed <= depth. */
    uint64_t broadcast_next; /* The sequence number that is due. */
    uint64_t broadcasts;     /* Verified. */
    uint64_t accepted_bytes; /* Of sends, frames counted, by our own arithmetic. */
    uint64_t came_bytes;     /* Of whole messages, frames counted. */
    uint64_t opened_ns, echo_last_ns, broadcast_first_ns, broadcast_last_ns; /* 0: has not been. */
    uint64_t *sent_ns;         /* When the messages in flight were sent; message n lies at n % depth. */
    _Atomic uint64_t first_ns; /* The same for message 0, which the main thread sends. */
    bool refused;              /* From a FULL until `drained`. */
    bool first_accepted;       /* Message 0 was; the main thread's alone. */
    bool bad;                  /* Something came that is wrong, which has been said: nothing is checked any more. */
    atomic_bool over;          /* It has everything, or never will. Counted in swarm->remaining. */
    pipeport_end end;          /* As `closed` told. */
};

struct swarm {
    struct swarm_options options;
    const char *name;
    pipeport_engine *engine;
    pipeport_options client_options; /* Of every client. */
    struct swarm_client *clients;    /* options.connections of them. */
    uint64_t *sent_ns;               /* Their rings, in one block. */
    struct histogram *round_trips, *delays;
    _Atomic uint64_t *slowest_ns; /* Of each broadcast, made to last receiver; NULL where no number was given. */

    /* Connecting goes from hand to hand: each `opened` dials the next one. */
    _Atomic uint32_t dial_next;                 /* The next client's number. */
    _Atomic uint32_t dials_entered, dials_left; /* Equal: nobody is inside pipeport_client_start. */
    _Atomic uint32_t opened, closed, remaining; /* Acquire and release: they hand a client's fields over. */
    atomic_bool ending;                         /* Set by the main thread: nothing is begun, an end is no error. */
    _Atomic uint64_t events;                    /* Relaxed; while it grows there is life. */
    atomic_bool name_wrong;                     /* The engine found the NAME, or an option, out of bounds. */
    _Atomic uint64_t errors;                    /* Relaxed. */

    /* The main thread's alone. */
    uint64_t dial_ns, start_ns;
    bool all_connected, timed_out, interrupted;
};

/* `pipeport swarm` after its own word. Returns the exit code. */
int swarm_main(int count, char **arguments);
void swarm_help(void);

/* Starts the next client, if there is one. Thread: any. */
void swarm_client_dial(struct swarm *swarm);

/* Sends message 0. Thread: main, once, after `opened`. */
void swarm_client_begin(struct swarm_client *client);

/* Says what is wrong with a connection, the first few times, and counts it. Thread: any. */
void swarm_client_object(const struct swarm_client *client, const char *format, ...) SAY_FORMAT(2, 3);

/* How long message `sequence` of a connection is. */
uint32_t swarm_client_length(const struct swarm_client *client, uint64_t sequence);
uint64_t swarm_client_frame(const struct swarm_client *client, uint64_t sequence); /* With its header. */

/* Says how long connecting took. Nobody connects any more. */
void swarm_report_connected(const struct swarm *swarm);

/* Says the figures and the verdict; true where everything is right. All connections have closed. */
bool swarm_report(struct swarm *swarm);

#endif
