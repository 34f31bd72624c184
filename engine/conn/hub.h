/* SPDX-License-Identifier: MIT */
/*
 * hub.h - what all connections of one engine share: memory, port, workers, deadlines, seats.
 */
#ifndef PP_CONN_HUB_H
#define PP_CONN_HUB_H

#include "engine/conn/roster.h"
#include "engine/conn/worker.h"

typedef struct pp_hub {
    pp_memory memory;
    pp_port *port;
    pp_deadlines deadlines;
    pp_pool pool;
    pp_roster roster;
    void (*log)(void *log_user, const char *line);
    void *log_user;
    _Atomic uint32_t next_home; /* Round robin for who has no home yet. */
} pp_hub;

/* `memory` is ready. `workers`: threads of ours, 0: a host's only. `seat_bytes`: of the struct that begins with a
 * pp_seat. `due`: of its deadline. Fails: NO_MEMORY, SYSTEM. */
pp_fault pp_hub_init(pp_hub *hub, uint32_t workers, size_t seat_bytes, pp_deadline_due *due);

/* Nothing may live on it any more. */
void pp_hub_fini(pp_hub *hub);

uint32_t pp_hub_home(pp_hub *hub);

/* printf for the host's log; nothing where there is none. */
#if defined(__MINGW32__)
__attribute__((format(gnu_printf, 2, 3)))
#elif defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void pp_hub_log(const pp_hub *hub, const char *format, ...);

#endif
