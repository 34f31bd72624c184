/* SPDX-License-Identifier: MIT */
/*
 * test_steps_turn.c - the turn under every order of its steps: no duty is lost, one runs it at a time, and what was
 * stored before a duty was set is there when it runs.
 */
#include "engine/conn/turn.h"
#include "tests/steps/explore.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(steps, .timeout = 100);

enum { SUMMONERS = 2, DUTY_A = 2, DUTY_B = 4, DUTY_OWN = 8 };

static struct {
    pp_turn turn;
    uint32_t posted; /* The op is under way. */
    uint32_t running;
    bool goes_later;             /* The first run asks to be called again. */
    uint32_t runs;               /* The runner's. */
    uint32_t raised[SUMMONERS];  /* A summoner's, before it sets its duty. */
    uint32_t handled[SUMMONERS]; /* The runner's: what was raised when the duty ran. */
    uint32_t own;                /* The runner's: how often its own duty ran. */
    uint32_t summoned, summons;  /* Summoners that are done, of how many. */
    int pins;
} t;

void pp_worker_defer(pp_worker *worker, pp_op *chore)
{
    (void) worker;
    (void) chore;
    STEPS_ASSERT(!"nobody says that it is a worker");
}

void pp_port_post(pp_port *port, pp_op *op)
{
    (void) port;
    STEPS_ASSERT(op == &t.turn.op);
    steps_take(&t.posted, sizeof t.posted, NULL, NULL);
    STEPS_ASSERT(!t.posted);
    t.posted = 1;
}

static const pp_turn_owner owner;

static pp_port *up_port(pp_turn *of)
{
    (void) of;
    return NULL;
}

static void up_pin(pp_turn *turn)
{
    (void) turn;
    t.pins += 1;
}

static void up_unpin(pp_turn *turn, pp_worker *worker)
{
    (void) turn;
    (void) worker;
    t.pins -= 1;
}

static pp_turn_rest up_run(pp_turn *turn, uint32_t duties, pp_worker *worker)
{
    STEPS_ASSERT(!t.running);
    t.running = 1;
    t.runs += 1;
    for (uint32_t i = 0; i < SUMMONERS; ++i) {
        if (duties & (DUTY_A << i)) {
            t.handled[i] = t.raised[i];
        }
    }
    t.own += (duties & DUTY_OWN) != 0;
    if (t.runs == 1) {
        pp_turn_summon(turn, &owner, DUTY_OWN, worker);
    }
    steps_take(&t.running, sizeof t.running, NULL, NULL);
    t.running = 0;
    return t.goes_later && t.runs == 1 ? PP_TURN_LATER : PP_TURN_NOTHING;
}

static const pp_turn_owner owner = {up_port, up_pin, up_unpin, up_run};

static void turn_done(pp_op *op, pp_result result, void *drainer)
{
    static pp_worker worker;
    (void) result;
    (void) drainer;
    pp_turn_run((pp_turn *) ((char *) op - offsetof(pp_turn, op)), &owner, &worker);
}

static void begin(void)
{
    memset(&t, 0, sizeof t);
    pp_turn_init(&t.turn, turn_done, 0);
    t.summons = SUMMONERS;
    steps_name(&t.turn.word, "word");
    steps_name(&t.posted, "posted");
    steps_name(&t.running, "running");
}

static void begin_later(void)
{
    begin();
    t.goes_later = true;
}

static void summon(uint32_t who, uint32_t times)
{
    for (uint32_t i = 0; i < times; ++i) {
        t.raised[who] += 1;
        pp_turn_summon(&t.turn, &owner, (uint32_t) DUTY_A << who, NULL);
    }
    t.summoned += 1;
}

static void a_summons(void)
{
    summon(0, 1);
}

static void a_summons_twice(void)
{
    summon(0, 2);
}

static void b_summons_twice(void)
{
    summon(1, 2);
}

static bool is_posted_or_over(void *argument)
{
    (void) argument;
    return t.posted ||
           (t.summoned == t.summons && t.own == 1 && !t.running && memcmp(t.raised, t.handled, sizeof t.raised) == 0);
}

/* Two of these are two drainers of one port. */
static void works(void)
{
    for (;;) {
        steps_wait(is_posted_or_over, NULL);
        if (!t.posted) {
            return;
        }
        t.posted = 0;
        t.turn.op.done(&t.turn.op, (pp_result){{PIPEPORT_OK, 0}, 0, 0}, NULL);
    }
}

static void end(void)
{
    STEPS_ASSERT(memcmp(t.raised, t.handled, sizeof t.raised) == 0);
    STEPS_ASSERT(t.own == 1 && !t.posted && t.pins == 0);
    STEPS_ASSERT(*(const uint32_t *) (const void *) &t.turn.word == 0);
}

Test(steps, turn_summoned_by_two)
{
    const steps_scenario scenario = {.name = "turn: two summon twice, two work",
                                     .begin = begin,
                                     .fibers = {a_summons_twice, b_summons_twice, works, works},
                                     .end = end};
    cr_assert_gt(steps_explore(&scenario), 1000);
}

Test(steps, turn_that_goes_behind)
{
    const steps_scenario scenario = {.name = "turn: one summons, one summons twice, two work, once it asks for later",
                                     .begin = begin_later,
                                     .fibers = {a_summons, b_summons_twice, works, works},
                                     .end = end};
    cr_assert_gt(steps_explore(&scenario), 1000);
}
