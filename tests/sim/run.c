/* SPDX-License-Identifier: MIT */
/* run.c - see run.h. */
#include "tests/sim/run.h"

#include "engine/api/engine.h"
#include "tests/sim/judge.h"
#include "tests/sim/kernel.h"
#include "tests/sim/limit.h"
#include "tests/sim/peer.h"
#include "tests/sim/pipe.h"
#include "tests/sim/schedule.h"
#include "tests/sim/trace.h"
#include "tests/sim/user.h"
#include "tests/sim/world.h"

#include <string.h>

static uint32_t hosts_busy;

static void run_draw_users(void)
{
    static const uint32_t lengths[] = {100, 3000, 70000, 200000};
    bool is_crowd = sim_below(20) == 0;
    sim_message_bytes_max = lengths[sim_below(sizeof lengths / sizeof lengths[0])];
    sim_nap_ns_max = UINT64_C(1000000) << sim_below(7);
    sim_users = (sim_habits){
        .clients_max = is_crowd ? 60 + sim_below(41) : 1 + sim_below(sim_below(3) ? 6 : 24),
        .rounds = 10 + sim_below(sim_below(3) ? 60 : 200),
        .nap_ns_max = 1 + (1u << sim_below(25)),
        .echoes = sim_below(3) ? sim_below(50000) : 0,
        .acts_inside = sim_below(3) ? sim_below(6000) : 0,
        .closes = sim_below(6000),
        .pauses = sim_below(2) ? 0 : sim_below(12000),
        .broadcasts = sim_below(2) ? 0 : sim_below(20000),
        .groups = sim_below(2) ? 0 : sim_below(20000),
        .stops = sim_below(2) ? 0 : sim_below(3000),
        .turns_away = sim_below(2) ? 0 : sim_below(30000),
        .event_naps = sim_below(2) ? 0 : sim_below(6000),
        .burst_max = sim_below(3) ? 1 + sim_below(4) : 1 + sim_below(sim_below(4) ? 30 : 150),
        .servers = 1 + sim_below(3),
    };
}

static void run_hear_line(void *user, const char *line)
{
    (void) user;
    if (strstr(line, "never given back")) {
        sim_fail("the engine says: %s", line);
    }
}

/* A thread that a host lends, for a while at a time or for good. */
static void run_host(void *argument)
{
    sim_engine *engine = argument;
    while (!engine->going) {
        uint32_t for_ms = sim_below(4) ? UINT32_MAX : sim_below(50);
        pipeport_status status = pipeport_engine_run(engine->engine, for_ms);
        if (sim_met(SIM_AT_RUN, status) == PIPEPORT_STOPPED) {
            SIM_MUST(engine->going);
        }
        if (status != PIPEPORT_OK) {
            break;
        }
        sim_yield();
    }
    hosts_busy--;
}

static void run_create_engine(sim_engine *engine)
{
    pipeport_engine_options options = {.size = sizeof options, .log = sim_below(8) ? run_hear_line : NULL};
    engine->hosted = sim_below(3) == 0;
    options.workers = engine->hosted ? PIPEPORT_HOST_THREADS : sim_below(4); /* 0: one for each processor. */
    options.memory_bytes_max = sim.refuses && sim_below(16) == 0 ? 300000 + sim_below(600000) : 0;
    if (sim_below(30) == 0) {
        options.size--;
    }
    uint32_t no_memory = sim.rules.no_memory;
    sim.rules.no_memory = sim_below(12) ? no_memory : 20000;
    for (int i = 0; i < 20; i++) {
        pipeport_engine *made = NULL;
        pipeport_status status = pipeport_engine_create(&made, &options);
        sim_trace("engine_create: status", sim_met(SIM_AT_ENGINE_CREATE, status), 0, 0);
        if (status == PIPEPORT_OK) {
            engine->engine = made;
            engine->memory_bytes_max = options.memory_bytes_max;
            made->hub.pool.outside_max = sim_below(4);
            break;
        }
        SIM_MUST((status == PIPEPORT_INVALID) == (options.size != sizeof options));
        options.size = sizeof options;
        options.memory_bytes_max = 0;
        sim.rules.no_memory = no_memory;
    }
    sim.rules.no_memory = no_memory;
    for (uint32_t i = engine->engine && engine->hosted ? 1 + sim_below(3) : 0; i > 0; i--) {
        hosts_busy++;
        (void) sim_thread_start(run_host, engine);
    }
}

static void run_destroy_engine(sim_engine *engine)
{
    if (!engine->engine) {
        return;
    }
    engine->going = true;
    sim_trace("engine_destroy", 0, 0, 0);
    sim_waits_since_ns[0] = sim_now_ns();
    pipeport_status status = pipeport_engine_destroy(engine->engine);
    sim_waits_since_ns[0] = 0;
    SIM_MUST(sim_met(SIM_AT_DESTROY, status) == PIPEPORT_OK && engine->gone);
}

static void run_begin(uint64_t seed)
{
    sim_world_begin(seed);
    sim_world_draw_rules();
    sim_trace_begin();
    sim_schedule_begin();
    sim_kernel_begin();
    sim_links_begin();
    sim_ears_begin();
    sim_judge_begin();
    sim_limits_begin();
    sim_users_begin();
    sim_peers_begin();
    run_draw_users();
    sim_dialects_draw();
    hosts_busy = 0;
    sim_schedule_rests = sim_rest_check;
}

/* Stops some parties, all of them at the same time if it likes; what is left goes with its engine. */
static void run_stop_parties(void)
{
    for (uint32_t i = 0; i < sim_parties_count; i++) {
        if (sim_below(3)) {
            sim_user_stop(&sim_parties[i], false);
        }
    }
}

void sim_run(uint64_t seed)
{
    run_begin(seed);
    uint32_t engines = 1 + (sim_below(3) == 0);
    for (uint32_t i = 0; i < engines; i++) {
        run_create_engine(&sim_engines[i]);
    }
    for (uint32_t i = 0; i < sim_users.servers; i++) {
        (void) sim_user_serve(&sim_engines[sim_below(engines)], i);
    }
    for (uint32_t i = sim_below(sim_users.clients_max); i > 0; i--) {
        (void) sim_user_dial(&sim_engines[sim_below(engines)], sim_below(sim_users.servers));
    }
    if (sim_users.clients_max > 60 && sim_below(4) == 0) { /* More at once than are accepted in one go. */
        for (uint32_t i = 0; i < 100; i++) {
            sim_peer_spawn();
        }
    }
    for (uint32_t i = sim_below(4) ? sim_below(2 + sim_users.clients_max / 4) : 0; i > 0; i--) {
        sim_peer_spawn();
    }
    for (uint32_t i = 1 + sim_below(5); i > 0; i--) {
        sim_user_spawn();
    }
    while (sim_users_busy > 0) {
        sim_sleep_ns(10000000);
    }
    sim_peers_call_off();
    if (sim_below(2)) {
        run_stop_parties();
    }
    for (uint32_t i = 0; i < engines; i++) {
        run_destroy_engine(&sim_engines[i]);
    }
    while (hosts_busy > 0 || sim_peers_busy > 0) {
        sim_sleep_ns(10000000);
    }
    sim_judge_end();
}
