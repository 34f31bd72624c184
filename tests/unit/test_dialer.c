/* SPDX-License-Identifier: MIT */
/*
 * test_dialer.c - connecting: at once, after waiting, never; and being stopped in between.
 */
#include "tests/support/life.h"

#include <criterion/criterion.h>

TestSuite(dialer, .timeout = 100);

LIFE_TEST(dialer, connects_at_once_and_opens_on_a_worker)
{
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    cr_assert_eq(life.count, 0, "opened inside the call");
    life_settle();
    cr_assert_eq(life.count, 1);
    cr_assert_eq(life.failed, 0);
    life_stop_client();
    life_expect_end(life_newest(), PIPEPORT_STOPPED);
}

LIFE_TEST(dialer, answers_each_refusal_but_busy_at_once)
{
    static const pipeport_status faults[] = {PIPEPORT_NO_SERVER, PIPEPORT_DENIED, PIPEPORT_NO_MEMORY, PIPEPORT_SYSTEM};
    for (unsigned i = 0; i < sizeof faults / sizeof faults[0]; ++i) {
        fake_say(&fake.dials, faults[i], 1);
        cr_assert_eq(life_dial(), faults[i]);
        cr_assert_null(life.client);
        life_pass(10000);
    }
    cr_assert_eq(life.failed, 0);
    cr_assert_eq(fake.dials_called, 4);
}

LIFE_TEST(dialer, tries_again_while_every_instance_is_taken)
{
    fake_say(&fake.dials, PIPEPORT_BUSY, 7);
    uint64_t begin_ms = fake_os_ms;
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    while (life.count == 0) {
        life_pass(1);
    }
    cr_assert_eq(fake.dials_called, 8);
    cr_assert_eq(fake_os_ms - begin_ms, 1 + 2 + 4 + 8 + 16 + 32 + 50);
    cr_assert_eq(life.failed, 0);
}

LIFE_TEST(dialer, draws_each_wait_between_its_length_and_twice_that)
{
    static const uint32_t least[] = {1, 2, 4, 8, 16, 32, 50, 50, 50};
    for (fake_os_bits = 0; fake_os_bits < 120; ++fake_os_bits) {
        unsigned draws = fake_os_draws;
        fake_say(&fake.dials, PIPEPORT_BUSY, 20);
        cr_assert_eq(life_dial(), PIPEPORT_OK);
        for (unsigned i = 0; i < sizeof least / sizeof least[0]; ++i) {
            cr_assert_eq(fake_os_draws, draws + i + 1, "each wait is drawn anew");
            cr_assert_eq(life_next_try(), least[i] + fake_os_bits % (least[i] + 1));
        }
        life_stop_client();
        fake.dials = (fake_script){.count = 0};
    }
    fake_os_bits = 0;
}

LIFE_TEST(dialer, never_waits_past_its_time_whatever_is_drawn)
{
    for (uint32_t connect_ms = 1; connect_ms < 200; connect_ms += 7) {
        unsigned failed = life.failed;
        life_options.connect_ms = connect_ms;
        fake_os_bits = UINT64_MAX / 3;
        fake_say(&fake.dials, PIPEPORT_BUSY, FAKE_SCRIPT_MAX);
        cr_assert_eq(life_dial(), PIPEPORT_OK);
        life_pass(connect_ms - 1);
        cr_assert_eq(life.failed, failed, "before its time");
        life_pass(1);
        cr_assert_eq(life.failed, failed + 1, "after its time");
        cr_assert_eq(life.failed_why, PIPEPORT_BUSY);
        life_stop_client();
        fake.dials = (fake_script){.count = 0};
    }
    fake_os_bits = 0;
}

LIFE_TEST(dialer, fails_with_busy_when_its_time_is_over)
{
    life_options.connect_ms = 60;
    fake_say(&fake.dials, PIPEPORT_BUSY, FAKE_SCRIPT_MAX);
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_pass(59);
    cr_assert_eq(life.failed, 0);
    life_pass(1);
    cr_assert_eq(life.failed, 1);
    cr_assert_eq(life.failed_why, PIPEPORT_BUSY);
    cr_assert_eq(fake.dials_called, 1 + 5 + 1, "after 1, 2, 4, 8, 16 ms, and at the end");
    life_pass(10000);
    cr_assert_eq(life.failed, 1);
    cr_assert_eq(life.count, 0);
}

LIFE_TEST(dialer, fails_with_what_came_after_busy)
{
    fake_say(&fake.dials, PIPEPORT_BUSY, 2);
    fake_say(&fake.dials, PIPEPORT_NO_SERVER, 1);
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_pass(10);
    cr_assert_eq(life.failed, 1);
    cr_assert_eq(life.failed_why, PIPEPORT_NO_SERVER);
    cr_assert_eq(life.failed_code, 77);
}

LIFE_TEST(dialer, says_nothing_more_once_it_is_stopped)
{
    fake_say(&fake.dials, PIPEPORT_BUSY, FAKE_SCRIPT_MAX);
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_pass(10);
    unsigned dials = fake.dials_called;
    uint64_t begin_ms = fake_os_ms;
    pipeport_client_stop(life.client, 1000);
    life.client = NULL;
    cr_assert_eq(fake_os_ms, begin_ms, "it waited for its next try");
    life_pass(10000);
    cr_assert_eq(life.failed, 0);
    cr_assert_eq(fake.dials_called, dials);
}

LIFE_TEST(dialer, can_be_stopped_inside_failed)
{
    life.on_failed = life_stop_client;
    life_options.connect_ms = 5;
    fake_say(&fake.dials, PIPEPORT_BUSY, FAKE_SCRIPT_MAX);
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_pass(5);
    cr_assert_eq(life.failed, 1);
    cr_assert_null(life.client);
}

/* A worker tries again, fails, and its event stops the client, while the start has just set the deadline. */
LIFE_TEST(dialer, outlives_its_start_when_it_is_stopped_meanwhile)
{
    life.on_failed = life_stop_client;
    fake_say(&fake.dials, PIPEPORT_BUSY, 1);
    fake_say(&fake.dials, PIPEPORT_NO_SERVER, 1);
    fake.inside_wake = life_pass_elsewhere;
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    cr_assert_eq(life.failed, 1);
}
