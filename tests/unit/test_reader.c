/* SPDX-License-Identifier: MIT */
/*
 * test_reader.c - the read pump: what it asks for, when it is tired, and how it ends.
 */
#include "engine/conn/reader.h"
#include "tests/support/aborts.h"
#include "tests/support/fake_os.h"
#include "tests/support/fake_port.h"

#include <criterion/criterion.h>

TestSuite(reader, .timeout = 20);

static pp_memory memory;
static pp_pipe place;
static fake_pipe *pipe;
static pp_reader reader;
static const uint8_t *payload;
static uint32_t length, budget;

static void done(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    (void) drainer;
    pp_reader_home(&reader, result);
}

static void begin(void)
{
    fake_reset();
    pp_memory_init(&memory, 0);
    pipe = fake_pipe_open(&place, NULL);
    pp_reader_init(&reader, &place, &memory, 1000, done);
    budget = 100;
}

static void come_home(void)
{
    pp_completion completion;
    cr_assert_eq(pp_port_take(NULL, 0, 0, &completion, 1), 1);
    completion.op->done(completion.op, completion.result, NULL);
}

/* What is next once the reads that finish at once are behind us. */
static void expect(pp_reading reading)
{
    pp_reading got = PP_READING_CAME;
    while (got == PP_READING_CAME) {
        got = pp_reader_next(&reader, &budget, &payload, &length);
    }
    cr_assert_eq(got, reading, "reading %d", (int) got);
    cr_assert_eq(reader.armed, reading == PP_READING_ARMED);
    pp_inbox_check(&reader.inbox);
}

static void end(void)
{
    cr_assert_eq(fake.armed, fake.done);
    pp_reader_fini(&reader);
    cr_assert_eq(memory.bytes, 0);
    fake_reset();
}

Test(reader, arms_one_read_and_hands_out_what_it_brought)
{
    begin();
    expect(PP_READING_ARMED);
    fake_peer_sends_message(pipe, "ab", 2);
    come_home();
    expect(PP_READING_MESSAGE);
    cr_assert_eq(length, 2);
    cr_assert_eq(memcmp(payload, "ab", 2), 0);
    cr_assert_eq(reader.bytes, 6);
    fake_fail_read(pipe, PIPEPORT_GONE, 109);
    expect(PP_READING_ENDED);
    expect(PP_READING_ENDED);
    cr_assert_eq(reader.fault.status, PIPEPORT_GONE);
    cr_assert_eq(reader.fault.system_code, 109);
    end();
}

Test(reader, lets_its_owner_look_after_each_read_that_finished_at_once)
{
    begin();
    pipe->read_bytes_max = 3;
    fake_peer_sends_message(pipe, "ab", 2);
    cr_assert_eq(pp_reader_next(&reader, &budget, &payload, &length), PP_READING_CAME);
    cr_assert_eq(reader.bytes, 3);
    cr_assert_eq(pp_reader_next(&reader, &budget, &payload, &length), PP_READING_CAME);
    cr_assert_eq(reader.bytes, 6);
    cr_assert_eq(pp_reader_next(&reader, &budget, &payload, &length), PP_READING_MESSAGE);
    fake_fail_read(pipe, PIPEPORT_GONE, 109);
    expect(PP_READING_ENDED);
    end();
}

Test(reader, is_tired_when_its_budget_is_used_up_and_loses_nothing)
{
    begin();
    pipe->read_bytes_max = 1;
    fake_peer_sends_message(pipe, "ab", 2);
    budget = 5;
    expect(PP_READING_TIRED);
    cr_assert_eq(reader.bytes, 5);
    expect(PP_READING_TIRED);
    budget = 5;
    expect(PP_READING_MESSAGE);
    cr_assert_eq(budget, 4);
    expect(PP_READING_ARMED);
    fake_fail_read(pipe, PIPEPORT_STOPPED, 995);
    come_home();
    expect(PP_READING_ENDED);
    end();
}

Test(reader, hands_out_what_came_before_the_end)
{
    begin();
    fake_peer_sends_message(pipe, "ab", 2);
    fake_peer_sends_message(pipe, "cd", 2);
    fake_fail_read(pipe, PIPEPORT_GONE, 109);
    expect(PP_READING_MESSAGE);
    expect(PP_READING_MESSAGE);
    expect(PP_READING_ENDED);
    end();
}

Test(reader, ends_with_bad_peer_before_it_allocates)
{
    begin();
    fake_peer_sends(pipe, "\xE9\3\0\0", 4);
    expect(PP_READING_ENDED);
    cr_assert_eq(reader.fault.status, PIPEPORT_BAD_PEER);
    cr_assert_leq(memory.bytes_peak, PP_INBOX_IDLE_BYTES);
    end();
}

Test(reader, ends_with_no_memory)
{
    begin();
    memory.fail_after = 0;
    expect(PP_READING_ENDED);
    cr_assert_eq(reader.fault.status, PIPEPORT_NO_MEMORY);
    cr_assert_eq(pipe->reads, 0);
    end();
}

Test(reader, throws_away_what_comes_while_it_only_listens_for_the_end)
{
    begin();
    reader.dropping = true;
    for (int i = 0; i < 50; ++i) {
        fake_peer_sends(pipe, "\xFF\xFF\xFF\xFF nonsense", 13);
    }
    expect(PP_READING_ARMED);
    cr_assert_eq(reader.bytes, 650);
    fake_peer_goes(pipe);
    come_home();
    expect(PP_READING_ENDED);
    cr_assert_eq(reader.fault.status, PIPEPORT_GONE);
    end();
}

#ifndef NDEBUG
Test(reader, aborts_when_it_is_asked_while_a_read_is_armed, TEST_ABORTS)
{
    begin();
    expect(PP_READING_ARMED);
    (void) pp_reader_next(&reader, &budget, &payload, &length);
}
#endif
