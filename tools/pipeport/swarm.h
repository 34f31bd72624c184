/* SPDX-License-Identifier: MIT */
/*
 * swarm.h - `pipeport swarm`: many clients that send, and believe nothing of what comes back.
 *
 * Its life:  connect all -> rest a moment -> send and check until everybody has everything -> close -> report.
 * Nobody closes before all have finished, so that a message that comes twice still finds somebody who objects.
 *
 * swarm_options.c reads the arguments; swarm.c is the main thread; swarm_client.c is one connection's events,
 * swarm_send.c what it sends and swarm_check.c what comes, swarm_topics.c both with --topics; swarm_report.c is what is
 * said at the end. A connection's events never overlap, so its fields need no lock: after `opened` they belong to its
 * events until `closed`, and then to the main thread. The main thread sends each connection's first message, for which
 * `opened` has prepared everything; all others are sent in events.
 */
#ifndef PIPEPORT_TOOL_SWARM_H
#define PIPEPORT_TOOL_SWARM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/include/pipeport.h"
#include "tools/pipeport/args.h"
#include "tools/pipeport/histogram.h"
#include "tools/pipeport/payload.h"
#include "tools/pipeport/pipe_options.h"
#include "tools/pipeport/say.h"

#define SWARM_ANY_BROADCASTS UINT32_MAX
#define SWARM_TOPIC_BYTES 32 /* Room for the name of a topic. */

struct swarm_options {
    struct pipe_options pipe;
    uint32_t connections, messages, depth, threads;
    struct args_sizes sizes; /* None: not given. */
    uint32_t broadcasts;     /* SWARM_ANY_BROADCASTS: as many as come. */
    uint32_t topics;         /* 0: what is sent is echoed. */
    uint32_t seed, timeout_s, window, settle_ms, connect_ms;
};

struct swarm;

struct swarm_client {
    struct swarm *swarm; /* Fixed, as is the tag, its number. */
    uint32_t tag;
    pipeport_client *client; /* Who dialled it writes it; the main thread reads it when nobody dials any more. */
    pipeport_conn conn;      /* `opened` writes it before it counts itself in swarm->opened. */

    uint64_t sent;           /* Messages accepted by pipeport_send; sent - echoed <= depth. */
    uint64_t echoed;         /* Messages verified; to-server: taken by the system. */
    uint64_t echoed_bytes;   /* Where message `echoed` begins among the bytes sent: framing none, and to-server. */
    uint64_t stream_sent;    /* Framing none: bytes sent, */
    uint64_t stream_came;    /* and verified. */
    uint64_t taken_bytes;    /* To-server: taken by the system. */
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

    /* With --topics `sent`, `accepted_bytes` and `sent_ns` belong to who has raised `pushes` from 0. */
    _Atomic uint32_t pushes;
    _Atomic uint32_t *missing; /* Of each message in flight, how many subscribers have not got it; 0: none is there. */
    uint32_t *heard;           /* Of each connection: twice how many of its messages came, and 1 more: its probe did. */
    uint64_t due;              /* How many messages are to come to it. */
};

struct swarm {
    struct swarm_options options;
    const char *name;
    pipeport_engine *engine;
    pipeport_options client_options; /* Of every client. */
    struct swarm_client *clients;    /* options.connections of them. */
    uint64_t *sent_ns;               /* Their rings, in one block. */
    _Atomic uint32_t *missing;       /* With --topics; so is `heard`. */
    uint32_t *heard;
    struct histogram *round_trips, *delays;
    _Atomic uint64_t *slowest_ns; /* Of each broadcast, made to last receiver; NULL where no number was given. */

    /* Connecting goes from hand to hand: each `opened` dials the next one. */
    _Atomic uint32_t dial_next;                 /* The next client's number. */
    _Atomic uint32_t dials_entered, dials_left; /* Equal: nobody is inside pipeport_client_start. */
    _Atomic uint32_t opened, closed, remaining; /* Acquire and release: they hand a client's fields over. */
    _Atomic uint32_t subscribed;                /* With --topics: whose own probe has come back. */
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

/* Reads the arguments and settles what they leave open; an exit code, and in *go whether there is more to do. */
int swarm_options_read(struct swarm *swarm, int count, char **arguments, bool *go);

static inline bool swarm_is_stream(const struct swarm *swarm)
{
    return swarm->options.pipe.framing.kind == PIPEPORT_FRAMING_NONE;
}

static inline bool swarm_is_one_way(const struct swarm *swarm)
{
    return swarm->options.pipe.direction.number == PIPEPORT_TO_SERVER;
}

/* Starts the next client, if there is one. Thread: any. */
void swarm_client_dial(struct swarm *swarm);

/* Says what is wrong with a connection, the first few times, and counts it. Thread: any. */
void swarm_client_object(const struct swarm_client *client, const char *format, ...) SAY_FORMAT(2, 3);

/* It has all, or never will. Thread: any. */
void swarm_client_is_over(struct swarm_client *client);

/* After the first wrong message a connection's others tell nothing new. Thread: its events. */
void swarm_client_is_bad(struct swarm_client *client);

/* How long message `sequence` of a connection is, and its frame. */
uint32_t swarm_send_length(const struct swarm_client *client, uint64_t sequence);
uint64_t swarm_send_frame(const struct swarm_client *client, uint64_t sequence);

/* What message `sequence` of a connection is. */
struct payload swarm_send_request(const struct swarm_client *client, uint64_t sequence);

/* Sends message 0. Thread: main, once, after `opened`. */
void swarm_send_begin(struct swarm_client *client);

/* Keeps `depth` messages in flight. Thread: its events. */
void swarm_send_fill(struct swarm_client *client);

/* Of what it has sent so many bytes have arrived: messages that lie before them have. Thread: its events. */
void swarm_send_arrived(struct swarm_client *client, uint64_t bytes);

/* Message `echoed` has arrived. Thread: its events. */
void swarm_send_echoed(struct swarm_client *client);

/* Checks what came. Thread: its events. */
void swarm_check(struct swarm_client *client, const void *data, size_t length);

/* True: everything that it was to send and get has been. Thread: its events. */
bool swarm_check_has_all(const struct swarm_client *client);

/* --topics: each connection subscribes to one, and to another that it leaves; it knows that the server has seen to that
 * when a probe comes back that it sent to the one. Then its messages go to all topics in turn, and each must come to
 * those who are subscribed and to nobody else. */
bool swarm_topics_init(struct swarm *swarm);
void swarm_topics_fini(struct swarm *swarm);
uint32_t swarm_topics_bytes(uint32_t topic, uint32_t payload_bytes); /* Of a message. */
void swarm_topics_open(struct swarm_client *client);                 /* Thread: its `opened`. */
void swarm_topics_push(struct swarm_client *client);                 /* Keeps `depth` in flight. Thread: any. */
void swarm_topics_check(struct swarm_client *client, const void *data, size_t length); /* Thread: its events. */

/* Says how long connecting took. Nobody connects any more. */
void swarm_report_connected(const struct swarm *swarm);

/* Says the figures and the verdict; true where everything is right. All connections have closed. */
bool swarm_report(struct swarm *swarm);

#endif
