/* SPDX-License-Identifier: MIT */
/*
 * test_party.c - the count: who takes the last one away finishes the party and opens the gate, once.
 */
#include "engine/conn/party.h"
#include "tests/support/aborts.h"
#include "tests/support/fake_os.h"

#include <criterion/criterion.h>

TestSuite(party, .timeout = 100);

static pp_party party;
static pp_hub hub;
static pp_gate gate;
static unsigned finished;

static void finish(pp_party *of)
{
    cr_assert_eq(of, &party);
    cr_assert_eq(gate.count, 1, "the gate opened before the end");
    finished += 1;
}

static void begin(void)
{
    pipeport_options options = {0};
    pipeport_events events = {0};
    party.finish = finish;
    pp_party_init(&party, &hub, &options, &events);
    pp_gate_init(&gate, 1);
    party.waiter = &gate;
}

Test(party, is_finished_by_who_takes_the_last_count_away)
{
    begin();
    pp_party_retain(&party);
    cr_assert(pp_party_retain_living(&party));
    pp_party_release(&party);
    pp_party_release(&party);
    cr_assert_eq(finished, 0);
    pp_party_release(&party);
    cr_assert_eq(finished, 1);
    cr_assert_eq(gate.count, 0);
    cr_assert_not(pp_party_retain_living(&party), "brought back to life");
}

Test(party, aborts_when_a_count_is_given_back_twice, TEST_ABORTS)
{
    begin();
    pp_party_release(&party);
    party.waiter = NULL;
    pp_party_release(&party);
}

Test(party, aborts_when_a_finished_one_is_retained, TEST_ABORTS)
{
    begin();
    pp_party_release(&party);
    pp_party_retain(&party);
}
