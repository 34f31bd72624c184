/* SPDX-License-Identifier: MIT */
/* The open loop's pace: what is planned when, by a pacer whose lanes are scripted here. */
#include "bench/generator/pacer.h"

#include <criterion/criterion.h>

#include "bench/crew.h"
#include "bench/generator/fan.h"
#include "bench/generator/machine.h"
#include "tools/pipeport/clock.h"
#include "tools/pipeport/interrupt.h"

#define LANES 3
#define SENT_MAX 1000
#define MS UINT64_C(1000000)
#define PATIENCE_NS (60000 * MS)

struct said {
    uint64_t planned_ns, now_ns;
};

static struct plan plan;
static struct load load;
static struct lane lanes[LANES];
static struct recorder recorder;
static struct said said[LANES][SENT_MAX];
static struct result_run run;
static uint32_t send_us; /* How long a message takes to send. */
static atomic_bool interrupted;

bool interrupt_came(void)
{
    return atomic_load(&interrupted);
}

struct recorder *load_recorder(struct load *of)
{
    (void) of;
    return &recorder;
}

/* Nothing comes back by itself: a lane is full after mask + 1 messages. */
bool lane_send(struct lane *lane, uint64_t planned_ns, uint64_t now_ns)
{
    uint64_t sent = atomic_load(&lane->sent);

    cr_assert_lt(sent, SENT_MAX);
    if (send_us != 0) {
        machine_pause_us(send_us);
    }
    said[lane->tag][sent] = (struct said){planned_ns, now_ns};
    atomic_store(&lane->sent, sent + 1);
    return true;
}

bool fan_ask_planned(struct load *of, uint64_t planned_ns, uint64_t now_ns)
{
    (void) of, (void) planned_ns, (void) now_ns;
    return false;
}

static void begin(double rate_per_s, uint64_t count)
{
    plan = (struct plan){.rate_per_s = rate_per_s, .count = count, .connections = LANES};
    load.plan = &plan;
    load.lanes = lanes;
    for (uint32_t i = 0; i < LANES; i++) {
        lanes[i].load = &load;
        lanes[i].tag = i;
        lanes[i].mask = 1023;
        atomic_store(&lanes[i].id, 1);
    }
    atomic_store(&load.end_ns, LOAD_NEVER);
    atomic_store(&load.phase, LOAD_CONNECTING);
}

static struct pacer *start(uint64_t *begin_ns, uint64_t for_ms)
{
    struct pacer *pacer = pacer_start(&load);

    cr_assert_not_null(pacer);
    machine_pause_us(30000);
    *begin_ns = clock_now_ns();
    atomic_store(&load.begin_ns, *begin_ns);
    atomic_store(&load.end_ns, for_ms == 0 ? LOAD_NEVER : *begin_ns + for_ms * MS);
    atomic_store(&load.phase, LOAD_RUNNING);
    return pacer;
}

static uint64_t sent(void)
{
    return atomic_load(&lanes[0].sent) + atomic_load(&lanes[1].sent) + atomic_load(&lanes[2].sent);
}

static void wait_for(uint64_t number)
{
    while (sent() < number) { /* The test's own bound on time is Criterion's. */
        machine_pause_us(500);
    }
}

static void see_moments(uint64_t begin_ns, uint64_t step_ns)
{
    for (uint32_t i = 0; i < LANES; i++) {
        for (uint64_t k = 0; k < atomic_load(&lanes[i].sent); k++) {
            cr_assert_eq(said[i][k].planned_ns, begin_ns + (k * LANES + i) * step_ns, "message %u of lane %u",
                         (unsigned) k, i);
            cr_assert_geq(said[i][k].now_ns, said[i][k].planned_ns, "message %u of lane %u is early", (unsigned) k, i);
        }
    }
}

Test(pacer, plans_each_message_at_its_moment_and_the_lanes_in_turn, .timeout = 100)
{
    uint64_t begin_ns;
    struct pacer *pacer;

    begin(4000, 0);
    pacer = start(&begin_ns, 150);
    wait_for(600);
    machine_pause_us(20000);
    pacer_stop(pacer, PATIENCE_NS, &run);
    cr_assert_eq(sent(), 600);
    cr_assert_eq(atomic_load(&recorder.planned), 600);
    see_moments(begin_ns, 250000);
    cr_assert_eq(run.errors[RESULT_MISSING], 0);
    cr_assert_gt(run.late_p99_ns, 0);
}

Test(pacer, leaves_out_nothing_that_it_slept_over, .timeout = 100)
{
    struct pacer *pacer;
    uint64_t begin_ns;

    begin(4000, 0);
    pacer = pacer_start(&load);
    cr_assert_not_null(pacer);
    machine_pause_us(30000);
    begin_ns = clock_now_ns() - 100 * MS; /* As if it had not run meanwhile. */
    atomic_store(&load.begin_ns, begin_ns);
    atomic_store(&load.end_ns, begin_ns + 100 * MS);
    atomic_store(&load.phase, LOAD_RUNNING);
    pacer_stop(pacer, PATIENCE_NS, &run);
    cr_assert_eq(sent(), 400);
    cr_assert_eq(atomic_load(&recorder.planned), 400);
    see_moments(begin_ns, 250000);
}

Test(pacer, plans_as_many_as_are_counted, .timeout = 100)
{
    uint64_t begin_ns;
    struct pacer *pacer;

    begin(5000, 100);
    pacer = start(&begin_ns, 0);
    wait_for(100);
    machine_pause_us(20000);
    pacer_stop(pacer, PATIENCE_NS, &run);
    cr_assert_eq(sent(), 100);
    cr_assert_eq(atomic_load(&recorder.planned), 100);
    see_moments(begin_ns, 200000);
}

/* Lane 1 has room again, message by message; nothing comes home that was not sent. */
static void bring_home(void *user)
{
    (void) user;
    for (uint64_t done = 1; done <= 30; done++) {
        while (atomic_load(&lanes[1].sent) < done) {
            machine_pause_us(100);
        }
        atomic_store(&lanes[1].done, done);
        machine_pause_us(500);
    }
}

static struct pacer *start_with_a_full_lane(uint64_t *begin_ns)
{
    struct pacer *pacer;

    begin(2500, 90);
    lanes[1].mask = 3;
    pacer = start(begin_ns, 0);
    wait_for(30 + 4 + 30);
    machine_pause_us(20000);
    cr_assert_eq(atomic_load(&lanes[1].sent), 4, "a lane of 4 places took %u", (unsigned) atomic_load(&lanes[1].sent));
    return pacer;
}

Test(pacer, lets_a_full_lane_catch_up_by_its_own_moments, .timeout = 100)
{
    uint64_t begin_ns;
    struct pacer *pacer = start_with_a_full_lane(&begin_ns);

    bring_home(NULL);
    wait_for(90);
    pacer_stop(pacer, PATIENCE_NS, &run);
    see_moments(begin_ns, 400000);
    cr_assert_eq(run.errors[RESULT_MISSING], 0);
}

Test(pacer, lets_a_full_lane_catch_up_behind_the_end, .timeout = 100)
{
    uint64_t begin_ns;
    struct pacer *pacer = start_with_a_full_lane(&begin_ns);
    struct crew_thread *helper = crew_start(bring_home, NULL);

    cr_assert_not_null(helper);
    pacer_stop(pacer, PATIENCE_NS, &run);
    cr_assert_eq(sent(), 90);
    cr_assert_eq(run.errors[RESULT_MISSING], 0);
    crew_join(helper);
    see_moments(begin_ns, 400000);
}

Test(pacer, tells_what_was_planned_and_never_sent, .timeout = 100)
{
    uint64_t begin_ns;
    struct pacer *pacer;

    begin(2500, 90);
    atomic_store(&lanes[2].id, 0); /* Nobody is connected there. */
    pacer = start(&begin_ns, 0);
    wait_for(60);
    machine_pause_us(20000);
    pacer_stop(pacer, PATIENCE_NS, &run);
    cr_assert_eq(sent(), 60);
    cr_assert_eq(run.errors[RESULT_MISSING], 30);
}

/* The same with 50 of a warm-up, which nobody misses. */
Test(pacer, does_not_miss_what_was_not_measured, .timeout = 100)
{
    struct pacer *pacer;

    begin(2500, 90);
    plan.warmup_ms = 20;
    atomic_store(&lanes[2].id, 0);
    pacer = pacer_start(&load);
    cr_assert_not_null(pacer);
    machine_pause_us(30000);
    atomic_store(&load.begin_ns, clock_now_ns() + 20 * MS);
    atomic_store(&load.phase, LOAD_RUNNING);
    wait_for(94);
    machine_pause_us(20000);
    pacer_stop(pacer, PATIENCE_NS, &run);
    cr_assert_eq(sent(), 94);
    cr_assert_eq(atomic_load(&recorder.planned), 90);
    cr_assert_eq(run.errors[RESULT_MISSING], 30);
}

Test(pacer, blames_nobody_for_what_a_ctrl_c_cut_off, .timeout = 100)
{
    uint64_t begin_ns;
    struct pacer *pacer = start_with_a_full_lane(&begin_ns);

    atomic_store(&interrupted, true);
    pacer_stop(pacer, PATIENCE_NS, &run);
    cr_assert_eq(sent(), 64);
    cr_assert_eq(run.errors[RESULT_MISSING], 0);
}

/* 800 are planned within 200 ms, and take 16 s to send. */
static struct pacer *start_too_fast(void)
{
    struct pacer *pacer;
    uint64_t begin_ns;

    begin(4000, 0);
    send_us = 20000;
    pacer = start(&begin_ns, 200);
    machine_pause_us(250000);
    return pacer;
}

Test(pacer, has_an_end_where_it_cannot_send_as_fast_as_it_plans, .timeout = 100)
{
    struct pacer *pacer = start_too_fast();

    pacer_stop(pacer, 100 * MS, &run);
    cr_assert_lt(sent(), 800);
    cr_assert_eq(atomic_load(&recorder.planned), 800);
    cr_assert_eq(run.errors[RESULT_MISSING], 800 - sent());
}

Test(pacer, sends_nothing_more_for_a_run_that_is_cut_off, .timeout = 100)
{
    struct pacer *pacer = start_too_fast();

    pacer_stop(pacer, 0, &run);
    cr_assert_lt(sent(), 400);
    cr_assert_eq(run.errors[RESULT_MISSING], 0);
}
