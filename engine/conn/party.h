/* SPDX-License-Identifier: MIT */
/*
 * party.h - who owns connections: a server or a client. Its options, events, figures, and the count of all that still
 * leans on it.
 *
 * Count: one for the owner, one for each connection until its seat is free, one for each accept or dial under way, one
 * for each deadline set. Who takes the last one away finishes the party (frees it) and opens the gate of who waits; so
 * nobody touches it after his own count is gone.
 */
#ifndef PP_CONN_PARTY_H
#define PP_CONN_PARTY_H

#include "engine/conn/groups.h"
#include "engine/conn/hub.h"
#include "engine/conn/peers.h"
#include "engine/conn/told.h"
#include "engine/flow/message.h"
#include "engine/flow/wire.h"
#include "engine/port/plan.h"

/* Relaxed, but for one: who reads a `closed` (acquire) sees the `opened` of each connection that it counts, which an
 * earlier turn had added before the last one released it. All adds are read-modify-writes, so each release counts. */
typedef struct pp_tally {
    _Atomic uint64_t opened, closed, accepts_failed, accepts_refused, dials, messages_sent, messages_received;
    _Atomic uint64_t bytes_accepted, bytes_sent, bytes_discarded, bytes_received;
    _Atomic uint64_t sends_refused, broadcasts_refused, broadcasts_dropped, slow_peers;
} pp_tally;

/* The figures that each message moves, of one home's worker: it alone adds, without a locked operation. */
typedef struct pp_shard {
    _Atomic uint64_t messages_sent, messages_received, bytes_accepted, bytes_sent, bytes_received;
    uint64_t apart[11]; /* So that the next one lies on cache lines of its own. */
} pp_shard;

typedef struct pp_party pp_party;

struct pp_party {
    pp_hub *hub;
    pipeport_options options; /* Resolved: no field stands for a default. */
    pp_framing framing;       /* What options.framing means. */
    pp_plan plan;             /* What the options say of the pipe. */
    bool mute;                /* By its plan its connections never write, */
    bool deaf;                /* or never read. */
    pipeport_events events;   /* Resolved: absent members NULL. */
    _Atomic uint32_t count;
    _Atomic bool stopping;        /* Raised before the members are walked; looked at after joining (see group.h). */
    _Atomic uint64_t drain_by_ms; /* When its draining connections give up; UINT64_MAX: never by themselves. */
    pp_gate *waiter;              /* Set before the owner's count goes; NULL: nobody waits. */
    pp_group *members;            /* A server's; NULL for a client, which has `only`. */
    pp_groups *groups;            /* Likewise: the named ones. */
    pp_peers *peers;              /* A server's with bounds on processes or users; else NULL. */
    _Atomic uint64_t only;        /* A client's connection, from OPENING to CLOSED; else 0. */
    void (*left)(pp_party *party, pp_worker *worker); /* A connection has given its seat back. May be NULL. */
    void (*halt)(pp_party *party);                    /* Accepts and dials no more. */
    void (*finish)(pp_party *party);                  /* Frees it. */
    pp_party *next, *previous;                        /* The engine's list; the floor above's, under its lock. */
    bool stopped, hurried;                            /* Likewise: see engine.h. */
    pp_told told;                                     /* In use where it has a `sent` event. */
    _Atomic bool fans_pay;                            /* The last broadcast that could grow did. Relaxed: a guess. */
    _Atomic uint32_t fans;   /* Broadcasts that may still grow (api/broadcast.c says when), on all workers. */
    _Atomic uint32_t pushes; /* While there are any: each message queued otherwise, each close. */
    pp_tally tally;          /* What is not in a shard; all of it, once the party is finished. */
    pp_shard *shards;        /* A server's, by home, where each home has one thread. */
    uint32_t shards_count;   /* 0 elsewhere, and where there was no memory for them. */
};

/* The struct is zeroed and filled in by its owner, before or after; count 1. */
void pp_party_init(pp_party *party, pp_hub *hub, const pipeport_options *options, const pipeport_events *events);
/* By who frees it. */
void pp_party_fini(pp_party *party);

/* Its owner says what its pipes are. Its texts are the owner's. */
void pp_party_set_plan(pp_party *party, const pp_plan *plan, bool serves);

void pp_party_retain(pp_party *party);
bool pp_party_retain_living(
    pp_party *party); /* For who has no count, but knows that it is not freed. False: too late. */
void pp_party_release(pp_party *party);

/* May this be sent to its connections? Fails: INVALID (it was built for another framing, or would not arrive as one
 * message), TOO_LARGE, UNSUPPORTED (they never write). */
static inline pipeport_status pp_party_admit(const pp_party *party, const void *data, size_t length)
{
    return party->mute ? PIPEPORT_UNSUPPORTED
                       : pp_wire_admit(&party->framing, data, length, party->options.message_bytes_max);
}
pipeport_status pp_party_admit_message(const pp_party *party, const pp_message *message);

/* After something was queued for one of its connections, or one was closed: what grows must not pass it. */
static inline void pp_party_pushed(pp_party *party)
{
    if (atomic_load(&party->fans)) {
        atomic_fetch_add(&party->pushes, 1);
    }
}

void pp_tally_add(_Atomic uint64_t *figure, uint64_t amount);

/* The same by the shard's worker. */
static inline void pp_shard_add(_Atomic uint64_t *figure, uint64_t amount)
{
    uint64_t before = atomic_load_explicit(figure, memory_order_relaxed);
    atomic_store_explicit(figure, before + amount, memory_order_relaxed);
}

/* Where `worker` (this thread's, or NULL) adds: NULL: to the tally. */
static inline pp_shard *pp_party_shard(const pp_party *party, const pp_worker *worker)
{
    return worker && worker->home < party->shards_count ? &party->shards[worker->home] : NULL;
}

/* Brings what the worker's turn, of one of its connections, has added up to its figures. */
void pp_party_count(pp_party *party, pp_worker *worker);

/* The same for bytes that were read, or written. */
static inline void pp_party_received(pp_party *party, uint64_t bytes, const pp_worker *worker)
{
    pp_shard *shard = pp_party_shard(party, worker);
    if (shard) {
        pp_shard_add(&shard->bytes_received, bytes);
    } else {
        pp_tally_add(&party->tally.bytes_received, bytes);
    }
}

static inline void pp_party_wrote(pp_party *party, uint64_t bytes, const pp_worker *worker)
{
    pp_shard *shard = pp_party_shard(party, worker);
    if (shard) {
        pp_shard_add(&shard->bytes_sent, bytes);
    } else {
        pp_tally_add(&party->tally.bytes_sent, bytes);
    }
}

#endif
