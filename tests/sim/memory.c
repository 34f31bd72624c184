/* SPDX-License-Identifier: MIT */
/* memory.c - see memory.h. */
#include "tests/sim/memory.h"

#include "engine/api/client.h"
#include "tests/sim/judge.h"
#include "tests/sim/kernel.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"

bool sim_memory_scarce[SIM_THREADS_MAX];

static bool memory_refuses(void)
{
    return sim_refuses(sim.rules.no_memory) || (sim_memory_scarce[sim_self()] && sim_refuses(1 << 15));
}

static void *memory_met(const pp_memory *memory, void *block)
{
    SIM_MUST(memory->bytes_max == 0 || memory->bytes <= memory->bytes_max);
    (void) sim_met(SIM_AT_MEMORY, block ? PIPEPORT_OK : PIPEPORT_NO_MEMORY);
    sim.allocations_refused += block == NULL;
    return block;
}

void *__wrap_pp_memory_take(pp_memory *memory, size_t bytes)
{
    return memory_met(memory, memory_refuses() ? NULL : __real_pp_memory_take(memory, bytes));
}

void *__wrap_pp_memory_take_zeroed(pp_memory *memory, size_t bytes)
{
    return memory_met(memory, memory_refuses() ? NULL : __real_pp_memory_take_zeroed(memory, bytes));
}

void __wrap_pp_memory_give(pp_memory *memory, void *block, size_t bytes)
{
    if (block) {
        sim_kernel_forbid(block, bytes);
    }
    __real_pp_memory_give(memory, block, bytes);
}

/* A server or client is finished: its accounts must balance. */
void __wrap_pp_engine_leave(pipeport_engine *engine, pp_party *party)
{
    const pp_tally *tally = &party->tally;
    sim_party *judged = party->members ? party->events.user : ((const pipeport_client *) party)->told.user;
    if (tally->opened != tally->closed || judged->opened != tally->opened || judged->closed != tally->closed) {
        sim_fail("a party ends with %llu opened and %llu closed, and heard of %u and %u",
                 (unsigned long long) tally->opened, (unsigned long long) tally->closed, judged->opened,
                 judged->closed);
    }
    if (tally->bytes_accepted != tally->bytes_sent + tally->bytes_discarded) {
        sim_fail("a party ends with %llu bytes accepted, %llu sent, %llu discarded",
                 (unsigned long long) tally->bytes_accepted, (unsigned long long) tally->bytes_sent,
                 (unsigned long long) tally->bytes_discarded);
    }
    if (tally->messages_received != judged->spoke || tally->bytes_received != judged->received ||
        tally->accepts_refused != judged->turned_away || tally->slow_peers != judged->slow ||
        tally->sends_refused < judged->full || tally->sends_refused > judged->full + judged->sending) {
        sim_fail("a party ends with %llu messages and %llu bytes received, %llu turned away, %llu slow, %llu full: "
                 "its users heard of %llu, %llu, %u, %u, %u",
                 (unsigned long long) tally->messages_received, (unsigned long long) tally->bytes_received,
                 (unsigned long long) tally->accepts_refused, (unsigned long long) tally->slow_peers,
                 (unsigned long long) tally->sends_refused, (unsigned long long) judged->spoke,
                 (unsigned long long) judged->received, judged->turned_away, judged->slow, judged->full);
    }
    if (judged->finished) {
        sim_fail("a party is finished twice");
    }
    judged->finished = true;
    __real_pp_engine_leave(engine, party);
}

/* From here on the engine is not looked at any more. */
void __wrap_pp_hub_fini(pp_hub *hub)
{
    for (int i = 0; i < SIM_ENGINES_MAX; i++) {
        if (sim_engines[i].engine && &sim_engines[i].engine->hub == hub) {
            sim_engines[i].gone = true;
        }
    }
    __real_pp_hub_fini(hub);
}

_Noreturn void __wrap_pp_assert_failed(const char *what, const char *file, int line)
{
    sim_fail("an assert of the engine: %s (%s:%d)", what, file, line);
}
