/* SPDX-License-Identifier: MIT */
/*
 * test_message.c - one block, its layout, its count, and the fans that share its frame.
 */
#include "engine/flow/message.h"
#include "tests/support/default_frame.h"
#include "tests/support/aborts.h"
#include "tests/support/threads.h"

#include <criterion/criterion.h>

#include <string.h>

static pp_memory memory;

static void message_set_up(void)
{
    pp_memory_init(&memory, 0);
}

/* Everything that was taken came back. */
static void message_tear_down(void)
{
    pp_memory_check(&memory);
    cr_assert_eq(atomic_load(&memory.taken), atomic_load(&memory.given));
}

TestSuite(message, .init = message_set_up, .fini = message_tear_down, .timeout = 100);

static uint64_t message_blocks_held(void)
{
    pp_memory_check(&memory);
    return atomic_load(&memory.taken) - atomic_load(&memory.given);
}

Test(message, has_its_header_in_front_of_its_payload)
{
    pp_message *message = pp_message_create(&memory, &pp_framing_default, 0x010203, 1);
    pp_message_check(message);
    cr_assert_eq(message->frame_bytes, 0x010203 + FRAME_HEADER_BYTES);
    cr_assert_arr_eq(message->frame, ((uint8_t[]){3, 2, 1, 0}), FRAME_HEADER_BYTES);
    cr_assert_eq(pp_message_payload(message), message->frame + FRAME_HEADER_BYTES);
    cr_assert_eq(message->payload_bytes, 0x010203);
    pp_message_release(message, 1);
}

Test(message, takes_frames_as_long_as_there_is_room)
{
    pp_message *message = pp_message_create_room(&memory, &pp_framing_default, 4 + 3 + 4 + 0 + 4 + 2, 3);
    pp_message_check(message);
    cr_assert_eq(message_blocks_held(), 1);
    cr_assert_eq(message->frame_bytes, 0);
    cr_assert_eq(pp_message_room(message), 17);
    pp_message_append(message, "abc", 3);
    pp_message_append(message, NULL, 0);
    cr_assert_eq(pp_message_room(message), 6);
    pp_message_append(message, "de", 2);
    cr_assert_eq(pp_message_room(message), 0);
    cr_assert_eq(message->frame_bytes, 17);
    cr_assert_arr_eq(message->frame, "\3\0\0\0abc\0\0\0\0\2\0\0\0de", 17);
    pp_message_check(message);
    pp_message_release(message, 1);
    cr_assert_eq(message_blocks_held(), 0);
}

Test(message, has_no_room_once_it_is_built)
{
    pp_message *message = pp_message_create(&memory, &pp_framing_default, 100, 1);
    cr_assert_eq(pp_message_room(message), 0);
    pp_message_release(message, 1);
}

Test(message, is_one_block_whatever_its_size_and_links)
{
    static const uint32_t sizes[] = {0, 1, 2, 3, 15, 16, 17, 64, 1000, 65536, 1 << 20};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (uint32_t links = 0; links < 6; links++) {
            pp_message *message = pp_message_create(&memory, &pp_framing_default, sizes[i], links);
            cr_assert_eq(message_blocks_held(), 1);
            memset(pp_message_payload(message), 0xa5, sizes[i]); /* ASan sees what leaves the block. */
            pp_message_check(message);
            pp_message_release(message, 1);
            cr_assert_eq(message_blocks_held(), 0);
        }
    }
}

Test(message, aligns_its_payload_for_who_builds_structs_in_it)
{
    for (uint32_t links = 0; links < 6; links++) {
        pp_message *message = pp_message_create(&memory, &pp_framing_default, 100, links);
        cr_assert_eq((uintptr_t) pp_message_payload(message) % 16, 0, "%u links", links);
        pp_message_release(message, 1);
    }
}

Test(message, is_named_by_each_of_its_links)
{
    pp_message *message = pp_message_create(&memory, &pp_framing_default, 10, 1000);
    pp_message *fan = pp_message_fan(message, 1000);
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(message->links[i].message, message);
        cr_assert_eq(fan->links[i].message, fan);
    }
    pp_message_release(fan, 1);
    pp_message_release(message, 1);
}

Test(message, lives_until_its_last_count)
{
    pp_message *message = pp_message_create(&memory, &pp_framing_default, 10, 3);
    pp_message_retain(message, 5);
    pp_message_release(message, 2);
    pp_message_release(message, 1);
    pp_message_retain(message, 1);
    pp_message_release(message, 3);
    pp_message_check(message);
    cr_assert_eq(message_blocks_held(), 1);
    pp_message_release(message, 1);
    cr_assert_eq(message_blocks_held(), 0);
}

Test(message, is_released_by_all_its_counts_at_once)
{
    pp_message *message = pp_message_create(&memory, &pp_framing_default, 10, 3);
    pp_message_retain(message, 254);
    pp_message_release(message, 255);
    cr_assert_eq(message_blocks_held(), 0);
    pp_message_release(NULL, 1);
}

Test(message, stays_for_its_fans_when_its_builder_has_gone)
{
    pp_message *source = pp_message_create(&memory, &pp_framing_default, 100, 1);
    memset(pp_message_payload(source), 0x5a, 100);
    pp_message *fans[3];
    for (int i = 0; i < 3; i++) {
        fans[i] = pp_message_fan(source, 10);
        pp_message_check(fans[i]);
        cr_assert_eq(fans[i]->frame, source->frame);
        cr_assert_eq(fans[i]->payload_bytes, 100);
    }
    pp_message_release(source, 1);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(message_blocks_held(), 4 - (uint64_t) i);
        pp_message_check(fans[i]);
        cr_assert_eq(pp_message_payload(fans[i])[99], 0x5a);
        pp_message_release(fans[i], 1);
    }
    cr_assert_eq(message_blocks_held(), 0);
}

Test(message, is_the_source_of_its_fans_fans)
{
    pp_message *source = pp_message_create(&memory, &pp_framing_default, 100, 0);
    pp_message *fan = pp_message_fan(source, 1);
    pp_message *fan_of_fan = pp_message_fan(fan, 1);
    cr_assert_eq(fan_of_fan->source, source);
    pp_message_release(source, 1);
    pp_message_release(fan, 1);
    cr_assert_eq(message_blocks_held(), 2); /* The one between does not stay. */
    pp_message_check(fan_of_fan);
    pp_message_release(fan_of_fan, 1);
    cr_assert_eq(message_blocks_held(), 0);
}

Test(message, changes_nothing_when_there_is_no_memory)
{
    atomic_store(&memory.fail_after, 0);
    cr_assert_null(pp_message_create(&memory, &pp_framing_default, 10, 1));
    atomic_store(&memory.fail_after, 1);
    pp_message *source = pp_message_create(&memory, &pp_framing_default, 10, 1);
    cr_assert_null(pp_message_fan(source, 1));
    cr_assert_eq(atomic_load(&source->count), 1);
    pp_message_release(source, 1);
    cr_assert_eq(message_blocks_held(), 0);
}

Test(message, counts_its_block_without_wrapping)
{
    pp_memory small;
    pp_memory_init(&small, 1 << 20);
    cr_assert_null(pp_message_create(&small, &pp_framing_default, PP_FRAMING_PAYLOAD_BYTES_MAX, UINT32_MAX));
    cr_assert_null(pp_message_create(&small, &pp_framing_default, PP_FRAMING_PAYLOAD_BYTES_MAX, 0));
    pp_message *source = pp_message_create(&small, &pp_framing_default, 0, 0);
    for (uint32_t links = UINT32_MAX; links > 1 << 20; links = links / 2 + 1) { /* 2^28 of 16 bytes are 2^32. */
        cr_assert_null(pp_message_create(&small, &pp_framing_default, 0, links));
        cr_assert_null(pp_message_fan(source, links));
    }
    pp_message_release(source, 1);
    pp_memory_check(&small);
    cr_assert_eq(atomic_load(&small.bytes), 0);
}

/* ---- Threads ---- */

enum { MESSAGE_THREADS = 4, MESSAGE_ROUNDS = 5000 };

static void message_use_own_link(void *argument)
{
    pp_link **own = argument;
    for (int i = 0; i < MESSAGE_ROUNDS; i++) {
        own[i]->next = NULL; /* TSan sees the free that does not wait for this. */
        pp_message_release(own[i]->message, 1);
    }
}

Test(message, takes_in_what_is_left_of_others)
{
    static const char text[] = "rest of one and a whole one";
    pp_message *first = pp_message_create(&memory, &pp_framing_default, 11, 1),
               *second = pp_message_create(&memory, &pp_framing_default, 16, 1);
    memcpy(pp_message_payload(first), text, 11);
    memcpy(pp_message_payload(second), text + 11, 16);
    pp_message *joined = pp_message_create_room(&memory, &pp_framing_default, 6 + 20, 1);
    pp_message_append_rest(joined, first, 4 + 5);
    pp_message_append_rest(joined, second, 0);
    cr_assert_eq(joined->frame_bytes, 26);
    cr_assert_eq(pp_message_room(joined), 0);
    cr_assert_arr_eq(joined->frame, text + 5, 6);
    cr_assert_arr_eq(joined->frame + 6, second->frame, 20);
    pp_message_release(first, 1);
    pp_message_release(second, 1);
    pp_message_release(joined, 1);
}

Test(message, takes_in_no_more_than_it_has_room_for, TEST_ABORTS)
{
    pp_message *joined = pp_message_create_room(&memory, &pp_framing_default, 13, 1);
    pp_message_append_rest(joined, pp_message_create(&memory, &pp_framing_default, 10, 1), 0);
}

Test(message, is_freed_once_by_the_last_of_many_threads)
{
    static pp_link *own[MESSAGE_THREADS][MESSAGE_ROUNDS];
    test_thread threads[MESSAGE_THREADS];
    for (int i = 0; i < MESSAGE_ROUNDS; i++) {
        pp_message *source = pp_message_create(&memory, &pp_framing_default, 8, 0);
        pp_message *fan = pp_message_fan(source, MESSAGE_THREADS);
        pp_message_retain(fan, MESSAGE_THREADS);
        for (int thread = 0; thread < MESSAGE_THREADS; thread++) {
            own[thread][i] = &fan->links[thread];
        }
        pp_message_release(fan, 1);
        pp_message_release(source, 1);
    }
    for (int thread = 0; thread < MESSAGE_THREADS; thread++) {
        test_thread_start(&threads[thread], message_use_own_link, own[thread]);
    }
    for (int thread = 0; thread < MESSAGE_THREADS; thread++) {
        test_thread_join(&threads[thread]);
    }
    cr_assert_eq(atomic_load(&memory.given), 2 * MESSAGE_ROUNDS);
}

Test(message, is_refused_above_the_largest_payload, TEST_ABORTS)
{
    pp_message_create(&memory, &pp_framing_default, PP_FRAMING_PAYLOAD_BYTES_MAX + 1u, 1);
}

Test(message, is_not_released_more_often_than_it_is_held, TEST_ABORTS)
{
    pp_message *message = pp_message_create(&memory, &pp_framing_default, 10, 1);
    pp_message_release(message, 2);
}

Test(message, check_notices_a_frame_that_was_written_over, TEST_ABORTS)
{
    pp_message *message = pp_message_create(&memory, &pp_framing_default, 10, 1);
    message->frame[1] = 1;
    pp_message_check(message);
}

/* What has many receivers is let go once for all of them: when somebody else's comes, or at the end. */
Test(message, is_released_by_a_shelf_for_many_receivers_at_once)
{
    pp_shelf shelf = {.first = NULL};
    pp_message *first = pp_message_create(&memory, &pp_framing_default, 8, 3);
    pp_message *second = pp_message_create(&memory, &pp_framing_default, 8, 2);
    pp_message_retain(first, 3);
    pp_message_release(first, 1);
    pp_shelf_release(&shelf, first);
    pp_shelf_release(&shelf, first);
    cr_assert_eq(atomic_load(&first->count), 3);
    pp_shelf_release(&shelf, second);
    cr_assert_eq(atomic_load(&first->count), 1, "two of its three receivers have left");
    pp_shelf_release(&shelf, first);
    cr_assert_eq(message_blocks_held(), 1, "the second one had one count");
    pp_shelf_settle(&shelf);
    cr_assert_eq(message_blocks_held(), 0);
    pp_shelf_settle(&shelf);
    pp_shelf_fini(&shelf);
}

/* At the memory's bound somebody may lack just what it holds. */
Test(message, is_released_by_a_shelf_with_its_last_receiver_where_it_is_long)
{
    pp_shelf shelf = {.first = NULL};
    pp_message *message = pp_message_create(&memory, &pp_framing_default, PP_SHELF_OWED_BYTES_MAX, 2);
    pp_message_retain(message, 1);
    pp_shelf_release(&shelf, message);
    cr_assert_eq(message_blocks_held(), 1);
    pp_shelf_release(&shelf, message);
    cr_assert_eq(message_blocks_held(), 0);
    cr_assert_null(shelf.owed);
    pp_shelf_fini(&shelf);
}
