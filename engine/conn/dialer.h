/* SPDX-License-Identifier: MIT */
/*
 * dialer.h - connects to a name; while every instance is taken it tries again, without a thread, for a bounded time.
 *
 * The system has no asynchronous wait for an instance, so trying again goes by deadlines: 1 ms after the first refusal,
 * doubling up to 50 ms. Each wait is drawn between that and twice as much, so that clients that were refused together
 * do not come back together. The last try is when the time is over: nobody waits longer than connect_ms.
 */
#ifndef PP_CONN_DIALER_H
#define PP_CONN_DIALER_H

#include "engine/conn/connection.h"

typedef struct pp_dialer {
    pp_party *party;
    char name[PP_ADDRESS_BYTES_MAX];
    uint64_t until_ms;
    uint32_t wait_ms; /* Before the next try, without jitter. */
    uint32_t home;
    pp_alarm again;
} pp_dialer;

/* Before the party can be stopped. Fails: INVALID (the name is too long). */
pipeport_status pp_dialer_init(pp_dialer *dialer, pp_party *party, const char *name);

/* Dials once. OK: connected, or every instance is taken and it goes on by itself, up to connect_ms; then `failed`. The
 * caller has a count of the party. Fails: as pp_pipe_dial but BUSY, NO_MEMORY. */
pp_fault pp_dialer_start(pp_dialer *dialer, pp_worker *worker);

/* The party is stopping: no more tries, no `failed`. A try under way gives its count of the party back by itself. */
void pp_dialer_stop(pp_dialer *dialer);

#endif
