/* SPDX-License-Identifier: MIT */
/*
 * test_steps_message.c - a message's count under every order of its steps: freed once, by the last, and never before.
 */
#include "engine/flow/message.h"
#include "tests/steps/explore.h"

#include <criterion/criterion.h>

TestSuite(steps, .timeout = 100);

enum { PAYLOAD_BYTES = 4, COUNTS = 3 };

static pp_memory memory;
static pp_message *message, *fan;

static void begin(void)
{
    steps_heap_reset();
    pp_memory_init(&memory, 0);
    message = pp_message_create(&memory, &pp_framing_default, PAYLOAD_BYTES, 1);
    fan = pp_message_fan(message, 1);
    pp_message_retain(message, COUNTS - 1);
    steps_name(&message->count, "count");
    steps_name(&fan->count, "fan's count");
}

/* What somebody may rely on who holds a count. */
static void read_it(const pp_message *held)
{
    STEPS_ASSERT(held->payload_bytes == PAYLOAD_BYTES);
}

static void releases(void)
{
    read_it(message);
    pp_message_release(message, 1);
}

static void retains_and_releases(void)
{
    pp_message_retain(message, 2);
    pp_message_release(message, 1);
    read_it(message);
    pp_message_release(message, 2);
}

static void uses_the_fan(void)
{
    pp_message_retain(fan, 1);
    pp_message_release(fan, 1);
    read_it(fan);
    pp_message_release(fan, 1);
}

static void end(void)
{
    STEPS_ASSERT(steps_heap_blocks() == 0);
}

Test(steps, message_released_by_four)
{
    const steps_scenario scenario = {.name = "message: two release, one retains, one has a fan",
                                     .begin = begin,
                                     .fibers = {releases, releases, retains_and_releases, uses_the_fan},
                                     .end = end};
    cr_assert_gt(steps_explore(&scenario), 1000);
}
