/* SPDX-License-Identifier: MIT */
/* hub.c - see hub.h. */
#include "engine/conn/hub.h"

#include <stdarg.h>
#include <stdio.h>

pp_fault pp_hub_init(pp_hub *hub, uint32_t workers, size_t seat_bytes, pp_deadline_due *due)
{
    atomic_init(&hub->next_home, 0);
    pp_port_options options = {
        .drainers = workers ? workers : 1, .lent = workers == 0, .say = hub->log, .say_user = hub->log_user};
    pp_fault fault = pp_port_create(&hub->port, &hub->memory, &options);
    if (fault.status != PIPEPORT_OK) {
        return fault;
    }
    pp_deadlines_init(&hub->deadlines, due);
    pp_roster_init(&hub->roster, &hub->memory, seat_bytes);
    fault = pp_pool_start(&hub->pool, hub->port, &hub->deadlines, workers);
    if (fault.status != PIPEPORT_OK) {
        goto fini_roster;
    }
    return fault;

fini_roster:
    pp_roster_fini(&hub->roster);
    pp_deadlines_fini(&hub->deadlines);
    pp_port_destroy(hub->port);
    return fault;
}

void pp_hub_fini(pp_hub *hub)
{
    pp_pool_stop(&hub->pool);
    pp_roster_fini(&hub->roster);
    pp_deadlines_fini(&hub->deadlines);
    pp_port_destroy(hub->port);
}

uint32_t pp_hub_home(pp_hub *hub)
{
    return atomic_fetch_add_explicit(&hub->next_home, 1, memory_order_relaxed) % hub->pool.homes;
}

void pp_hub_log(const pp_hub *hub, const char *format, ...)
{
    if (!hub->log) {
        return;
    }
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    (void) vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    hub->log(hub->log_user, line);
}
