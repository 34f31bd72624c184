/* SPDX-License-Identifier: MIT */
/*
 * load.h - one run while it runs: its lanes (connections), what they share, and who may touch what.
 *
 * Its life:  CONNECTING all -> RUNNING (warm-up, then the measured time) -> ENDING: nothing is begun, what is in flight
 * may come home -> all closed -> destroyed.
 *
 * A lane keeps its messages in flight in a ring: `sent` is the number of the next one to go, `done` of the next one to
 * come back. Whoever sends writes the entry, then `sent` (release), then gives the message to the engine; the lane's
 * own events read `sent` (acquire) and alone move `done`. There is one sender at a time. In a closed loop that is
 * whoever primes the lane and then its events, which begin after; in an open loop the pacer alone. An entry whose
 * message was refused stays, void.
 */
#ifndef PIPEPORT_GENERATOR_LOAD_H
#define PIPEPORT_GENERATOR_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/generator/plan.h"
#include "bench/generator/recorder.h"
#include "engine/include/pipeport.h"
#include "tools/pipeport/payload.h"

#define LOAD_RECORDERS_MAX 70 /* 64 threads of the engine, the pacer, the main thread. */
#define LOAD_VOID UINT32_MAX
#define LOAD_NEVER UINT64_MAX

enum load_phase { LOAD_CONNECTING, LOAD_RUNNING, LOAD_ENDING };

struct load_entry {
    uint64_t planned_ns; /* In a closed loop the same as sent_ns. */
    uint64_t sent_ns;
    uint32_t length; /* LOAD_VOID: it never left. */
};

struct load;

struct lane {
    struct load *load;
    uint32_t tag;  /* Its number; in the messages too. */
    bool slow;     /* Asks and never reads. */
    uint32_t mask; /* Ring entries less one. */
    struct load_entry *ring;

    _Atomic uint64_t sent;   /* By the sender, with release. */
    _Atomic uint64_t done;   /* By the lane's events. */
    _Atomic uint64_t id;     /* The open connection's; 0 while there is none. */
    atomic_bool primed;      /* Taken once, by whoever sends the first message of the lane's first connection. */
    atomic_bool killed;      /* By --kill-rate, this connection. */
    _Atomic uint64_t quota;  /* With --count: measured messages that may still be sent. Moved by the sender. */
    uint64_t came_bytes;     /* Without framing: of the message that is due. */
    uint64_t broadcast_next; /* Broadcast: the number that is due here. */
    bool answered;           /* Churn: this connection's message came back. Broadcast: it heard a call. */
    bool lost;               /* What was in flight is told with it. */
    atomic_bool over;        /* With --count: it has done its share, or never will. */

    /* Its dialling, see lane.c. */
    _Atomic uintptr_t hand;   /* 0, the client, or LANE_ENDED. */
    _Atomic uint64_t rest_ns; /* Resting until then, and to be dialled by the main thread; 0: not resting. */
    uint64_t dial_ns;
    bool settled, opened_once;
};

struct load {
    const struct plan *plan;
    uint32_t number; /* Of the run: what a thread remembers of another run's is stale. */
    pipeport_engine *engine;
    pipeport_options client_options, slow_options;
    struct lane *lanes;
    struct load_entry *entries; /* Their rings, in one block. */
    unsigned char *content;     /* What is sent where messages are not verified: the longest. */
    bool open_loop;

    _Atomic uint32_t phase;              /* enum load_phase */
    _Atomic uint64_t begin_ns, end_ns;   /* Of the measured time; LOAD_NEVER where not known, or not by time. */
    _Atomic uint32_t connected, settled; /* Open now; lanes whose first dial has come to an end, good or bad. */
    _Atomic uint32_t opened, lost;       /* Connections, ever. */
    _Atomic uint32_t remaining;          /* With --count: lanes that have not done their share. */
    _Atomic uint32_t dial_next, dials_inside;
    _Atomic uint32_t server_process; /* 0 while not known. */
    _Atomic int32_t first_wrong;     /* pipeport_status of the first connection that failed; 0. */
    _Atomic uint32_t objections;     /* Lines said about what is wrong. */

    struct recorder *_Atomic recorders[LOAD_RECORDERS_MAX];
    _Atomic uint32_t recorders_count;
    void (*clear)(void); /* Before a line is said: clears the one that lives. NULL: there is none. Thread: any. */
    struct fan *fan;     /* Broadcast only. Owner: the load; free() it. */
};

/* Memory, lanes, engine. False: one line has said why. */
bool load_create(struct load *load, const struct plan *plan, uint32_t number);
void load_destroy(struct load *load);

/* The calling thread's own; NULL where there is no memory. */
struct recorder *load_recorder(struct load *load);

/* One error, counted; the first few are said. `lane` may be NULL. */
void load_object(struct load *load, const struct lane *lane, enum result_error error, const char *what);

/* Sums over all recorders. */
uint64_t load_all(const struct load *load);
uint64_t load_errors(const struct load *load);

static inline enum load_phase load_phase(const struct load *load)
{
    return (enum load_phase) atomic_load_explicit(&load->phase, memory_order_acquire);
}

/* ---- lane.c: connecting, and what every mode's connections do ---- */

/* Connects it, as often as it is to be connected without a rest. False where that failed at once. Thread: any. */
bool lane_dial(struct lane *lane);

/* Connects the next lane that never was, if there is one and the plan has no ramp. */
void lane_dial_next(struct load *load);

/* Ends every connection, and the clients. Thread: main, once, in phase ENDING. */
void lane_stop_all(struct load *load, bool drain);

/* Sends what a lane has to send of itself when it begins. Thread: whoever has taken `primed`, or its `opened`. */
void lane_prime(struct lane *lane);

/* Sends one more message of the lane: the next entry. False where it was refused, which has been counted. Thread: the
 * lane's sender. */
bool lane_send(struct lane *lane, uint64_t planned_ns, uint64_t now_ns);

/* May one more be sent, by time and count? */
bool lane_may_send(struct lane *lane, uint64_t now_ns);

/* Gives a message to the engine: what `payload` says where messages are verified, else any bytes of that length. */
pipeport_status lane_give(struct lane *lane, pipeport_conn conn, struct payload *payload);

/* The entry that is due back; NULL where none is. Thread: the lane's events. */
struct load_entry *lane_due(struct lane *lane);

/* Counts what was begun as `entry` says and is complete now. Thread: any. */
void lane_record(struct load *load, const struct load_entry *entry, uint64_t now_ns);

/* The entry that was due has come back: counts it, and takes it out of the ring. Thread: the lane's events. */
void lane_take(struct lane *lane, const struct load_entry *entry, uint64_t now_ns);

/* With --count: has it done its share? Says so once. */
void lane_look_over(struct lane *lane);

/* Churn: this connection has done what it came for. Thread: the lane's events. */
void lane_end_visit(struct lane *lane);

/* ---- The modes ---- */

void echo_message(struct lane *lane, const void *data, size_t length);
void echo_fill(struct lane *lane, uint64_t now_ns);
void one_way_sent(struct lane *lane, uint64_t bytes);

#endif
