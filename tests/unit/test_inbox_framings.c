/* SPDX-License-Identifier: MIT */
/*
 * test_inbox_framings.c - an inbox asks its framing: what a frame is, what it still needs, and how much to make room
 * for where it does not say how long it is.
 */
#include "engine/flow/inbox.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <string.h>

/* Small parts are copied to the spare block and back, by design; from then on, and without a spare, a block doubles. */
enum { LINE_BYTES = 100000, TAKES_OF_A_LINE = PP_INBOX_COPIED_BYTES_MAX + 40, TAKES_WITHOUT_A_SPARE = 40 };

static pp_memory memory;
static pp_spare spare;
static pp_inbox inbox;
static pp_inbox_means means;
static const uint8_t *payload;
static uint32_t length;

static const pp_framing lines = {.kind = PP_FRAMING_DELIMITER, .delimiter = '\n'};
static const pp_framing raw = {.kind = PP_FRAMING_NONE};
static const pp_framing whole = {.kind = PP_FRAMING_MESSAGE};

static void open_inbox(const pp_framing *framing, bool borrows, uint32_t bound)
{
    pp_memory_init(&memory, 0);
    memset(&spare, 0, sizeof spare);
    means = (pp_inbox_means){&memory, borrows ? &spare : NULL, framing, bound};
    pp_inbox_init(&inbox);
}

static void close_inbox(void)
{
    pp_inbox_fini(&inbox, &memory);
    pp_spare_fini(&spare);
    pp_memory_check(&memory);
    cr_assert_eq(atomic_load(&memory.bytes), 0);
}

/* One turn in which `bytes` came (in as many reads as the room makes of them), and `more` of the same message are to
 * come. The verdict after it; a whole message is taken out. */
static pp_inbox_verdict turn(const char *text, uint32_t bytes, uint32_t more)
{
    do {
        uint8_t *room;
        uint32_t room_bytes;
        cr_assert_eq(pp_inbox_room(&inbox, &means, &room, &room_bytes), PIPEPORT_OK);
        uint32_t taken = bytes < room_bytes ? bytes : room_bytes;
        memcpy(room, text, taken);
        pp_inbox_filled(&inbox, taken, bytes - taken + more);
        pp_inbox_check(&inbox);
        text += taken;
        bytes -= taken;
    } while (bytes != 0);
    return pp_inbox_next(&inbox, &means, &payload, &length);
}

static void rest(void)
{
    if (means.spare != NULL) {
        pp_inbox_rest(&inbox, &means);
        pp_inbox_check(&inbox);
    }
}

static void expect_message(const char *text, uint32_t bytes)
{
    cr_assert_eq(length, bytes);
    cr_assert_not_null(payload);
    cr_assert(bytes == 0 || memcmp(payload, text, bytes) == 0);
}

TestSuite(inbox_framings, .timeout = 100);

/* However it is cut, a line is moved a bounded number of times and not searched again: else this takes minutes. */
static void trickle_a_line(bool borrows)
{
    static char line[LINE_BYTES];
    open_inbox(&lines, borrows, LINE_BYTES);
    memset(line, 'x', sizeof line);
    for (uint32_t i = 0; i < LINE_BYTES; ++i) {
        cr_assert_eq(turn(line, 1, 0), PP_INBOX_MORE);
        rest();
    }
    cr_assert_eq(turn("\n", 1, 0), PP_INBOX_MESSAGE);
    expect_message(line, LINE_BYTES);
    rest();
    cr_assert_lt(atomic_load(&memory.taken), borrows ? TAKES_OF_A_LINE : TAKES_WITHOUT_A_SPARE, "%" PRIu64,
                 atomic_load(&memory.taken));
    cr_assert_leq(atomic_load(&memory.bytes_peak), 4 * LINE_BYTES);
    close_inbox();
}

Test(inbox_framings, a_line_that_trickles_is_not_moved_for_each_byte)
{
    trickle_a_line(true);
    trickle_a_line(false);
}

Test(inbox_framings, a_line_above_the_bound_is_refused_before_it_ends)
{
    open_inbox(&lines, true, 5);
    cr_assert_eq(turn("12345", 5, 0), PP_INBOX_MORE);
    rest();
    cr_assert_eq(turn("6", 1, 0), PP_INBOX_REFUSED);
    rest();
    close_inbox();
}

Test(inbox_framings, lines_that_came_together_come_one_by_one)
{
    open_inbox(&lines, true, 100);
    cr_assert_eq(turn("one\n\nthr", 8, 0), PP_INBOX_MESSAGE);
    expect_message("one", 3);
    cr_assert_eq(pp_inbox_next(&inbox, &means, &payload, &length), PP_INBOX_MESSAGE);
    expect_message("", 0);
    cr_assert_eq(pp_inbox_next(&inbox, &means, &payload, &length), PP_INBOX_MORE);
    rest();
    cr_assert_eq(turn("ee\n", 3, 0), PP_INBOX_MESSAGE);
    expect_message("three", 5);
    rest();
    close_inbox();
}

Test(inbox_framings, without_messages_all_that_came_is_delivered_up_to_the_bound)
{
    open_inbox(&raw, true, 4);
    cr_assert_eq(turn("abcdef", 6, 0), PP_INBOX_MESSAGE);
    expect_message("abcd", 4);
    rest();
    cr_assert_eq(pp_inbox_next(&inbox, &means, &payload, &length), PP_INBOX_MESSAGE);
    expect_message("ef", 2);
    cr_assert_eq(pp_inbox_next(&inbox, &means, &payload, &length), PP_INBOX_MORE);
    rest();
    close_inbox();
}

static unsigned asked;       /* Calls of the measure. */
static uint32_t tells_after; /* It says 0 of less. */

static int64_t measure(void *user, const void *stream, size_t available)
{
    (void) stream;
    asked += 1;
    return available < tells_after ? 0 : *(const int64_t *) user;
}

/* A byte a turn. How often the measure was asked of one frame. */
static unsigned calls_of_a_trickle(bool borrows, uint32_t tells, int64_t frame_bytes)
{
    const pp_framing measured = {.kind = PP_FRAMING_MEASURED, .measure = measure, .measure_user = &frame_bytes};
    open_inbox(&measured, borrows, LINE_BYTES);
    asked = 0;
    tells_after = tells;
    for (int64_t i = 1; i < frame_bytes; ++i) {
        cr_assert_eq(turn("x", 1, 0), PP_INBOX_MORE);
        rest();
    }
    cr_assert_eq(turn("x", 1, 0), PP_INBOX_MESSAGE);
    cr_assert_eq(length, frame_bytes);
    unsigned calls = asked;
    cr_assert_eq(pp_inbox_next(&inbox, &means, &payload, &length), PP_INBOX_MORE, "the next one is measured anew");
    cr_assert_eq(turn("x", 1, 0), PP_INBOX_MORE);
    rest();
    cr_assert_eq(asked, calls + 1);
    close_inbox();
    return calls;
}

Test(inbox_framings, a_measure_is_asked_once_a_read_and_no_more_once_it_has_told)
{
    for (int borrows = 0; borrows < 2; ++borrows) {
        cr_assert_eq(calls_of_a_trickle(borrows, 3, 5000), 4, "of 1, 2 and 3 bytes, and of the whole");
        cr_assert_eq(calls_of_a_trickle(borrows, 5000, 5000), 5000);
    }
}

Test(inbox_framings, a_read_is_a_message_where_they_are_the_pipes_own)
{
    for (int borrows = 0; borrows < 2; ++borrows) {
        open_inbox(&whole, borrows, 1000);
        cr_assert_eq(pp_inbox_next(&inbox, &means, &payload, &length), PP_INBOX_MORE);
        cr_assert_eq(turn("one", 3, 0), PP_INBOX_MESSAGE);
        expect_message("one", 3);
        cr_assert_eq(pp_inbox_next(&inbox, &means, &payload, &length), PP_INBOX_MORE);
        rest();
        cr_assert_eq(turn("", 0, 0), PP_INBOX_MESSAGE, "of no bytes is a message too");
        expect_message("", 0);
        cr_assert_eq(pp_inbox_next(&inbox, &means, &payload, &length), PP_INBOX_MORE);
        cr_assert_eq(turn("", 0, 1), PP_INBOX_MORE, "nothing was there");
        rest();
        cr_assert_eq(turn("tw", 2, 1), PP_INBOX_MORE);
        rest();
        cr_assert_eq(turn("o", 1, 0), PP_INBOX_MESSAGE);
        expect_message("two", 3);
        rest();
        close_inbox();
    }
}

Test(inbox_framings, a_message_of_no_bytes_waits_over_a_rest)
{
    uint8_t *room;
    uint32_t room_bytes;
    open_inbox(&whole, true, 1000);
    cr_assert_eq(pp_inbox_room(&inbox, &means, &room, &room_bytes), PIPEPORT_OK);
    pp_inbox_filled(&inbox, 0, 0);
    rest();
    cr_assert_eq(pp_inbox_next(&inbox, &means, &payload, &length), PP_INBOX_MESSAGE);
    expect_message("", 0);
    cr_assert_eq(pp_inbox_next(&inbox, &means, &payload, &length), PP_INBOX_MORE);
    close_inbox();
}

/* Told by the system that so much is to come: there is room for all of it at once, and none for more than the bound. */
Test(inbox_framings, what_is_known_to_be_missing_finds_room)
{
    static char text[200000];
    uint8_t *room;
    uint32_t room_bytes;
    memset(text, 'y', sizeof text);
    for (int borrows = 0; borrows < 2; ++borrows) {
        open_inbox(&whole, borrows, sizeof text);
        cr_assert_eq(turn("", 0, sizeof text), PP_INBOX_MORE);
        cr_assert_eq(pp_inbox_room(&inbox, &means, &room, &room_bytes), PIPEPORT_OK);
        cr_assert_geq(room_bytes, sizeof text);
        pp_inbox_filled(&inbox, 0, sizeof text);
        cr_assert_eq(turn(text, sizeof text, 0), PP_INBOX_MESSAGE);
        expect_message(text, sizeof text);
        rest();
        close_inbox();
    }
}

Test(inbox_framings, what_is_known_to_pass_the_bound_is_refused_without_room_for_it)
{
    open_inbox(&whole, true, 1000);
    cr_assert_eq(turn("", 0, 1001), PP_INBOX_REFUSED);
    cr_assert_lt(atomic_load(&memory.bytes_peak), PP_SPARE_BYTES + 1000);
    rest();
    close_inbox();
    open_inbox(&whole, true, 1000);
    cr_assert_eq(turn("abc", 3, 998), PP_INBOX_REFUSED);
    rest();
    close_inbox();
    open_inbox(&whole, true, 3);
    cr_assert_eq(turn("abcd", 4, 0), PP_INBOX_REFUSED, "whole, and too long");
    rest();
    close_inbox();
}

/* Where the system does not say how much more: a message far longer than any block is gathered, in few blocks. */
Test(inbox_framings, parts_of_a_long_message_are_gathered)
{
    static char text[LINE_BYTES];
    for (uint32_t i = 0; i < sizeof text; ++i) {
        text[i] = (char) (i % 251);
    }
    for (int borrows = 0; borrows < 2; ++borrows) {
        open_inbox(&whole, borrows, LINE_BYTES);
        for (uint32_t at = 0; at < LINE_BYTES - 500; at += 500) {
            cr_assert_eq(turn(text + at, 500, 1), PP_INBOX_MORE);
            rest();
        }
        cr_assert_eq(turn(text + LINE_BYTES - 500, 500, 0), PP_INBOX_MESSAGE);
        expect_message(text, LINE_BYTES);
        rest();
        cr_assert_lt(atomic_load(&memory.taken), TAKES_OF_A_LINE, "%" PRIu64, atomic_load(&memory.taken));
        close_inbox();
    }
}
