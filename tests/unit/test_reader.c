/* SPDX-License-Identifier: MIT */
/*
 * test_reader.c - the read pump: what it asks for, when it is tired, and how it ends.
 */
#include "engine/conn/reader.h"
#include "tests/support/aborts.h"
#include "tests/support/fake_os.h"
#include "tests/support/fake_port.h"

#include <criterion/criterion.h>

TestSuite(reader, .timeout = 100);

static pp_memory memory;
static pp_pipe place;
static fake_pipe *pipe;
static pp_reader reader;
static pp_spare spare;
static pp_reader_means means;
static const uint8_t *payload;
static uint32_t length, budget;

static void done(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    (void) drainer;
    pp_reader_home(&reader, result);
}

static void begin(bool awaits)
{
    fake_reset();
    fake.can_await = awaits;
    pp_memory_init(&memory, 0);
    pipe = fake_pipe_open(&place, NULL);
    means = (pp_reader_means){&place, {&memory, awaits ? &spare : NULL, &pp_framing_default, 1000}};
    pp_reader_init(&reader, NULL, done);
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
        got = pp_reader_next(&reader, &means, &budget, &payload, &length);
    }
    cr_assert_eq(got, reading, "reading %d", (int) got);
    cr_assert_eq(reader.armed, reading == PP_READING_ARMED);
    pp_inbox_check(&reader.inbox);
    if (got != PP_READING_MESSAGE) {
        pp_reader_rest(&reader, &means);
        cr_assert(!reader.inbox.borrowed, "the spare block was kept");
    }
}

static void end(void)
{
    cr_assert_eq(fake.armed, fake.done);
    pp_reader_fini(&reader, &memory);
    pp_spare_fini(&spare);
    cr_assert_eq(memory.bytes, 0);
    fake_reset();
}

static void end_with_the_peer(void)
{
    fake_peer_goes(pipe);
    come_home();
    expect(PP_READING_ENDED);
    end();
}

/* A test on a port that can await, and on one that cannot. */
#define READER_TEST(name)                                                                                              \
    static void reader_##name##_body(void);                                                                            \
    Test(reader, name)                                                                                                 \
    {                                                                                                                  \
        for (int awaits = 0; awaits < 2; ++awaits) {                                                                   \
            begin(awaits);                                                                                             \
            reader_##name##_body();                                                                                    \
            end();                                                                                                     \
        }                                                                                                              \
    }                                                                                                                  \
    static void reader_##name##_body(void)

READER_TEST(arms_one_read_and_hands_out_what_it_brought)
{
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
    cr_assert_eq(pp_reader_fault(&reader).status, PIPEPORT_GONE);
    cr_assert_eq(pp_reader_fault(&reader).system_code, 109);
}

READER_TEST(lets_its_owner_look_after_each_read_that_finished_at_once)
{
    pipe->read_bytes_max = 3;
    fake_peer_sends_message(pipe, "ab", 2);
    cr_assert_eq(pp_reader_next(&reader, &means, &budget, &payload, &length), PP_READING_CAME);
    cr_assert_eq(reader.bytes, 3);
    cr_assert_eq(pp_reader_next(&reader, &means, &budget, &payload, &length), PP_READING_CAME);
    cr_assert_eq(reader.bytes, 6);
    cr_assert_eq(pp_reader_next(&reader, &means, &budget, &payload, &length), PP_READING_MESSAGE);
    fake_fail_read(pipe, PIPEPORT_GONE, 109);
    expect(PP_READING_ENDED);
}

READER_TEST(is_tired_when_its_budget_is_used_up_and_loses_nothing)
{
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
}

READER_TEST(hands_out_what_came_before_the_end)
{
    fake_peer_sends_message(pipe, "ab", 2);
    fake_peer_sends_message(pipe, "cd", 2);
    fake_fail_read(pipe, PIPEPORT_GONE, 109);
    expect(PP_READING_MESSAGE);
    expect(PP_READING_MESSAGE);
    expect(PP_READING_ENDED);
}

READER_TEST(ends_with_bad_peer_before_it_allocates)
{
    fake_peer_sends(pipe, "\xE9\3\0\0", 4);
    expect(PP_READING_ENDED);
    cr_assert_eq(pp_reader_fault(&reader).status, PIPEPORT_BAD_PEER);
    cr_assert_leq(memory.bytes_peak, reader.awaits ? PP_SPARE_BYTES : PP_INBOX_IDLE_BYTES);
}

READER_TEST(ends_with_no_memory)
{
    if (reader.awaits) { /* Nothing is needed to wait. */
        expect(PP_READING_ARMED);
        fake_peer_sends_message(pipe, "ab", 2);
        come_home();
    }
    memory.fail_after = 0;
    expect(PP_READING_ENDED);
    cr_assert_eq(pp_reader_fault(&reader).status, PIPEPORT_NO_MEMORY);
    cr_assert_eq(pipe->reads, 0);
}

READER_TEST(throws_away_what_comes_while_it_only_listens_for_the_end)
{
    reader.dropping = true;
    for (int i = 0; i < 50; ++i) {
        fake_peer_sends(pipe, "\xFF\xFF\xFF\xFF nonsense", 13);
    }
    expect(PP_READING_ARMED);
    cr_assert_eq(reader.bytes, 650);
    fake_peer_goes(pipe);
    come_home();
    expect(PP_READING_ENDED);
    cr_assert_eq(pp_reader_fault(&reader).status, PIPEPORT_GONE);
}

/* No room is made for a message that nobody wants, and no message is so long that nothing behind it is heard. */
READER_TEST(throws_away_messages_that_lack_room_while_it_only_listens_for_the_end)
{
    static const pp_framing whole = {.kind = PP_FRAMING_MESSAGE};
    static const uint8_t data[3 * PP_SPARE_BYTES];
    means.inbox.framing = &whole;
    pipe->whole = true;
    fake.gathers = reader.awaits;
    reader.dropping = true;
    fake_peer_says(pipe, "a", 1);
    fake_peer_says(pipe, data, sizeof data);
    fake_peer_says(pipe, data, sizeof data);
    fake_peer_says(pipe, "b", 1);
    budget = reader.awaits ? 10 : UINT32_MAX;
    expect(PP_READING_ARMED);
    cr_assert_leq(memory.bytes_peak, PP_SPARE_BYTES);
    fake_peer_goes(pipe);
    come_home();
    expect(PP_READING_ENDED);
    cr_assert_eq(pp_reader_fault(&reader).status, PIPEPORT_GONE);
}

/* ---- Where the port can await ---- */

static void begin_awaiting(void)
{
    begin(true);
    expect(PP_READING_ARMED);
    cr_assert_eq(memory.bytes, 0, "a block while it waits for the first time");
}

/* What the reader holds besides the spare. */
static uint64_t held(void)
{
    return memory.bytes - (spare.block ? PP_SPARE_BYTES : 0);
}

/* "hel" has come; nothing is held once the message was handed out. */
static void end_with_the_rest_of_hello(void)
{
    fake_peer_sends(pipe, "lo", 2);
    come_home();
    expect(PP_READING_MESSAGE);
    cr_assert_eq(memcmp(payload, "hello", 5), 0);
    expect(PP_READING_ARMED);
    cr_assert_eq(held(), 0);
    end_with_the_peer();
}

Test(reader, waits_without_a_block_after_whole_messages)
{
    begin_awaiting();
    for (int i = 0; i < 3; ++i) {
        fake_peer_sends_message(pipe, "ab", 2);
        fake_peer_sends_message(pipe, "cd", 2);
        come_home();
        expect(PP_READING_MESSAGE);
        expect(PP_READING_MESSAGE);
        expect(PP_READING_ARMED);
        cr_assert_eq(held(), 0);
    }
    cr_assert_eq(memory.taken, 1, "%u blocks for messages that came whole", (unsigned) memory.taken);
    cr_assert_eq(pipe->reads, 3, "a read for nothing");
    end_with_the_peer();
}

Test(reader, keeps_a_part_in_a_block_as_small_as_it_is)
{
    begin_awaiting();
    fake_peer_sends(pipe, "\5\0\0\0hel", 7);
    come_home();
    expect(PP_READING_ARMED);
    cr_assert_eq(held(), 7);
    end_with_the_rest_of_hello();
}

/* One in a block of its own would bring the others one by one, each in a block that ends a little behind it. */
Test(reader, receives_what_comes_behind_the_rest_of_a_frame_with_it)
{
    enum { FRAMES = 7, FRAME = 4 + 8192, BEGUN = 500 };
    static uint8_t stream[FRAMES * FRAME];
    begin(true);
    means.inbox.payload_bytes_max = FRAME - 4;
    for (int i = 0; i < FRAMES; ++i) {
        stream[i * FRAME + 1] = (FRAME - 4) >> 8;
        stream[i * FRAME + 4] = (uint8_t) i;
    }
    expect(PP_READING_ARMED);
    fake_peer_sends(pipe, stream, BEGUN);
    come_home();
    expect(PP_READING_ARMED);
    cr_assert_eq(held(), BEGUN);
    fake_peer_sends(pipe, stream + BEGUN, sizeof stream - BEGUN);
    come_home();
    for (int i = 0; i < FRAMES; ++i) {
        expect(PP_READING_MESSAGE);
        cr_assert_eq(length, FRAME - 4);
        cr_assert_eq(*payload, i);
    }
    expect(PP_READING_ARMED);
    cr_assert_eq(pipe->reads, 2);
    cr_assert_eq(held(), 0);
    end_with_the_peer();
}

Test(reader, receives_a_long_frame_straight_into_its_own_block)
{
    static uint8_t frame[4 + 50000] = {0x50, 0xC3};
    begin(true);
    means.inbox.payload_bytes_max = 50000;
    expect(PP_READING_ARMED);
    fake_peer_sends(pipe, frame, 10000);
    come_home();
    expect(PP_READING_ARMED);
    cr_assert_eq(held(), sizeof frame + PP_INBOX_AFTER_BYTES);
    const uint8_t *block = reader.inbox.block;
    fake_peer_sends(pipe, frame + 10000, sizeof frame - 10000);
    fake_peer_sends(pipe, "\1", 1); /* Of the next one. */
    come_home();
    expect(PP_READING_MESSAGE);
    cr_assert_eq(length, 50000);
    cr_assert_eq(payload, block + 4, "copied");
    expect(PP_READING_ARMED);
    fake_peer_sends(pipe, "\0\0\0x", 4);
    come_home();
    expect(PP_READING_MESSAGE);
    cr_assert_eq(*payload, 'x');
    expect(PP_READING_ARMED);
    cr_assert_eq(held(), 0);
    end_with_the_peer();
}

Test(reader, takes_undelivered_messages_along_when_the_spare_goes_back)
{
    begin_awaiting();
    fake_peer_sends_message(pipe, "ab", 2);
    fake_peer_sends_message(pipe, "cd", 2);
    fake_peer_sends_message(pipe, "ef", 2);
    come_home();
    expect(PP_READING_MESSAGE);
    pp_reader_rest(&reader, &means); /* As a pause in the middle. */
    cr_assert_eq(held(), 12);
    memset(spare.block, 0xEE, PP_SPARE_BYTES);
    expect(PP_READING_MESSAGE);
    cr_assert_eq(memcmp(payload, "cd", 2), 0);
    expect(PP_READING_MESSAGE);
    expect(PP_READING_ARMED);
    cr_assert_eq(held(), 0);
    end_with_the_peer();
}

Test(reader, keeps_the_block_where_there_is_no_memory_to_move_to)
{
    begin_awaiting();
    fake_peer_sends(pipe, "\5\0\0\0hel", 7);
    come_home();
    cr_assert_eq(pp_reader_next(&reader, &means, &budget, &payload, &length), PP_READING_CAME);
    memory.fail_after = 0;
    cr_assert_eq(pp_reader_next(&reader, &means, &budget, &payload, &length), PP_READING_ARMED);
    pp_reader_rest(&reader, &means);
    cr_assert_null(spare.block);
    cr_assert_eq(memory.bytes, PP_SPARE_BYTES);
    memory.fail_after = UINT64_MAX;
    end_with_the_rest_of_hello();
}

Test(reader, minds_no_await_that_came_for_nothing)
{
    begin_awaiting();
    fake_await_lies(pipe);
    come_home();
    expect(PP_READING_ARMED);
    cr_assert_eq(held(), 0);
    fake_peer_sends_message(pipe, "ab", 2);
    come_home();
    expect(PP_READING_MESSAGE);
    fake_peer_goes(pipe);
    expect(PP_READING_ENDED);
    end();
}

#ifndef NDEBUG
Test(reader, aborts_when_it_is_asked_while_a_read_is_armed, TEST_ABORTS)
{
    begin(true);
    expect(PP_READING_ARMED);
    (void) pp_reader_next(&reader, &means, &budget, &payload, &length);
}
#endif
