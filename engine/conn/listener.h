/* SPDX-License-Identifier: MIT */
/*
 * listener.h - keeps a window of pipe instances waiting for clients, and seats who comes.
 *
 * A slot is idle or armed. `taken` counts armed slots and connections together and never passes connections_max, so
 * that at the limit nothing is armed and further clients find the name busy and wait. An accept that is done frees its
 * slot, the window is filled again, and only then the connection begins its life: no busy moment opens because user
 * code is slow. A client that came and went is counted and the next instance armed; an instance that could not be made
 * lets the listener rest for a while (10 ms, doubling up to 1 s) and is counted. Neither ends accepting.
 *
 * All slots change under the lock, arming and cancelling included: neither call blocks, and so nobody cancels a pipe
 * that another thread is moving away.
 */
#ifndef PP_CONN_LISTENER_H
#define PP_CONN_LISTENER_H

#include "engine/conn/connection.h"

typedef struct pp_listener pp_listener;

typedef struct pp_listener_slot {
    pp_listener *listener;
    struct pp_listener_slot *next_idle;
    pp_pipe pipe;
    pp_op op;
    bool armed;
} pp_listener_slot;

struct pp_listener {
    pp_party *party;
    pp_ear *ear;
    pp_lock lock; /* Guards what follows. */
    pp_listener_slot *slots;
    pp_listener_slot *idle;
    uint32_t taken;
    uint32_t rest_ms; /* The next rest; 0: none was needed lately. */
    bool resting;
    bool stopping;
    pp_alarm wake;
};

/* Claims the name. The party's options are resolved. Fails: as pp_ear_open, NO_MEMORY. */
pp_fault pp_listener_open(pp_listener *listener, pp_party *party, const char *name);

/* Arms what may be armed. */
void pp_listener_fill(pp_listener *listener, pp_worker *worker);

/* A connection has given its seat back. */
void pp_listener_left(pp_listener *listener, pp_worker *worker);

/* No accept is armed from now on; those under way come home and give their counts of the party back. */
void pp_listener_stop(pp_listener *listener);

/* Frees the name. All accepts are home. */
void pp_listener_close(pp_listener *listener);

/* Tests: asserts what must hold while nobody is inside a call on it. */
void pp_listener_check(pp_listener *listener);

#endif
