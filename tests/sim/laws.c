/* SPDX-License-Identifier: MIT */
/*
 * laws.c - a calm simulated world for tests/laws: what lets those tests run on this backend as they are.
 *
 * The test's own thread is thread 0; its threads are fibers that run inside its calls. Nothing is refused, writes take
 * what there is room for, and nobody else runs while a read or write is being armed (the tests tell by a variable of
 * the real thread whether they are inside of that). Lent buffers are not poisoned: some tests lend one to many reads.
 */
#include "tests/sim/kernel.h"
#include "tests/sim/pipe.h"
#include "tests/sim/schedule.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"
#include "tests/support/random.h"
#include "tests/support/system.h"

#include <stdlib.h>
#include <string.h>

__attribute__((constructor)) static void laws_begin_world(void)
{
    sim_world_begin(getenv("PIPEPORT_TEST_SEED") ? test_seed() : 1); /* So that what fails fails again. */
    sim_trace_begin();
    sim.rules.shared = SIM_LAWS_SHARED;
    sim.rules.told_late = SIM_LAWS_SHARED;
    sim.rules.is_busy = SIM_LAWS_SHARED;
    sim.rules.slices_max = SIM_LAWS_SHARED ? 1 : PP_SLICES_MAX;
    sim.rules.can_await = true;
    sim.rules.step_every = 40;
    sim.rules.weak_fails = 4000;
    sim_schedule_begin();
    sim_kernel_begin();
    sim_links_begin();
    sim_ears_begin();
}

/* A client that is none of ours; its handle is its link's number. The name stands behind "sim:". */
bool raw_connect_whole(raw_client *client, const char *address)
{
    pipeport_status status;
    sim_link *link = sim_ear_dial(address + strlen("sim:"), sim.rules.pipe_bytes, &status);
    client->handle = link ? (intptr_t) link->number : -1;
    return link != NULL;
}

bool raw_write_whole(raw_client *client, const void *data, size_t bytes)
{
    return sim_link_say(sim_link_of((uint32_t) client->handle), 0, data, (uint32_t) bytes);
}

void raw_close(raw_client *client)
{
    sim_link_close(sim_link_of((uint32_t) client->handle), 0);
}

unsigned long system_pid(void)
{
    return SIM_PROCESS;
}

uint32_t system_handles(void)
{
    return sim_links_open_sides() + sim_ears_open();
}
