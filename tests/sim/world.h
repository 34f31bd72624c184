/* SPDX-License-Identifier: MIT */
/*
 * world.h - one simulated world: its seed, its rules, its random numbers, and what was met in it.
 *
 * Everything that is left open (who runs next, how much a read brings, whether a cancel wins) is one draw from one
 * stream of random numbers, so a seed replays to the byte. Nothing may depend on an address or on the real time.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "engine/include/pipeport.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sim_rules { /* Chances are of 65536. */
    bool shared;           /* One port for all drainers, or pipes with homes. */
    bool told_late;        /* There what an operation came to is seen of it only once its completion is taken. */
    bool can_await;
    bool is_busy;        /* Who finds no armed accept hears BUSY; else it waits in a backlog. */
    uint32_t slips;      /* There he waits though there is no room, if nobody else does. */
    uint32_t slices_max; /* Of pipes that open. */
    uint32_t pipe_bytes; /* A pipe holds no more each way, whatever it is asked for. */
    uint32_t step_every; /* An atomic operation in so many lets others run first; 0: none. */
    uint32_t call_yields;
    bool poisons;        /* Lent read buffers, to see that nobody touches them. */
    bool arming_yields;  /* So may reads and writes. */
    uint32_t weak_fails; /* A weak compare-exchange. */
    uint32_t held;       /* Who was chosen is held up for a while. */
    uint32_t stalls;     /* Who lets others run in the middle of something comes back up to stall_ns later. */
    uint64_t stall_ns;
    uint32_t overtaken;   /* Who has armed an operation is held up so, and the completion may come before he goes on. */
    uint32_t kernel_runs; /* The system does something though threads could run. */
    uint32_t reads_later, writes_later;
    uint32_t short_reads, short_writes, empty_reads;
    uint32_t late; /* A completion, by up to late_ns. */
    uint64_t late_ns;
    uint32_t early_takes; /* A take returns with nothing though its time has not passed. */
    uint32_t partial_takes;
    uint32_t cancel_loses; /* Where the true result is to be had. */
    uint32_t early_awaits;
    uint32_t refused_io, refused_accepts, refused_dials, refused_begins; /* Begins: port, thread, ear. */
    uint32_t refused_peers, forgets; /* Who is there; and of one that has gone it does not know. */
    uint32_t no_memory;
    uint32_t scarce;    /* A user's call finds half of what it asks for. */
    uint32_t processes; /* Clients are of so many; 0: of one, and of one user. */
    uint64_t tick_ns;   /* Between two threads' turns the clock moves up to so much; at least 1. */
    uint32_t jumps;     /* It moves by up to jump_ns. */
    uint64_t jump_ns;
} sim_rules;

/* Where a status can be met. */
typedef enum sim_place {
    SIM_AT_PORT,
    SIM_AT_THREAD,
    SIM_AT_EAR,
    SIM_AT_ACCEPT,
    SIM_AT_DIAL,
    SIM_AT_READ,
    SIM_AT_WRITE,
    SIM_AT_PEER,
    SIM_AT_MEMORY,
    SIM_AT_ENGINE_CREATE,
    SIM_AT_RUN,
    SIM_AT_DESTROY,
    SIM_AT_SERVER_START,
    SIM_AT_CLIENT_START,
    SIM_AT_SEND,
    SIM_AT_BROADCAST,
    SIM_AT_GROUP,
    SIM_AT_MESSAGE_CREATE,
    SIM_AT_CLOSE,
    SIM_AT_PAUSE,
    SIM_AT_STATS,
    SIM_AT_PEER_OF,
    SIM_AT_CONNECTIONS,
    SIM_AT_CALL,
    SIM_AT_FAILED,
    SIM_AT_CLOSED,
    SIM_PLACES
} sim_place;

enum { SIM_STATUSES = 17 };

typedef struct sim_world {
    uint64_t seed;
    uint64_t random;
    uint64_t step;     /* Atomic operations and calls of the seam so far: what a failure is told by. */
    uint64_t step_max; /* --steps: then it ends, whatever it does. 0: no bound. */
    sim_rules rules;
    bool refuses; /* False: nothing is refused any more (the end is tidy). */
    uint64_t allocations_refused;
    uint64_t messages; /* Delivered. */
} sim_world;

extern sim_world sim;

/* Met since the program began, in all worlds; and messages that were delivered, by pipeport_framing_kind and direction.
 */
enum { SIM_KINDS = 8, SIM_DIRECTIONS = 3 };
extern uint64_t sim_met_counts[SIM_PLACES][SIM_STATUSES];
extern uint64_t sim_met_messages[SIM_KINDS][SIM_DIRECTIONS];

/* A new world, calm and without refusals. */
void sim_world_begin(uint64_t seed);

/* Rules of every kind, from the seed. */
void sim_world_draw_rules(void);

uint64_t sim_random(void);
uint32_t sim_below(uint32_t below); /* 0 to below - 1. */
uint32_t sim_between(uint32_t least, uint32_t most);
bool sim_happens(uint32_t chance); /* Of 65536. */
bool sim_refuses(uint32_t chance); /* The same, and never once the world refuses nothing any more. */

/* Counts a status that was met, and answers it. */
pipeport_status sim_met(sim_place place, pipeport_status status);

/* Prints what was met. `all`: what every long run must meet too, where it was not; false: there was such. */
bool sim_met_print(bool all);

#endif
