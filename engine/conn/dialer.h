/* SPDX-License-Identifier: MIT */
/*
 * dialer.h - connects to a name; while every instance is taken it tries again, without a thread, for a bounded time.
 *
 * The system has no asynchronous wait for an instance, so trying again goes by deadlines: 1 ms after the first refusal,
 * doubling up to 50 ms. Each wait is drawn between that and twice as much, so that clients that were refused together
 * do not come back together. The last try is when the time is over: nobody waits longer than connect_ms.
 *
 * With reconnect_ms it dials again whenever such a series of tries has failed, or its connection has gone, until it is
 * stopped. Rests double from reconnect_ms to reconnect_max_ms, and each is drawn between a half of that and all of it.
 * They begin anew after a connection that was there for as long as the next rest would be: who accepts and hangs up at
 * once is not dialled more often than who does not accept.
 *
 * One at a time has it in his hands, and so needs no lock: the start, then who runs its deadline, then the connection
 * until that gives its seat back, then its deadline again.
 */
#ifndef PP_CONN_DIALER_H
#define PP_CONN_DIALER_H

#include "engine/conn/connection.h"

typedef struct pp_dialer {
    pp_party *party;
    char name[PP_ADDRESS_BYTES_MAX];
    uint64_t until_ms;     /* This series of tries. */
    uint64_t connected_ms; /* Since when the last connection is there. */
    uint32_t wait_ms;      /* Before the next try, without jitter, */
    uint32_t rest_ms;      /* and before the next series, with all of it. */
    uint32_t home;
    bool resting;          /* The deadline begins a series. */
    bool told;             /* `failed`, since there was a connection. */
    pp_fault untold;       /* Not OK: what the start met and the deadline shall tell. */
    _Atomic uint32_t last; /* pipeport_status of the last try. Any thread reads. */
    pp_alarm again;
} pp_dialer;

/* Before the party can be stopped. Fails: INVALID (the name is too long). */
pipeport_status pp_dialer_init(pp_dialer *dialer, pp_party *party, const char *name);

/* Dials once. OK: connected, or every instance is taken and it goes on by itself, up to connect_ms; then `failed`; or
 * it reconnects, and nobody serves the name yet. The caller has a count of the party. Fails: as pp_pipe_dial but BUSY,
 * NO_MEMORY. */
pp_fault pp_dialer_start(pp_dialer *dialer, pp_worker *worker);

/* Its connection has given its seat back, and has a count of the party still. */
void pp_dialer_left(pp_dialer *dialer);

/* The party is stopping: no more tries, no `failed`. A try under way gives its count of the party back by itself. */
void pp_dialer_stop(pp_dialer *dialer);

#endif
