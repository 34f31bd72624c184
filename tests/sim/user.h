/* SPDX-License-Identifier: MIT */
/*
 * user.h - what a host does with the engine: calls of pipeport.h at random, from threads of its own and from inside
 * events. Each call is held against what its comment promises.
 */
#ifndef TESTS_SIM_USER_H
#define TESTS_SIM_USER_H

#include "tests/sim/judge.h"

typedef struct sim_habits {                             /* Of one world's users; chances of 65536. */
    uint32_t clients_max;                               /* Started in all. */
    uint32_t rounds;                                    /* Of each user. */
    uint32_t nap_ns_max;                                /* Between rounds. */
    uint32_t echoes;                                    /* A message is answered. */
    uint32_t acts_inside;                               /* An event does something else. */
    uint32_t closes, pauses, broadcasts, groups, stops; /* What an act is, else a send. */
    uint32_t event_naps;
    uint32_t turns_away; /* Who comes. */
    uint32_t burst_max;  /* Sends in a row. */
    uint32_t servers;
} sim_habits;

extern sim_habits sim_users;

void sim_users_begin(void);

/* A thread that acts for so many rounds; how many are at it. */
void sim_user_spawn(void);
extern uint32_t sim_users_busy;

/* One party more; its start is tried. False: there is room for no more, or it failed. */
bool sim_user_serve(sim_engine *engine, uint32_t number);
bool sim_user_dial(sim_engine *engine, uint32_t number);
void sim_user_stop(sim_party *party, bool inside);

/* Something of an event's own; `conn` is the event's. */
void sim_user_act_inside(sim_conn *conn);
void sim_user_answer(sim_conn *conn, size_t length);

/* In an event of an engine that goes. */
void sim_user_act_late(sim_conn *conn);

/* In `accept`. */
void sim_user_act_at_the_door(sim_party *party);

/* Of a message in this dialect; now and then one that is refused. */
uint32_t sim_user_length(const sim_dialect *dialect);

/* fan.c: a broadcast to all of a party; something with the groups of a connection's party, or a list of its own. */
void sim_user_broadcast(sim_party *party);
void sim_user_gather(sim_conn *conn);

/* call.c: asks, if it is a client. */
void sim_user_call(sim_party *party);

/* look.c */
void sim_user_look_at_figures(sim_engine *engine);
void sim_user_look_at_stats(sim_party *party);
void sim_user_look_at_connections(sim_party *party);
void sim_user_look_at_peer(sim_conn *conn);

/* misuse.c */
void sim_user_misuse(sim_engine *engine);

/* event.c */
pipeport_events sim_events_of(sim_party *party);

/* memory.c: what this thread asks for is scarce. */
extern bool sim_memory_scarce[SIM_THREADS_MAX];

/* Calls that wait: since when, by thread; 0: none. */
extern uint64_t sim_waits_since_ns[SIM_THREADS_MAX];

#endif
