/* SPDX-License-Identifier: MIT */
/*
 * test_passed.c - large answers, which are written at once from where they lie: whatever the pipe takes of them, what
 * the peer gets is what it would have got of a copy, in the order of the calls, within the same bounds.
 */
#include "engine/api/engine.h"
#include "engine/flow/wire.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(passed, .timeout = 100);

enum { LARGE = 40000, FRAME = 4 + LARGE, ROOM = 3 * FRAME };

static fake_pipe *pipe;
static life_conn *conn;
static pipeport_status status;
static test_bytes expected;
static uint8_t text[LARGE];

/* Nothing that a framing could take for an end, and each half different. */
static void fill(char first)
{
    for (uint32_t i = 0; i < LARGE; ++i) {
        text[i] = (uint8_t) (first + i * 7 % 13 + i / 5000);
    }
}

static void open_with(uint64_t write_room)
{
    life_serve();
    pipe = life_client();
    cr_assert_not_null(pipe);
    pipe->write_room = write_room;
    conn = life_newest();
    status = PIPEPORT_SYSTEM;
    expected.length = 0;
    fill('a');
}

static void stop(void)
{
    pipeport_server_stop(life.server, 0);
    life.server = NULL;
}

static void expect_frame(const void *payload, uint32_t length)
{
    pp_framing rule;
    uint8_t around[64];
    cr_assert_null(pp_wire_framing(&rule, &life_options.framing));
    pp_framing_write_header(&rule, around, length);
    test_bytes_add(&expected, around, pp_framing_header_bytes(&rule, length));
    test_bytes_add(&expected, payload, length);
    pp_framing_write_trailer(&rule, around);
    test_bytes_add(&expected, around, pp_framing_trailer_bytes(&rule));
}

static void peer_says(const void *payload, uint32_t length)
{
    test_bytes all = expected;
    expected = (test_bytes){0};
    expect_frame(payload, length);
    fake_peer_sends(pipe, expected.data, expected.length);
    free(expected.data);
    expected = all;
}

static void expect_all(void)
{
    cr_assert_eq(pipe->written.length, expected.length, "%zu of %zu bytes", pipe->written.length, expected.length);
    cr_assert_arr_eq(pipe->written.data, expected.data, expected.length);
}

static void echo(life_conn *to, const void *data, size_t length)
{
    status = pipeport_send(life.engine, to->name, data, length);
    if (status == PIPEPORT_OK) {
        expect_frame(data, (uint32_t) length);
    }
}

static size_t written_inside;

static void echo_and_look(life_conn *to, const void *data, size_t length)
{
    echo(to, data, length);
    written_inside = pipe->written.length;
}

LIFE_TEST(passed, is_written_before_the_call_returns)
{
    life.on_message = echo_and_look;
    open_with(UINT64_MAX);
    peer_says(text, LARGE);
    life_settle();
    cr_assert_eq(status, PIPEPORT_OK);
    cr_assert_eq(written_inside, fake.can_await ? FRAME : 0);
    cr_assert_eq(pipe->writes, 1);
    expect_all();
}

static void echo_twice_and_look(life_conn *to, const void *data, size_t length)
{
    echo(to, data, length);
    echo_and_look(to, data, length);
}

LIFE_TEST(passed, is_each_of_a_turn)
{
    life.on_message = echo_twice_and_look;
    open_with(UINT64_MAX);
    peer_says(text, LARGE);
    life_settle();
    cr_assert_eq(written_inside, fake.can_await ? 2 * FRAME : 0);
    expect_all();
}

static void send_on_and_look(life_conn *to)
{
    if (to->sents < 4) {
        size_t before = pipe->written.length;
        echo(to, text, LARGE);
        cr_assert_eq(pipe->written.length, before, "what is sent inside `sent` is written inside it");
    }
}

static void echo_and_count(life_conn *to, const void *data, size_t length)
{
    if (length == LARGE) {
        echo(to, data, length);
    } else {
        written_inside = pipe->written.length;
    }
}

/* Else a turn would go on by itself: each such answer, written in it, leads to the next `sent`. So whoever else is in
 * the batch has his turn before the second. */
LIFE_TEST(passed, is_not_what_sent_leads_to)
{
    life.hears_sent = true;
    life.on_message = echo_and_count;
    life.on_sent = send_on_and_look;
    written_inside = SIZE_MAX;
    open_with(UINT64_MAX);
    fake_pipe *other = life_client();
    life_settle();
    peer_says(text, LARGE);
    fake_peer_sends_message(other, "?", 1);
    life_settle();
    cr_assert_leq(written_inside, FRAME, "%zu", written_inside);
    cr_assert_eq(pipe->writes, 4);
    expect_all();
}

/* The peer takes `room` bytes and no more until the block that the message came in holds something else. */
static void echo_cut_at(uint64_t room, uint32_t each)
{
    open_with(room);
    pipe->write_bytes_max = each;
    peer_says(text, LARGE);
    life_settle();
    cr_assert_eq(status, PIPEPORT_OK);
    fill('A');
    peer_says(text, LARGE);
    peer_says("end", 3);
    life_settle();
    cr_assert_eq(status, PIPEPORT_OK);
    cr_assert_leq(pipe->written.length, room);
    fake_peer_reads(pipe, ROOM);
    life_settle();
    expect_all();
    stop();
}

LIFE_TEST(passed, arrives_whole_whatever_is_taken_at_once)
{
    static const uint64_t rooms[] = {0, 1, 3, 4, 5, 20000, FRAME - 1, FRAME, FRAME + 1, FRAME + 5000};
    life.on_message = echo;
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; ++i) {
        echo_cut_at(rooms[i], UINT32_MAX);
        echo_cut_at(rooms[i], 7777);
    }
}

LIFE_TEST(passed, arrives_whole_where_the_system_does_not_gather)
{
    fake.slices_max = 1;
    life.on_message = echo;
    echo_cut_at(UINT64_MAX - ROOM, UINT32_MAX);
    echo_cut_at(9000, UINT32_MAX);
}

LIFE_TEST(passed, arrives_in_every_framing)
{
    static const pipeport_framing framings[] = {
        {.kind = PIPEPORT_FRAMING_LENGTH, .flags = PIPEPORT_BIG_ENDIAN, .width = 4},
        {.kind = PIPEPORT_FRAMING_LENGTH, .width = 8, .offset = 3, .flags = PIPEPORT_KEEP},
        {.kind = PIPEPORT_FRAMING_VARINT},
        {.kind = PIPEPORT_FRAMING_DELIMITER, .delimiter = '\n'},
        {.kind = PIPEPORT_FRAMING_HEADERS},
        {.kind = PIPEPORT_FRAMING_NONE},
    };
    static const uint64_t rooms[] = {0, 1, 10, LARGE, LARGE + 1, LARGE + 2, LARGE + 30, FRAME + 5000};
    life.on_message = echo;
    for (size_t i = 0; i < sizeof framings / sizeof framings[0]; ++i) {
        for (size_t k = 0; k < sizeof rooms / sizeof rooms[0]; ++k) {
            life_options.framing = framings[i];
            open_with(rooms[k]);
            if (framings[i].flags & PIPEPORT_KEEP) {
                memset(text, 0, 11); /* Kept before the payload: what it says is of what follows. */
                text[3] = (LARGE - 11) & 255;
                text[4] = (LARGE - 11) >> 8;
            }
            peer_says(text, LARGE);
            life_settle();
            cr_assert_eq(status, PIPEPORT_OK, "framing %zu", i);
            fake_peer_reads(pipe, ROOM);
            life_settle();
            expect_all();
            stop();
        }
    }
}

/* All that one event may send, around and between. */
static void answer_in_pieces(life_conn *to, const void *data, size_t length)
{
    uint32_t reached = 0;
    echo(to, data, length);
    echo(to, "a", 1);
    echo(to, (const uint8_t *) data + 101, length - 200);
    cr_assert_eq(pipeport_broadcast(life.server, data, length, &reached), PIPEPORT_OK);
    cr_assert_eq(reached, 1);
    expect_frame(data, (uint32_t) length);
    echo(to, "b", 1);
    echo(to, "c", 1);
    echo(to, (const uint8_t *) data + length - 35000, 35000);
}

LIFE_TEST(passed, keeps_its_place_among_other_messages)
{
    static const uint64_t rooms[] = {0, 100, FRAME, FRAME + 5, FRAME + 1000, 2 * FRAME, UINT64_MAX - 9 * ROOM};
    life.on_message = answer_in_pieces;
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; ++i) {
        open_with(rooms[i]);
        peer_says(text, LARGE);
        life_settle();
        peer_says(text, LARGE);
        life_settle();
        fake_peer_reads(pipe, 3 * ROOM);
        life_settle();
        expect_all();
        stop();
    }
}

static void foreign_send(void)
{
    pipe->inside_write = NULL;
    cr_assert_eq(life_send(conn, "f", 1), PIPEPORT_OK);
}

static void comes_between(fake_pipe *of)
{
    of->inside_write = NULL;
    life_as_thread(77, foreign_send);
}

LIFE_TEST(passed, leaves_nothing_behind_that_came_while_it_was_written)
{
    life.on_message = echo;
    for (int i = 0; i < 2; ++i) {
        open_with(i ? 999 : UINT64_MAX - ROOM);
        pipe->inside_write = comes_between;
        peer_says(text, LARGE);
        life_settle();
        cr_assert_null(pipe->inside_write);
        fake_peer_reads(pipe, ROOM);
        life_settle();
        expect_frame("f", 1);
        expect_all();
        stop();
    }
}

static pipeport_closing how;

static void foreign_close(void)
{
    cr_assert_eq(pipeport_close(life.engine, conn->name, how), PIPEPORT_OK);
}

static void is_closed_between(fake_pipe *of)
{
    of->inside_write = NULL;
    life_as_thread(77, foreign_close);
}

static void echo_and_close(life_conn *to, const void *data, size_t length)
{
    echo(to, data, length);
    cr_assert_eq(pipeport_close(life.engine, to->name, how), PIPEPORT_OK);
    cr_assert_eq(pipeport_send(life.engine, to->name, data, length), PIPEPORT_GONE);
}

/* Inside the event, or by another thread inside the write. */
static void close_at(uint64_t room, bool inside)
{
    life.on_message = inside ? echo : echo_and_close;
    open_with(room);
    pipe->inside_write = inside ? is_closed_between : NULL;
    peer_says(text, LARGE);
    life_settle();
    fake_peer_reads(pipe, ROOM);
    life_settle();
    cr_assert_eq(status, PIPEPORT_OK);
    cr_assert_eq(conn->end.bytes_sent + conn->end.bytes_discarded, FRAME);
    cr_assert_eq(conn->end.bytes_sent, pipe->written.length);
    cr_assert(pipe->written.length == 0 || memcmp(pipe->written.data, expected.data, pipe->written.length) == 0);
    if (how == PIPEPORT_DRAIN) {
        expect_all();
        life_expect_end(conn, PIPEPORT_OK);
    } else {
        life_expect_end(conn, PIPEPORT_STOPPED);
    }
    stop();
}

LIFE_TEST(passed, is_written_by_a_drain_and_discarded_by_an_abort)
{
    static const uint64_t rooms[] = {0, 2, 30000, FRAME, UINT64_MAX - ROOM};
    for (int aborts = 0; aborts < 2; ++aborts) {
        how = aborts ? PIPEPORT_ABORT : PIPEPORT_DRAIN;
        for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; ++i) {
            close_at(rooms[i], false);
            close_at(rooms[i], true);
        }
    }
}

LIFE_TEST(passed, is_discarded_where_the_peer_is_gone)
{
    life.on_message = echo;
    open_with(UINT64_MAX);
    peer_says(text, LARGE);
    fake_peer_goes(pipe);
    life_settle();
    cr_assert_eq(status, PIPEPORT_OK);
    life_expect_end(conn, PIPEPORT_GONE);
    cr_assert_eq(conn->end.bytes_discarded, FRAME);
}

static unsigned refused;

static void echo_twice(life_conn *to, const void *data, size_t length)
{
    echo(to, data, length);
    cr_assert_eq(status, PIPEPORT_OK);
    status = pipeport_send(life.engine, to->name, data, length);
    refused += status == PIPEPORT_FULL;
    if (status == PIPEPORT_OK) {
        expect_frame(data, (uint32_t) length);
    }
}

/* What was written at once takes no place in the queue; what was not does. */
LIFE_TEST(passed, is_held_to_the_bound_of_the_queue)
{
    life_options.message_bytes_max = LARGE;
    life_options.send_queue_bytes_max = FRAME;
    life.on_message = echo_twice;
    for (int i = 0; i < 2; ++i) {
        open_with(i ? FRAME - 1 : UINT64_MAX - ROOM);
        refused = 0;
        peer_says(text, LARGE);
        life_settle();
        cr_assert_eq(refused, i || !fake.can_await ? 1 : 0);
        fake_peer_reads(pipe, ROOM);
        life_settle();
        expect_all();
        cr_assert_eq(conn->drained, refused);
        stop();
    }
}

static void echo_without_memory(life_conn *to, const void *data, size_t length)
{
    atomic_store(&life.engine->hub.memory.fail_after, 0);
    echo(to, data, length);
    atomic_store(&life.engine->hub.memory.fail_after, UINT64_MAX);
}

LIFE_TEST(passed, sends_nothing_of_what_there_is_no_memory_for)
{
    life.on_message = echo_without_memory;
    open_with(UINT64_MAX);
    peer_says(text, LARGE);
    life_settle();
    cr_assert_eq(status, PIPEPORT_NO_MEMORY);
    cr_assert_eq(pipe->written.length, 0);
    life.on_message = echo;
    peer_says(text, LARGE);
    life_settle();
    expect_all();
}
