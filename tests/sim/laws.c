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

__attribute__((constructor)) static void laws_begin_world(void)
{
    sim_world_begin(getenv("PIPEPORT_TEST_SEED") ? test_seed() : 1); /* So that what fails fails again. */
    sim_trace_begin();
    sim.rules.shared = SIM_LAWS_SHARED;
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

unsigned long system_pid(void)
{
    return 1;
}

uint32_t system_handles(void)
{
    return sim_links_open_sides() + sim_ears_open();
}
