/* SPDX-License-Identifier: MIT */
/*
 * test_reply.c - what a connection's own events send to it: one write for a turn's answers, in the order of the calls,
 * within the bounds, and nothing that other sends do not get.
 */
#include "engine/api/engine.h"
#include "engine/flow/inbox.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(reply, .timeout = 100);

static fake_pipe *pipe;
static pipeport_status status;

static life_conn *reply_open(void)
{
    life_serve();
    pipe = life_client();
    cr_assert_not_null(pipe);
    return life_newest();
}

static pipeport_engine_figures figures(void)
{
    pipeport_engine_figures now = {.size = sizeof now};
    cr_assert_eq(pipeport_engine_stats(life.engine, &now), PIPEPORT_OK);
    return now;
}

static pipeport_stats server_figures(void)
{
    pipeport_stats now = {.size = sizeof now};
    cr_assert_eq(pipeport_server_stats(life.server, &now), PIPEPORT_OK);
    return now;
}

/* What the peer got is these frames of one byte each. */
static void expect_answers(const char *bytes)
{
    cr_assert_eq(pipe->written.length, 5 * strlen(bytes), "%zu bytes", pipe->written.length);
    for (size_t i = 0; bytes[i]; ++i) {
        cr_assert_arr_eq(pipe->written.data + 5 * i, ((char[]){1, 0, 0, 0, bytes[i]}), 5, "answer %zu", i);
    }
}

static void peer_says(const char *bytes)
{
    uint8_t stream[5 * 64];
    size_t length = 0;
    for (; *bytes; ++bytes) {
        memcpy(stream + length, ((char[]){1, 0, 0, 0, *bytes}), 5);
        length += 5;
    }
    fake_peer_sends(pipe, stream, length);
}

static void echo(life_conn *conn, const void *data, size_t length)
{
    status = pipeport_send(life.engine, conn->name, data, length);
}

static uint64_t moved_at_write[2];
static unsigned writes_seen;

static void note_moved(fake_pipe *at)
{
    (void) at;
    moved_at_write[writes_seen++ % 2] = life.engine->hub.pool.workers[0].moved_bytes;
}

/* By it the worker knows how many to take at a time. */
LIFE_TEST(reply, is_counted_among_what_a_batch_has_moved)
{
    (void) reply_open();
    fake_pipe *first = pipe, *second = life_client();
    life_settle();
    life.on_message = echo;
    writes_seen = 0;
    first->inside_write = second->inside_write = note_moved;
    peer_says("a");
    pipe = second;
    peer_says("bc");
    life_settle();
    cr_assert_eq(writes_seen, 2);
    cr_assert_eq(moved_at_write[0], 5 + 10, "%u", (unsigned) moved_at_write[0]);
    cr_assert_eq(moved_at_write[1], 5 + 10 + 5, "%u", (unsigned) moved_at_write[1]);
}

enum { HALF = 20000, MUCH = 2 * (4 + HALF) }; /* Neither of them is passed (reply.h). */

static fake_pipe *answered;
static size_t written_at_turn;

/* What it has answered is seen by the next one of its batch. */
static void answer_and_look(life_conn *conn, const void *data, size_t length)
{
    static uint8_t text[HALF];
    uint32_t bytes = *(const char *) data == 'm' ? HALF : 1;
    (void) length;
    written_at_turn = answered->written.length;
    cr_assert_eq(pipeport_send(life.engine, conn->name, text, bytes), PIPEPORT_OK);
    if (bytes == HALF) {
        cr_assert_eq(pipeport_send(life.engine, conn->name, text, bytes), PIPEPORT_OK);
    }
}

LIFE_TEST(reply, leaves_with_its_turn_where_it_is_much)
{
    (void) reply_open();
    fake_pipe *first = pipe, *second = life_client();
    life_settle();
    bool has_home = life.engine->hub.pool.workers[0].home != PP_WORKERS_MAX;
    life.on_message = answer_and_look;
    answered = first;
    peer_says("m");
    pipe = second;
    peer_says("l");
    life_settle();
    cr_assert_eq(written_at_turn, has_home ? MUCH : 0, "%zu", written_at_turn);
    cr_assert_eq(first->written.length, MUCH);
    pipe = first;
    peer_says("lm"); /* What is little waits for the batch, with it. */
    pipe = second;
    peer_says("l");
    life_settle();
    cr_assert_eq(written_at_turn, MUCH + (has_home ? 5 + MUCH : 0), "%zu", written_at_turn);
    answered = second;
    peer_says("l");
    pipe = first;
    peer_says("l");
    life_settle();
    cr_assert_eq(written_at_turn, 3 * 5 - 5, "%zu", written_at_turn);
    cr_assert_eq(second->written.length, 3 * 5);
    cr_assert_eq(first->written.length, 2 * MUCH + 2 * 5);
}

static void answer_or_broadcast(life_conn *conn, const void *data, size_t length)
{
    if (*(const char *) data == 'b') {
        cr_assert_eq(pipeport_broadcast(life.server, "b", 1, NULL), PIPEPORT_OK);
    } else {
        answer_and_look(conn, data, length);
    }
}

/* Else the broadcasts of a batch were a write each for everybody, for the sake of one who is answered with much. */
LIFE_TEST(reply, waits_for_its_batch_beside_a_broadcast)
{
    (void) reply_open();
    fake_pipe *first = pipe, *second = life_client(), *third = life_client();
    life_settle();
    life.on_message = answer_or_broadcast;
    answered = first;
    peer_says("b");
    pipe = second;
    peer_says("m");
    pipe = third;
    peer_says("b");
    life_settle();
    cr_assert_eq(first->writes, 1);
    cr_assert_eq(third->writes, 1);
    cr_assert_eq(first->written.length, 2 * 5);
    cr_assert_eq(second->written.length, 2 * 5 + MUCH);
}

static void echo_once(life_conn *conn, const void *data, size_t length)
{
    if (status == PIPEPORT_SYSTEM) {
        echo(conn, data, length);
    }
}

LIFE_TEST(reply, leaves_in_one_write_and_one_block)
{
    life.on_message = echo;
    reply_open();
    peer_says("a"); /* The worker's spare is there after it. */
    life_settle();
    uint64_t before = figures().allocations;
    unsigned writes = pipe->writes;
    peer_says("bcdefghijklmnop");
    life_settle();
    expect_answers("abcdefghijklmnop");
    cr_assert_eq(pipe->writes, writes + 1);
    cr_assert_eq(figures().allocations, before + 1, "%llu blocks for 15 answers",
                 (unsigned long long) (figures().allocations - before));
    cr_assert_eq(server_figures().messages_sent, 16);
    cr_assert_eq(server_figures().messages_received, 16);
}

/* Where a read waits with a small room, what came is longer than that: one burst, and so one write. */
LIFE_TEST(reply, leaves_in_one_write_however_small_the_room_of_the_read_was)
{
    char said[65] = {0};
    memset(said, 'a', sizeof said - 1);
    _Static_assert(5 * (sizeof said - 1) > PP_INBOX_IDLE_BYTES, "longer than the room");
    life.on_message = echo;
    reply_open();
    peer_says(said);
    life_settle();
    expect_answers(said);
    cr_assert_eq(pipe->writes, 1);
}

static void answer_twice_around_a_broadcast(life_conn *conn, const void *data, size_t length)
{
    (void) data, (void) length;
    uint32_t reached = 0;
    cr_assert_eq(pipeport_send(life.engine, conn->name, "1", 1), PIPEPORT_OK);
    cr_assert_eq(pipeport_send(life.engine, conn->name, "2", 1), PIPEPORT_OK);
    cr_assert_eq(pipeport_broadcast(life.server, "3", 1, &reached), PIPEPORT_OK);
    cr_assert_eq(reached, 1);
    cr_assert_eq(pipeport_send(life.engine, conn->name, "4", 1), PIPEPORT_OK);
    cr_assert_eq(pipeport_send(life.engine, conn->name, "5", 1), PIPEPORT_OK);
}

LIFE_TEST(reply, keeps_its_place_among_other_messages)
{
    life.on_message = answer_twice_around_a_broadcast;
    reply_open();
    peer_says("xyz");
    life_settle();
    expect_answers("123451234512345");
}

static life_conn *told;

static void foreign_send(void)
{
    cr_assert_eq(life_send(told, "f", 1), PIPEPORT_OK);
}

static void answer_around_a_foreign_send(life_conn *conn, const void *data, size_t length)
{
    told = conn;
    echo(conn, data, length);
    life_as_thread(77, foreign_send);
    echo(conn, data, length);
}

LIFE_TEST(reply, lets_a_foreign_message_keep_its_place)
{
    life.on_message = answer_around_a_foreign_send;
    reply_open();
    peer_says("abc");
    life_settle();
    expect_answers("afabfbcfc");
}

LIFE_TEST(reply, hears_full_at_the_bound_and_is_counted)
{
    life_options.message_bytes_max = 100;
    life_options.send_queue_bytes_max = 104;
    life.on_message = echo;
    life_conn *conn = reply_open();
    char stream[3 * 44] = {0};
    for (unsigned i = 0; i < 3; ++i) {
        stream[44 * i] = 40;
    }
    fake_peer_sends(pipe, stream, sizeof stream);
    life_settle();
    cr_assert_eq(status, PIPEPORT_FULL);
    cr_assert_eq(pipe->written.length, 88);
    cr_assert_eq(server_figures().sends_refused, 1);
    cr_assert_eq(conn->drained, 1);
}

static void answer_too_long(life_conn *conn, const void *data, size_t length)
{
    (void) data, (void) length;
    char block[101] = {0};
    status = pipeport_send(life.engine, conn->name, block, sizeof block);
}

LIFE_TEST(reply, refuses_a_message_above_the_bound)
{
    life_options.message_bytes_max = 100;
    life.on_message = answer_too_long;
    reply_open();
    peer_says("x");
    life_settle();
    cr_assert_eq(status, PIPEPORT_TOO_LARGE);
    cr_assert_eq(pipe->written.length, 0);
}

static pipeport_closing how;

static void answer_close_answer(life_conn *conn, const void *data, size_t length)
{
    cr_assert_eq(pipeport_send(life.engine, conn->name, data, length), PIPEPORT_OK);
    cr_assert_eq(pipeport_close(life.engine, conn->name, how), PIPEPORT_OK);
    echo(conn, data, length);
}

LIFE_TEST(reply, comes_before_a_drain_and_is_gone_after_it)
{
    how = PIPEPORT_DRAIN;
    life.on_message = answer_close_answer;
    life_conn *conn = reply_open();
    peer_says("ab");
    life_settle();
    expect_answers("a");
    cr_assert_eq(status, PIPEPORT_GONE);
    life_expect_end(conn, PIPEPORT_OK);
}

LIFE_TEST(reply, is_discarded_by_an_abort)
{
    how = PIPEPORT_ABORT;
    life.on_message = answer_close_answer;
    life_conn *conn = reply_open();
    peer_says("ab");
    life_settle();
    cr_assert_eq(pipe->written.length, 0);
    cr_assert_eq(status, PIPEPORT_GONE);
    life_expect_end(conn, PIPEPORT_STOPPED);
    cr_assert_eq(conn->end.bytes_discarded, 5);
}

static void answer_at_the_end(life_conn *conn)
{
    echo(conn, "x", 1);
}

LIFE_TEST(reply, is_gone_in_closed)
{
    life.on_closed = answer_at_the_end;
    reply_open();
    status = PIPEPORT_OK;
    fake_peer_goes(pipe);
    life_settle();
    cr_assert_eq(status, PIPEPORT_GONE);
}

static life_conn *other;

static void answer_the_other(life_conn *conn, const void *data, size_t length)
{
    (void) conn;
    cr_assert_eq(life_send(other, data, length), PIPEPORT_OK);
}

LIFE_TEST(reply, goes_to_whom_it_is_sent)
{
    reply_open();
    other = life_newest();
    fake_pipe *others = pipe;
    pipe = life_client();
    life.on_message = answer_the_other;
    peer_says("ab");
    life_settle();
    cr_assert_eq(pipe->written.length, 0);
    pipe = others;
    expect_answers("ab");
}

/* Where a write is pending, answers wait: each in no more than it needs. */
LIFE_TEST(reply, takes_no_room_to_grow_behind_a_pending_write)
{
    life.on_message = echo;
    reply_open();
    pipe->write_room = 0;
    peer_says("a");
    life_settle();
    for (unsigned i = 0; i < 3; ++i) {
        pipeport_engine_figures before = figures();
        peer_says("bcdefghijklmnopqrstuvwxyz");
        life_settle();
        cr_assert_lt(figures().memory_bytes - before.memory_bytes, 25 * 128);
        cr_assert_geq(figures().allocations - before.allocations, 25, "one grew that others may take");
    }
    fake_peer_reads(pipe, UINT64_MAX);
    life_settle();
    cr_assert_eq(pipe->written.length, 5 * 76);
}

static uint64_t bytes_most;

static void answer_around_a_message(life_conn *conn, const void *data, size_t length)
{
    pipeport_message *built = NULL;
    void *room = NULL;
    echo(conn, data, length);
    cr_assert_eq(pipeport_message_create(&built, life.engine, NULL, 1, &room), PIPEPORT_OK);
    *(char *) room = '.';
    cr_assert_eq(pipeport_send_message(life.engine, conn->name, built), PIPEPORT_OK);
    pipeport_message_release(built);
    bytes_most = figures().memory_bytes > bytes_most ? figures().memory_bytes : bytes_most;
}

/* What comes between the answers ends their growth: what stays empty is bounded for the turn. */
LIFE_TEST(reply, leaves_little_room_empty_between_other_messages)
{
    enum { SAID = 2000 };
    static uint8_t stream[5 * SAID];
    life_conn *conn = reply_open();
    life.on_message = answer_around_a_message;
    for (unsigned i = 0; i < SAID; ++i) {
        memcpy(stream + 5 * i, ((char[]){1, 0, 0, 0, 'a'}), 5);
    }
    bytes_most = 0;
    uint64_t before = figures().memory_bytes;
    fake_peer_sends(pipe, stream, sizeof stream);
    life_settle();
    cr_assert_eq(conn->messages, SAID);
    cr_assert_eq(pipe->written.length, 2 * sizeof stream);
    cr_assert_lt(bytes_most - before, 3 * SAID * 128 + 3 * 64 * 1024, "%llu bytes for %u answers",
                 (unsigned long long) (bytes_most - before), SAID);
}

/* A bound that has room for a few answers has it for them: room to grow is only a wish. */
LIFE_TEST(reply, fits_where_room_to_grow_does_not)
{
    life.on_message = echo;
    reply_open();
    peer_says("a"); /* The worker's spare is there after it. */
    life_settle();
    life.engine->hub.memory.bytes_max = figures().memory_bytes + 3000;
    uint8_t stream[8 * 1004] = {0};
    for (unsigned i = 0; i < 8; ++i) { /* 1,000 bytes each; the first answer would like room for all eight. */
        stream[i * 1004] = 1000 & 0xff;
        stream[i * 1004 + 1] = 1000 >> 8;
    }
    status = PIPEPORT_SYSTEM;
    life.on_message = echo_once;
    fake_peer_sends(pipe, stream, sizeof stream);
    life_settle();
    cr_assert_eq(status, PIPEPORT_OK);
    cr_assert_eq(pipe->written.length, 5 + 1004);
    life.engine->hub.memory.bytes_max = 0;
}

static void fail_the_next_block(life_conn *conn, const void *data, size_t length)
{
    atomic_store(&life.engine->hub.memory.fail_after, 0);
    echo(conn, data, length);
    atomic_store(&life.engine->hub.memory.fail_after, UINT64_MAX);
}

LIFE_TEST(reply, fails_without_memory_and_loses_nothing_else)
{
    life.on_message = fail_the_next_block;
    reply_open();
    peer_says("a");
    life_settle();
    cr_assert_eq(status, PIPEPORT_NO_MEMORY);
    life.on_message = echo;
    peer_says("b");
    life_settle();
    expect_answers("b");
}

enum { QUEUE = 1600, FORESEEN = QUEUE / 8, LONG_ANSWER = QUEUE - 2 * 4 - 1 };

static void answer_short_and_long(life_conn *conn, const void *data, size_t length)
{
    static const uint8_t answer[LONG_ANSWER];
    (void) data;
    (void) length;
    life.on_message = NULL;
    cr_assert_eq(pipeport_send(life.engine, conn->name, answer, 1), PIPEPORT_OK);
    status = pipeport_send(life.engine, conn->name, answer, LONG_ANSWER);
    cr_assert_eq(pipeport_send(life.engine, conn->name, answer, 0), PIPEPORT_FULL);
}

/* What was foreseen for the answers to what the peer said besides does not stand in the way of the second. */
LIFE_TEST(reply, fills_the_queue_whatever_was_foreseen)
{
    static uint8_t stream[2 * FORESEEN];
    life_options.message_bytes_max = QUEUE - 4;
    life_options.send_queue_bytes_max = QUEUE;
    life_serve();
    pipe = life_client();
    cr_assert_not_null(pipe);
    life.on_message = answer_short_and_long;
    fake_peer_sends(pipe, stream, sizeof stream); /* Messages of no bytes. */
    life_settle();
    cr_assert_eq(status, PIPEPORT_OK, "status %d", (int) status);
    cr_assert_eq(pipe->written.length, QUEUE);
    cr_assert_eq(life_newest()->drained, 1);
}
