/* SPDX-License-Identifier: MIT */
/* schedule.c - see schedule.h. */
#include "tests/sim/schedule.h"

#include "tests/sim/fiber.h"
#include "tests/sim/kernel.h"
#include "tests/sim/step.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"

#include <string.h>

enum { SCHEDULE_STEPS_MAX = 200000000, SCHEDULE_HELD_MAX = 400, SCHEDULE_TRIES = 4, SCHEDULE_JUMPS_MAX = 256 };

typedef enum schedule_state { THREAD_NONE, THREAD_READY, THREAD_BLOCKED, THREAD_ENDED } schedule_state;

typedef struct schedule_thread {
    sim_fiber *fiber; /* NULL: the program's own thread, or none. */
    void (*body)(void *argument);
    void *argument;
    schedule_state state;
    bool woken;
    uint32_t ready_at; /* In `ready`, while READY. */
    const void *on;    /* While BLOCKED. */
    uint64_t until_ns;
    uint64_t held_until; /* In switches. */
    uint64_t asked_ns;
} schedule_thread;

typedef struct schedule_jump {
    uint64_t from_ns;
    uint64_t ns;
} schedule_jump;

static schedule_thread threads[SIM_THREADS_MAX];
static uint32_t threads_used; /* Numbers from here on were never given. */
static uint32_t ready[SIM_THREADS_MAX];
static uint32_t ready_count;
static uint32_t self;
static uint64_t now_ns;
static uint64_t next_ns; /* No blocked thread's time comes before it. */
static uint64_t switches;
static schedule_jump jumps[SCHEDULE_JUMPS_MAX]; /* The latest. */
static uint32_t jumps_count;                    /* Of all. */
static uint32_t steps_left;                     /* Until a step lets others run. */

void (*sim_schedule_rests)(void);
uint32_t sim_locks_held[SIM_THREADS_MAX];
bool sim_schedule_looks;
uint32_t sim_stalled;

uint64_t sim_now_ns(void)
{
    return now_ns;
}

uint64_t sim_jumped_ns(uint64_t since_ns)
{
    uint64_t ns = 0;
    for (uint32_t i = jumps_count; i-- > 0 && jumps[i % SCHEDULE_JUMPS_MAX].from_ns >= since_ns;) {
        if (jumps_count - i == SCHEDULE_JUMPS_MAX) {
            return SIM_NEVER;
        }
        ns += jumps[i % SCHEDULE_JUMPS_MAX].ns;
    }
    return ns;
}

uint64_t sim_ask_ns(void)
{
    return threads[self].asked_ns = now_ns;
}

uint64_t sim_asked_ns(void)
{
    return threads[self].asked_ns;
}

uint32_t sim_self(void)
{
    return self;
}

static void schedule_make_ready(uint32_t number)
{
    schedule_thread *thread = &threads[number];
    thread->state = THREAD_READY;
    thread->ready_at = ready_count;
    ready[ready_count++] = number;
}

static void schedule_unready(uint32_t number, schedule_state state)
{
    schedule_thread *thread = &threads[number];
    uint32_t last = ready[--ready_count];
    ready[thread->ready_at] = last;
    threads[last].ready_at = thread->ready_at;
    thread->state = state;
}

static void schedule_draw_steps(void)
{
    uint32_t every = sim.rules.step_every;
    steps_left = every ? 1 + sim_below(2 * every - 1) : UINT32_MAX;
}

void sim_schedule_begin(void)
{
    for (uint32_t i = 1; i < threads_used; i++) {
        if (threads[i].fiber) {
            sim_fiber_destroy(threads[i].fiber);
        }
    }
    memset(threads, 0, sizeof threads[0] * (threads_used + 1));
    memset(sim_locks_held, 0, sizeof sim_locks_held);
    ready_count = 0;
    threads_used = 1;
    sim_stalled = 0;
    self = 0;
    switches = 0;
    jumps_count = 0;
    now_ns = UINT64_C(1000000000) + sim_random() % 1000000000;
    next_ns = SIM_NEVER;
    schedule_make_ready(0);
    schedule_draw_steps();
}

static void schedule_enter(void *argument)
{
    uint32_t number = (uint32_t) (uintptr_t) argument;
    schedule_thread *thread = &threads[number];
    thread->body(thread->argument);
    if (sim_locks_held[number] != 0) {
        sim_fail("thread %u ended with a lock in its hand", number);
    }
    schedule_unready(number, THREAD_ENDED);
    sim_wake_all(thread);
}

uint32_t sim_thread_start(void (*body)(void *argument), void *argument)
{
    uint32_t number = 1;
    while (number < threads_used && threads[number].state != THREAD_NONE) {
        number++;
    }
    SIM_MUST(number < SIM_THREADS_MAX);
    threads_used = number < threads_used ? threads_used : number + 1;
    threads[number] = (schedule_thread){.body = body, .argument = argument};
    threads[number].fiber = sim_fiber_create(schedule_enter, (void *) (uintptr_t) number);
    schedule_make_ready(number);
    return number;
}

void sim_thread_join(uint32_t number)
{
    schedule_thread *thread = &threads[number];
    SIM_MUST(number != self && number < threads_used && thread->state != THREAD_NONE);
    while (thread->state != THREAD_ENDED) {
        (void) sim_block(thread, SIM_NEVER);
    }
    thread->state = THREAD_NONE;
}

/* Wakes whose time has come. */
static void schedule_ring(void)
{
    if (now_ns < next_ns) {
        return;
    }
    next_ns = SIM_NEVER;
    for (uint32_t i = 0; i < threads_used; i++) {
        if (threads[i].state == THREAD_BLOCKED && threads[i].until_ns <= now_ns) {
            schedule_make_ready(i);
        } else if (threads[i].state == THREAD_BLOCKED && threads[i].until_ns < next_ns) {
            next_ns = threads[i].until_ns;
        }
    }
}

static void schedule_pass(uint64_t ns)
{
    now_ns += ns;
    sim_kernel_deliver();
    schedule_ring();
}

/* Nobody can run: the system does what it can, else the clock moves to what comes next. */
static void schedule_idle(void)
{
    if (sim_kernel_run()) {
        return;
    }
    if (sim_schedule_rests) {
        sim_schedule_looks = true;
        sim_schedule_rests();
        sim_schedule_looks = false;
    }
    uint64_t kernel_ns = sim_kernel_next_ns();
    uint64_t next = kernel_ns < next_ns ? kernel_ns : next_ns;
    if (next == SIM_NEVER) {
        sim_fail("a lost wake-up: every thread waits, nothing is under way, and no time will end it");
    }
    schedule_pass((next > now_ns ? next - now_ns : 0) + sim_below(2) * sim_below(2000));
}

static uint32_t schedule_choose(void)
{
    switches++;
    sim.step++;
    if (sim.step_max && sim.step > sim.step_max) {
        sim_fail("--steps: this is as far as it was to go");
    }
    if (sim.step > SCHEDULE_STEPS_MAX) {
        sim_fail("it does not come to an end: threads run, and nothing gets done");
    }
    schedule_pass(1 + sim_random() % sim.rules.tick_ns);
    if (sim_happens(sim.rules.jumps)) {
        schedule_jump jump = {now_ns, sim_random() % sim.rules.jump_ns};
        sim_trace("the clock jumps", 0, 0, 0);
        jumps[jumps_count++ % SCHEDULE_JUMPS_MAX] = jump;
        schedule_pass(jump.ns);
    }
    if (sim_happens(sim.rules.kernel_runs)) {
        (void) sim_kernel_run();
    }
    while (ready_count == 0) {
        schedule_idle();
    }
    uint32_t number = 0;
    for (int i = 0; i < SCHEDULE_TRIES; i++) {
        number = ready[sim_below(ready_count)];
        if (threads[number].held_until > switches) {
            continue;
        }
        if (!sim_happens(sim.rules.held)) {
            break;
        }
        threads[number].held_until = switches + 1 + sim_below(SCHEDULE_HELD_MAX);
    }
    return number;
}

/* On the program's own thread: the others run until it is chosen. */
static void schedule_run_others(void)
{
    for (;;) {
        uint32_t number = schedule_choose();
        self = number;
        if (number == 0) {
            return;
        }
        sim_fiber_resume(threads[number].fiber);
        self = 0;
        if (sim_fiber_has_ended(threads[number].fiber)) {
            sim_fiber_destroy(threads[number].fiber);
            threads[number].fiber = NULL;
        }
    }
}

void sim_yield(void)
{
    if (self == 0) {
        schedule_run_others();
    } else {
        sim_fiber_yield();
    }
    schedule_draw_steps();
}

bool sim_block(const void *on, uint64_t until_ns)
{
    schedule_thread *thread = &threads[self];
    if (until_ns <= now_ns) {
        sim_yield();
        return false;
    }
    thread->woken = false;
    thread->on = on;
    thread->until_ns = until_ns;
    next_ns = until_ns < next_ns ? until_ns : next_ns;
    schedule_unready(self, THREAD_BLOCKED);
    sim_yield();
    return thread->woken;
}

void sim_wake_all(const void *on)
{
    for (uint32_t i = 0; i < threads_used; i++) {
        if (threads[i].state == THREAD_BLOCKED && threads[i].on == on) {
            threads[i].woken = true;
            schedule_make_ready(i);
        }
    }
}

void sim_sleep_ns(uint64_t ns)
{
    static const char nobody;
    uint64_t until_ns = now_ns + ns;
    while (now_ns < until_ns) {
        (void) sim_block(&nobody, until_ns);
    }
}

static void schedule_stall(void)
{
    sim_stalled++;
    (void) sim_block(&sim_stalled, now_ns + 1 + sim_random() % sim.rules.stall_ns);
    sim_stalled--;
}

void sim_overtake(void)
{
    if (sim_happens(sim.rules.overtaken)) {
        schedule_stall();
    }
}

/* In the middle of something: others run, and perhaps a lot of them. */
static void schedule_interrupt(void)
{
    if (sim_happens(sim.rules.stalls)) {
        schedule_stall();
    } else {
        sim_yield();
    }
}

void sim_step(void)
{
    if (sim_schedule_looks) {
        return;
    }
    sim.step++;
    if (--steps_left == 0) {
        schedule_interrupt();
    }
}

bool sim_step_fails_weakly(void)
{
    return !sim_schedule_looks && sim_happens(sim.rules.weak_fails);
}

void sim_call_step(void)
{
    sim.step++;
    if (sim_happens(sim.rules.call_yields)) {
        schedule_interrupt();
    }
}
