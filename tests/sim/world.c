/* SPDX-License-Identifier: MIT */
/* world.c - see world.h. */
#include "tests/sim/world.h"

#include "tests/support/random.h"

#include <inttypes.h>
#include <stdio.h>

sim_world sim;
uint64_t sim_met_counts[SIM_PLACES][SIM_STATUSES];
uint64_t sim_met_messages[SIM_KINDS][SIM_DIRECTIONS];

#define BIT(status) (1u << PIPEPORT_##status)

/* What 1,000 seeds must meet at each place. */
static const struct world_place {
    const char *name;
    uint32_t expected;
} world_places[SIM_PLACES] = {
    [SIM_AT_PORT] = {"port_create", BIT(OK) | BIT(NO_MEMORY) | BIT(SYSTEM)},
    [SIM_AT_THREAD] = {"thread_start", BIT(OK) | BIT(SYSTEM)},
    [SIM_AT_EAR] = {"ear_open", BIT(OK) | BIT(NAME_TAKEN) | BIT(DENIED) | BIT(NO_MEMORY) | BIT(SYSTEM)},
    [SIM_AT_ACCEPT] = {"accept", BIT(OK) | BIT(GONE) | BIT(STOPPED) | BIT(NO_MEMORY) | BIT(SYSTEM)},
    [SIM_AT_DIAL] = {"dial", BIT(OK) | BIT(NO_SERVER) | BIT(BUSY) | BIT(DENIED) | BIT(NO_MEMORY) | BIT(SYSTEM) |
                                 BIT(WRONG_TYPE)},
    [SIM_AT_READ] = {"read", BIT(OK) | BIT(GONE) | BIT(STOPPED) | BIT(SYSTEM)},
    [SIM_AT_WRITE] = {"write", BIT(OK) | BIT(GONE) | BIT(STOPPED) | BIT(SYSTEM)},
    [SIM_AT_PEER] = {"peer", BIT(OK) | BIT(GONE) | BIT(SYSTEM)},
    [SIM_AT_MEMORY] = {"memory_take", BIT(OK) | BIT(NO_MEMORY)},
    [SIM_AT_ENGINE_CREATE] = {"engine_create", BIT(OK) | BIT(INVALID) | BIT(NO_MEMORY) | BIT(SYSTEM)},
    [SIM_AT_RUN] = {"engine_run", BIT(OK) | BIT(INVALID) | BIT(STOPPED)},
    [SIM_AT_DESTROY] = {"engine_destroy", BIT(OK) | BIT(INVALID)},
    [SIM_AT_SERVER_START] = {"server_start", BIT(OK) | BIT(INVALID) | BIT(NAME_TAKEN) | BIT(DENIED) | BIT(NO_MEMORY) |
                                                 BIT(STOPPED) | BIT(SYSTEM)},
    [SIM_AT_CLIENT_START] = {"client_start", BIT(OK) | BIT(WRONG_TYPE) | BIT(INVALID) | BIT(NO_SERVER) | BIT(DENIED) |
                                                 BIT(NO_MEMORY) | BIT(STOPPED) | BIT(SYSTEM)},
    [SIM_AT_SEND] = {"send", BIT(OK) | BIT(INVALID) | BIT(TOO_LARGE) | BIT(FULL) | BIT(GONE) | BIT(NO_MEMORY) |
                                 BIT(UNSUPPORTED)},
    [SIM_AT_BROADCAST] = {"broadcast",
                          BIT(OK) | BIT(INVALID) | BIT(TOO_LARGE) | BIT(STOPPED) | BIT(NO_MEMORY) | BIT(UNSUPPORTED)},
    [SIM_AT_GROUP] = {"group", BIT(OK) | BIT(INVALID) | BIT(GONE) | BIT(NO_MEMORY) | BIT(STOPPED)},
    [SIM_AT_MESSAGE_CREATE] = {"message_create", BIT(OK) | BIT(INVALID) | BIT(TOO_LARGE) | BIT(NO_MEMORY)},
    [SIM_AT_CLOSE] = {"close", BIT(OK) | BIT(INVALID) | BIT(GONE)},
    [SIM_AT_PAUSE] = {"pause, resume", BIT(OK) | BIT(GONE)},
    [SIM_AT_STATS] = {"stats", BIT(OK) | BIT(INVALID)},
    [SIM_AT_PEER_OF] = {"peer_of", BIT(OK) | BIT(INVALID) | BIT(GONE) | BIT(SYSTEM)},
    [SIM_AT_CONNECTIONS] = {"connections", BIT(OK) | BIT(INVALID)},
    [SIM_AT_CALL] = {"client_call", BIT(OK) | BIT(INVALID) | BIT(NO_MEMORY) | BIT(NO_SERVER) | BIT(BUSY) |
                                        BIT(TOO_LARGE) | BIT(FULL) | BIT(GONE) | BIT(STOPPED) | BIT(TIMED_OUT) |
                                        BIT(DENIED) | BIT(SYSTEM) | BIT(UNSUPPORTED) | BIT(WRONG_TYPE)},
    [SIM_AT_FAILED] = {"failed",
                       BIT(WRONG_TYPE) | BIT(NO_SERVER) | BIT(BUSY) | BIT(DENIED) | BIT(NO_MEMORY) | BIT(SYSTEM)},
    [SIM_AT_CLOSED] = {"closed", BIT(OK) | BIT(STOPPED) | BIT(GONE) | BIT(TIMED_OUT) | BIT(BAD_PEER) | BIT(SLOW_PEER) |
                                     BIT(NO_MEMORY) | BIT(SYSTEM)},
};

static const char *const world_statuses[SIM_STATUSES] = {
    "OK",   "INVALID", "NO_MEMORY", "NAME_TAKEN", "NO_SERVER", "BUSY",        "DENIED", "TOO_LARGE",  "FULL",
    "GONE", "STOPPED", "TIMED_OUT", "BAD_PEER",   "SLOW_PEER", "UNSUPPORTED", "SYSTEM", "WRONG_TYPE",
};

void sim_world_begin(uint64_t seed)
{
    sim = (sim_world){.seed = seed, .random = seed * UINT64_C(0xd1342543de82ef95) + 1, .step_max = sim.step_max};
    sim.rules = (sim_rules){
        .shared = true,
        .is_busy = true,
        .slices_max = 1,
        .pipe_bytes = 1 << 20,
        .call_yields = 1 << 14,
        .kernel_runs = 1 << 14,
        .reads_later = 1 << 14,
        .cancel_loses = 1 << 15,
        .tick_ns = 1000,
    };
}

/* One of the world's habits: mostly absent, so that the others are seen by themselves. */
static uint32_t world_habit(uint32_t most)
{
    return sim_below(2) ? 0 : sim_below(2) ? sim_below(most) : most / 8;
}

void sim_world_draw_rules(void)
{
    static const uint32_t step_everies[] = {0, 4, 12, 40, 150, 600};
    static const uint32_t pipes[] = {64, 1000, 4096, 20000, 65536, 400000};
    sim_rules *rules = &sim.rules;
    rules->shared = sim_below(2);
    rules->can_await = sim_below(2);
    rules->is_busy = sim_below(2);
    rules->slices_max = sim_below(2) ? 16 : 1;
    rules->pipe_bytes = pipes[sim_below(sizeof pipes / sizeof pipes[0])];
    rules->step_every = step_everies[sim_below(sizeof step_everies / sizeof step_everies[0])];
    rules->call_yields = sim_below(1 << 15);
    rules->arming_yields = rules->poisons = true;
    rules->weak_fails = sim_below(3) ? 0 : 4000;
    rules->held = sim_below(3) ? 0 : sim_below(3000);
    rules->stalls = sim_below(2) ? 0 : sim_below(30000);
    rules->overtaken = sim_below(3) ? sim_below(40000) : 0;
    rules->stall_ns = UINT64_C(10000) << sim_below(14);
    rules->kernel_runs = 1000 + sim_below(30000);
    rules->reads_later = sim_below(3) ? world_habit(50000) : 65536;
    rules->writes_later = sim_below(3) ? world_habit(50000) : 65536;
    rules->short_reads = world_habit(40000);
    rules->short_writes = world_habit(40000);
    rules->empty_reads = world_habit(6000);
    rules->late = world_habit(20000);
    rules->late_ns = UINT64_C(1000) << sim_below(18);
    rules->early_takes = world_habit(8000);
    rules->partial_takes = world_habit(60000);
    rules->cancel_loses = sim_below(65536);
    rules->early_awaits = world_habit(20000);
    rules->tick_ns = UINT64_C(50) << sim_below(10);
    rules->jumps = sim_below(3) ? 0 : sim_below(100);
    rules->jump_ns = UINT64_C(1000000) << sim_below(12);
    rules->slips = world_habit(65536);
    rules->forgets = world_habit(65536);
    rules->processes = 1 + sim_below(3);
    if (sim_below(3) == 0) {
        rules->refused_io = world_habit(400);
        rules->refused_accepts = world_habit(8000);
        rules->refused_dials = world_habit(16000);
        rules->refused_begins = world_habit(26000);
        rules->no_memory = world_habit(2000);
        rules->scarce = world_habit(20000);
        rules->refused_peers = world_habit(16000);
    }
    if (sim_below(5) == 0) { /* Who is not connected stays so for a while: calls hear why. */
        rules->refused_dials = 10000 + sim_below(45000);
    }
    rules->told_late = sim_below(2);
    sim.refuses = true;
}

uint64_t sim_random(void)
{
    return test_random(&sim.random);
}

uint32_t sim_below(uint32_t below)
{
    return (uint32_t) (((sim_random() >> 32) * below) >> 32);
}

uint32_t sim_between(uint32_t least, uint32_t most)
{
    return least + sim_below(most - least + 1);
}

bool sim_happens(uint32_t chance)
{
    return chance != 0 && (sim_random() >> 48) < chance;
}

bool sim_refuses(uint32_t chance)
{
    return sim.refuses && sim_happens(chance);
}

pipeport_status sim_met(sim_place place, pipeport_status status)
{
    sim_met_counts[place][status]++;
    return status;
}

/* By framing: duplex, to the server, to the client. Each framing must be met, and each direction. */
static bool world_print_messages(bool all)
{
    static const char *const kinds[SIM_KINDS] = {"default", "length",   "varint", "delimiter",
                                                 "headers", "measured", "none",   "message"};
    bool complete = true;
    uint64_t ways[SIM_DIRECTIONS] = {0};
    printf("%-14s", "messages");
    for (int kind = 0; kind < SIM_KINDS; kind++) {
        const uint64_t *count = sim_met_messages[kind];
        bool missing = all && count[0] + count[1] + count[2] == 0;
        complete = complete && !missing;
        printf(" %s %" PRIu64 "/%" PRIu64 "/%" PRIu64 "%s", kinds[kind], count[0], count[1], count[2],
               missing ? " (NEVER MET)" : "");
    }
    for (int kind = 0; kind < SIM_KINDS; kind++) {
        for (int way = 0; way < SIM_DIRECTIONS; way++) {
            ways[way] += sim_met_messages[kind][way];
        }
    }
    bool one_way = !all || (ways[PIPEPORT_TO_SERVER] != 0 && ways[PIPEPORT_TO_CLIENT] != 0);
    printf("%s\n", one_way ? "" : " one way (NEVER MET)");
    return complete && one_way;
}

bool sim_met_print(bool all)
{
    bool complete = world_print_messages(all);
    for (int place = 0; place < SIM_PLACES; place++) {
        printf("%-14s", world_places[place].name);
        for (int status = 0; status < SIM_STATUSES; status++) {
            bool missing = all && (world_places[place].expected >> status & 1) && sim_met_counts[place][status] == 0;
            complete = complete && !missing;
            if (sim_met_counts[place][status] != 0 || missing) {
                printf(" %s %" PRIu64 "%s", world_statuses[status], sim_met_counts[place][status],
                       missing ? " (NEVER MET)" : "");
            }
        }
        printf("\n");
    }
    return complete;
}
