/* SPDX-License-Identifier: MIT */
/*
 * test_inbox.c - the blocks an inbox receives into: when they grow, shrink, move, and what happens without memory.
 * That cutting the stream changes nothing, test_inbox_cuts.c shows.
 */
#include "engine/flow/inbox.h"
#include "tests/support/default_frame.h"
#include "tests/support/aborts.h"

#include <criterion/criterion.h>

#include <string.h>

enum { INBOX_BOUND = 100000 };

static pp_memory memory;
static const pp_inbox_means means = {
    .memory = &memory, .framing = &pp_framing_default, .payload_bytes_max = INBOX_BOUND};
static pp_inbox inbox;
static uint8_t *room;
static uint32_t room_bytes;
static const uint8_t *payload;
static uint32_t length;

static void inbox_set_up(void)
{
    pp_memory_init(&memory, 0);
    pp_inbox_init(&inbox);
    pp_inbox_check(&inbox);
}

static void inbox_tear_down(void)
{
    pp_inbox_fini(&inbox, &memory);
    pp_inbox_check(&inbox);
    pp_memory_check(&memory);
    cr_assert_eq(atomic_load(&memory.bytes), 0);
}

TestSuite(inbox, .init = inbox_set_up, .fini = inbox_tear_down, .timeout = 100);

static void inbox_ask_room(void)
{
    cr_assert_eq(pp_inbox_room(&inbox, &means, &room, &room_bytes), PIPEPORT_OK);
    pp_inbox_check(&inbox);
    cr_assert_geq(room_bytes, 1);
}

static void inbox_fill(uint32_t bytes)
{
    pp_inbox_filled(&inbox, bytes, 0);
    pp_inbox_check(&inbox);
}

static void inbox_expect(pp_inbox_verdict expected)
{
    pp_inbox_verdict verdict = pp_inbox_next(&inbox, &means, &payload, &length);
    pp_inbox_check(&inbox);
    cr_assert_eq(verdict, expected);
}

/* One read that brings whole frames of `payload_bytes` each, delivered at once. */
static void inbox_receive(uint32_t frames, uint32_t payload_bytes)
{
    uint32_t bytes = 0;
    inbox_ask_room();
    for (uint32_t i = 0; i < frames; i++) {
        frame_write_header(room + bytes, payload_bytes);
        bytes += FRAME_HEADER_BYTES + payload_bytes;
    }
    cr_assert_leq(bytes, room_bytes);
    inbox_fill(bytes);
    for (uint32_t i = 0; i < frames; i++) {
        inbox_expect(PP_INBOX_MESSAGE);
        cr_assert_eq(length, payload_bytes);
    }
    inbox_expect(PP_INBOX_MORE);
}

/* A read that brings only the beginning of a frame. */
static void inbox_receive_part(uint32_t payload_bytes, uint32_t bytes)
{
    inbox_ask_room();
    cr_assert_leq(bytes, room_bytes);
    frame_write_header(room, payload_bytes);
    inbox_fill(bytes);
    inbox_expect(PP_INBOX_MORE);
}

/* A read that fills all the room with one frame, or with as many empty ones as fit. */
static void inbox_receive_all_the_room(void)
{
    inbox_ask_room();
    inbox_receive(1, room_bytes - FRAME_HEADER_BYTES);
}

static void inbox_grow_to(uint32_t bytes)
{
    while (pp_inbox_appetite_bytes(&inbox) < bytes) {
        inbox_receive_all_the_room();
    }
    inbox_ask_room();
    cr_assert_eq(inbox.block_bytes, bytes);
}

Test(inbox, takes_no_memory_before_it_is_asked_for_room)
{
    inbox_expect(PP_INBOX_MORE);
    cr_assert_eq(atomic_load(&memory.taken), 0);
    inbox_ask_room();
    cr_assert_eq(room_bytes, PP_INBOX_IDLE_BYTES);
    cr_assert_eq(atomic_load(&memory.bytes), PP_INBOX_IDLE_BYTES);
}

Test(inbox, delivers_where_the_bytes_lie)
{
    inbox_ask_room();
    memcpy(room, "\2\0\0\0hi\0\0\0\0\3\0\0\0you", 17);
    inbox_fill(17);
    inbox_expect(PP_INBOX_MESSAGE);
    cr_assert_eq(payload, room + 4);
    cr_assert_eq(length, 2);
    inbox_expect(PP_INBOX_MESSAGE);
    cr_assert_not_null(payload);
    cr_assert_eq(length, 0);
    inbox_expect(PP_INBOX_MESSAGE);
    cr_assert_eq(payload, room + 14);
    cr_assert_eq(length, 3);
    inbox_expect(PP_INBOX_MORE);
}

Test(inbox, delivers_an_empty_message_at_the_very_end_of_its_block)
{
    inbox_receive(1, PP_INBOX_IDLE_BYTES - 2 * FRAME_HEADER_BYTES);
    inbox_ask_room();
    inbox_receive(PP_INBOX_IDLE_BYTES / FRAME_HEADER_BYTES, 0);
    cr_assert_eq(payload, inbox.block + inbox.block_bytes);
}

Test(inbox, uses_the_same_block_again_for_traffic_of_the_same_kind)
{
    for (int i = 0; i < 1000; i++) {
        inbox_receive(1, 64);
    }
    cr_assert_eq(atomic_load(&memory.taken), 1);
}

Test(inbox, grows_when_reads_fill_it_and_no_further_than_its_most)
{
    inbox_grow_to(PP_INBOX_IDLE_BYTES * 8);
    inbox_grow_to(PP_INBOX_IDLE_BYTES * 64);
    inbox_grow_to(PP_INBOX_BUSY_BYTES);
    inbox_receive_all_the_room();
    inbox_receive_all_the_room();
    inbox_ask_room();
    cr_assert_eq(inbox.block_bytes, PP_INBOX_BUSY_BYTES);
}

Test(inbox, holds_a_payload_of_64_kib_in_its_largest_ordinary_block)
{
    inbox_grow_to(PP_INBOX_BUSY_BYTES);
    uint64_t taken = atomic_load(&memory.taken);
    for (int i = 0; i < 100; i++) {
        inbox_receive(1, 64 * 1024);
    }
    cr_assert_eq(atomic_load(&memory.taken), taken);
}

Test(inbox, shrinks_after_a_run_of_lean_reads)
{
    inbox_grow_to(PP_INBOX_IDLE_BYTES * 64);
    for (int i = 0; i < PP_INBOX_LEAN_READS - 1; i++) {
        inbox_receive(1, 10);
    }
    inbox_receive(8, PP_INBOX_IDLE_BYTES); /* One fat read, and the run begins anew. */
    for (int i = 0; i < PP_INBOX_LEAN_READS - 1; i++) {
        inbox_receive(1, 10);
    }
    inbox_ask_room();
    cr_assert_eq(inbox.block_bytes, PP_INBOX_IDLE_BYTES * 64);
    inbox_receive(1, 10);
    inbox_ask_room();
    cr_assert_eq(inbox.block_bytes, PP_INBOX_IDLE_BYTES * 8);
    for (int i = 0; i < 3 * PP_INBOX_LEAN_READS; i++) {
        inbox_receive(1, 10);
    }
    inbox_ask_room();
    cr_assert_eq(inbox.block_bytes, PP_INBOX_IDLE_BYTES); /* And no further. */
}

Test(inbox, shrinks_only_when_nothing_is_undelivered)
{
    inbox_grow_to(PP_INBOX_IDLE_BYTES * 8);
    inbox_receive_part(100, 10);
    for (int i = 0; i < PP_INBOX_LEAN_READS; i++) {
        inbox_ask_room();
        inbox_fill(1);
        inbox_expect(PP_INBOX_MORE);
    }
    inbox_ask_room();
    cr_assert_eq(inbox.block_bytes, PP_INBOX_IDLE_BYTES * 8);
    inbox_fill(FRAME_HEADER_BYTES + 100 - 10 - PP_INBOX_LEAN_READS);
    inbox_expect(PP_INBOX_MESSAGE);
    inbox_ask_room();
    cr_assert_eq(inbox.block_bytes, PP_INBOX_IDLE_BYTES);
}

Test(inbox, gives_a_long_frame_a_block_exactly_as_long)
{
    inbox_receive_part(INBOX_BOUND, 10);
    inbox_ask_room();
    cr_assert_eq(inbox.block_bytes, FRAME_HEADER_BYTES + INBOX_BOUND);
    cr_assert_eq(room_bytes, FRAME_HEADER_BYTES + INBOX_BOUND - 10);
    cr_assert_eq(atomic_load(&memory.bytes), inbox.block_bytes); /* The old block is back. */
    uint8_t *first = room;
    inbox_fill(50000);
    inbox_expect(PP_INBOX_MORE);
    inbox_ask_room();
    cr_assert_eq(room, first + 50000);
    inbox_fill(room_bytes);
    inbox_expect(PP_INBOX_MESSAGE);
    cr_assert_eq(length, INBOX_BOUND);
    inbox_expect(PP_INBOX_MORE);
    inbox_ask_room();
    cr_assert_eq(inbox.block_bytes, PP_INBOX_IDLE_BYTES);
    cr_assert_eq(atomic_load(&memory.bytes), PP_INBOX_IDLE_BYTES);
}

Test(inbox, makes_room_in_front_of_a_part_that_waits_at_the_end)
{
    inbox_ask_room();
    frame_write_header(room, 144);
    frame_write_header(room + 148, 80); /* 148 + 84 = 232 of 256 */
    inbox_fill(228);
    inbox_expect(PP_INBOX_MESSAGE);
    inbox_expect(PP_INBOX_MORE);
    inbox_ask_room();
    cr_assert_eq(inbox.start, 0);
    cr_assert_eq(room_bytes, PP_INBOX_IDLE_BYTES - 80);
    cr_assert_eq(atomic_load(&memory.taken), 1);
}

Test(inbox, leaves_a_part_where_it_is_while_there_is_room)
{
    inbox_ask_room();
    frame_write_header(room, 80);
    frame_write_header(room + 84, 80);
    inbox_fill(100);
    inbox_expect(PP_INBOX_MESSAGE);
    inbox_expect(PP_INBOX_MORE);
    inbox_ask_room();
    cr_assert_eq(inbox.start, 84);
    cr_assert_eq(room_bytes, PP_INBOX_IDLE_BYTES - 100);
}

Test(inbox, refuses_a_length_above_the_bound_before_it_allocates)
{
    static const uint32_t lengths[] = {INBOX_BOUND + 1, 1 << 30, UINT32_MAX};
    for (int i = 0; i < 3; i++) {
        pp_inbox fresh;
        pp_inbox_init(&fresh);
        cr_assert_eq(pp_inbox_room(&fresh, &means, &room, &room_bytes), PIPEPORT_OK);
        uint64_t taken = atomic_load(&memory.taken);
        frame_write_header(room, lengths[i]);
        for (int byte = 0; byte < FRAME_HEADER_BYTES; byte++) {
            cr_assert_eq(pp_inbox_next(&fresh, &means, &payload, &length), PP_INBOX_MORE);
            cr_assert_eq(pp_inbox_room(&fresh, &means, &room, &room_bytes), PIPEPORT_OK);
            pp_inbox_filled(&fresh, 1, 0);
        }
        cr_assert_eq(pp_inbox_next(&fresh, &means, &payload, &length), PP_INBOX_REFUSED);
        cr_assert_eq(atomic_load(&memory.taken), taken);
        cr_assert_eq(atomic_load(&memory.bytes), PP_INBOX_IDLE_BYTES);
        pp_inbox_fini(&fresh, &memory);
    }
}

Test(inbox, delivers_what_came_before_the_refused_and_nothing_after)
{
    inbox_ask_room();
    memcpy(room, "\1\0\0\0a\377\377\377\377\1\0\0\0b", 14);
    inbox_fill(14);
    inbox_expect(PP_INBOX_MESSAGE);
    inbox_expect(PP_INBOX_REFUSED);
    inbox_expect(PP_INBOX_REFUSED);
    inbox_ask_room();
    memcpy(room, "\1\0\0\0c", 5);
    inbox_fill(5);
    inbox_expect(PP_INBOX_REFUSED);
    pp_inbox_drop(&inbox);
    inbox_expect(PP_INBOX_REFUSED);
}

Test(inbox, drops_what_is_there_and_what_will_come)
{
    inbox_ask_room();
    memcpy(room, "\1\0\0\0a\1\0\0\0b", 10);
    inbox_fill(10);
    inbox_expect(PP_INBOX_MESSAGE);
    pp_inbox_drop(&inbox);
    pp_inbox_check(&inbox);
    cr_assert_eq(*payload, 'a'); /* Still lent to whoever handles it. */
    inbox_expect(PP_INBOX_MORE);
    for (int i = 0; i < 3; i++) {
        inbox_ask_room();
        memset(room, 0xff, room_bytes); /* Neither a message nor refused: nobody looks any more. */
        inbox_fill(room_bytes);
        inbox_expect(PP_INBOX_MORE);
    }
    cr_assert_eq(inbox.block_bytes, PP_INBOX_IDLE_BYTES);
}

Test(inbox, may_drop_while_its_room_is_lent)
{
    inbox_receive_part(INBOX_BOUND, 10);
    inbox_ask_room();
    pp_inbox_drop(&inbox);
    pp_inbox_check(&inbox);
    memset(room, 0xff, room_bytes); /* The system still writes. */
    inbox_fill(room_bytes);
    inbox_expect(PP_INBOX_MORE);
    inbox_ask_room();
    cr_assert_eq(inbox.block_bytes, PP_INBOX_IDLE_BYTES);
}

Test(inbox, minds_no_read_of_nothing)
{
    inbox_grow_to(PP_INBOX_IDLE_BYTES * 8);
    for (int i = 0; i < 3 * PP_INBOX_LEAN_READS; i++) {
        inbox_ask_room();
        inbox_fill(0);
        inbox_expect(PP_INBOX_MORE);
    }
    cr_assert_eq(inbox.block_bytes, PP_INBOX_IDLE_BYTES * 8);
}

Test(inbox, loses_nothing_when_a_long_frame_finds_no_memory)
{
    inbox_receive_part(1000, 100);
    memset(inbox.block + 4, 7, 96);
    atomic_store(&memory.fail_after, 0);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(pp_inbox_room(&inbox, &means, &room, &room_bytes), PIPEPORT_NO_MEMORY);
        pp_inbox_check(&inbox);
        inbox_expect(PP_INBOX_MORE);
    }
    atomic_store(&memory.fail_after, UINT64_MAX);
    inbox_ask_room();
    memset(room, 7, room_bytes);
    inbox_fill(room_bytes);
    inbox_expect(PP_INBOX_MESSAGE);
    cr_assert_eq(length, 1000);
    for (uint32_t i = 0; i < length; i++) {
        cr_assert_eq(payload[i], 7);
    }
}

Test(inbox, goes_on_with_the_block_it_has_when_it_cannot_grow)
{
    inbox_receive_all_the_room();
    atomic_store(&memory.fail_after, 0);
    inbox_receive_all_the_room();
    cr_assert_eq(inbox.block_bytes, PP_INBOX_IDLE_BYTES);
    atomic_store(&memory.fail_after, UINT64_MAX);
    inbox_ask_room();
    cr_assert_gt(inbox.block_bytes, PP_INBOX_IDLE_BYTES);
}

Test(inbox, gets_its_small_block_at_the_bound_of_all_memory)
{
    memory.bytes_max = PP_INBOX_IDLE_BYTES + FRAME_HEADER_BYTES + INBOX_BOUND;
    inbox_receive_part(INBOX_BOUND, 10);
    inbox_ask_room();
    inbox_fill(room_bytes);
    inbox_expect(PP_INBOX_MESSAGE);
    void *others = pp_memory_take(&memory, PP_INBOX_IDLE_BYTES);
    inbox_ask_room();
    cr_assert_eq(inbox.block_bytes, PP_INBOX_IDLE_BYTES);
    pp_memory_give(&memory, others, PP_INBOX_IDLE_BYTES);
}

Test(inbox, has_no_block_and_tries_again_when_even_the_small_one_is_refused)
{
    inbox_receive_part(1000, 10);
    inbox_ask_room();
    inbox_fill(room_bytes);
    inbox_expect(PP_INBOX_MESSAGE);
    atomic_store(&memory.fail_after, 0);
    cr_assert_eq(pp_inbox_room(&inbox, &means, &room, &room_bytes), PIPEPORT_NO_MEMORY);
    pp_inbox_check(&inbox);
    inbox_expect(PP_INBOX_MORE);
    atomic_store(&memory.fail_after, UINT64_MAX);
    inbox_receive(1, 20);
}

Test(inbox, ends_the_process_when_more_was_written_than_there_was_room, TEST_ABORTS)
{
    inbox_ask_room();
    pp_inbox_filled(&inbox, room_bytes + 1, 0);
}

Test(inbox, lends_its_room_once, TEST_ABORTS)
{
    inbox_ask_room();
    pp_inbox_filled(&inbox, 1, 0);
    pp_inbox_filled(&inbox, 1, 0);
}
