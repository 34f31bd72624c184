/* SPDX-License-Identifier: MIT */
/*
 * test_close.c - the ways in which this side ends a connection: drained or aborted, from inside and outside.
 */
#include "tests/support/expect.h"
#include "tests/support/pattern.h"
#include "tests/support/peer.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>

TestSuite(close, .timeout = 100);

enum { MESSAGES = 100, LENGTH = 30000 };

static struct {
    test_rig rig;
    test_peer server, client;
    char name[RIG_NAME_BYTES];
    pipeport_closing how;
} stage; /* Each test is a process of its own. */

static void close_serve(pipeport_options options)
{
    options.size = sizeof options;
    rig_name(stage.name);
    rig_open(&stage.rig, 4);
    peer_serve(&stage.server, &stage.rig, stage.name, &options);
}

static void close_end(void)
{
    peer_stop(&stage.client, 0);
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
}

static void close_queue(test_peer *peer, pipeport_conn conn)
{
    static _Thread_local char data[LENGTH];
    for (uint32_t i = 0; i < MESSAGES; ++i) {
        pattern_fill(data, LENGTH, i);
        EXPECT(pipeport_send(peer->rig->engine, conn, data, LENGTH) == PIPEPORT_OK);
    }
}

static void close_check(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    (void) conn;
    EXPECT(length == LENGTH && pattern_is(data, length, peer->messages));
}

/* ---- Drain ---- */

static void close_queue_and_drain(test_peer *peer, pipeport_conn conn)
{
    close_queue(peer, conn);
    EXPECT(pipeport_close(peer->rig->engine, conn, PIPEPORT_DRAIN) == PIPEPORT_OK);
    EXPECT(pipeport_send(peer->rig->engine, conn, "late", 4) == PIPEPORT_GONE);
}

static void close_expect_drained(test_peer *peer, pipeport_conn conn, const pipeport_end *end)
{
    (void) peer;
    (void) conn;
    EXPECT(end->why == PIPEPORT_OK);
    EXPECT(end->bytes_sent == MESSAGES * (LENGTH + 4));
    EXPECT(end->bytes_discarded == 0);
}

Test(close, a_drain_delivers_all_that_was_accepted_and_then_the_peer_sees_the_end)
{
    stage.server.does = (peer_does){.opened = close_queue_and_drain, .closed = close_expect_drained};
    stage.client.does.message = close_check;
    close_serve((pipeport_options){0});
    peer_dial(&stage.client, &stage.rig, stage.name, NULL);
    AWAIT(stage.client.closed == 1 && stage.server.closed == 1);
    EXPECT(stage.client.messages == MESSAGES);
    EXPECT(stage.client.end.why == PIPEPORT_GONE);
    EXPECT(stage.client.end.bytes_received == MESSAGES * (LENGTH + 4));
    close_end();
}

Test(close, a_drain_from_a_foreign_thread_does_the_same)
{
    stage.server.does.closed = close_expect_drained;
    stage.client.does.message = close_check;
    close_serve((pipeport_options){0});
    peer_dial(&stage.client, &stage.rig, stage.name, NULL);
    AWAIT(stage.server.opened == 1);
    close_queue_and_drain(&stage.server, peer_conn(&stage.server));
    AWAIT(stage.client.closed == 1 && stage.server.closed == 1);
    EXPECT(stage.client.messages == MESSAGES);
    close_end();
}

static void close_chatter(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    close_check(peer, conn, data, length);
    for (int i = 0; i < 3; ++i) { /* The other side closes with much of this unread. */
        (void) pipeport_send(peer->rig->engine, conn, data, length);
    }
}

Test(close, a_drain_delivers_all_to_a_peer_that_goes_on_sending)
{
    for (int i = 0; i < 20; ++i) {
        stage.server = (test_peer){.does = {.opened = close_queue_and_drain, .closed = close_expect_drained}};
        stage.client = (test_peer){.does = {.message = close_chatter}};
        close_serve((pipeport_options){0});
        peer_dial(&stage.client, &stage.rig, stage.name, NULL);
        AWAIT(stage.client.closed == 1 && stage.server.closed == 1);
        EXPECT(stage.client.messages == MESSAGES);
        close_end();
    }
}

Test(close, both_sides_may_drain_at_once)
{
    stage.server.does.opened = stage.client.does.opened = close_queue_and_drain;
    close_serve((pipeport_options){0});
    peer_dial(&stage.client, &stage.rig, stage.name, NULL);
    AWAIT(stage.client.closed == 1 && stage.server.closed == 1);
    close_end();
}

Test(close, a_drain_to_a_slow_reader_delivers_every_byte)
{
    raw_client client;
    stage.server.does = (peer_does){.opened = close_queue_and_drain, .closed = close_expect_drained};
    close_serve((pipeport_options){0});
    cr_assert(raw_connect(&client, pipeport_server_address(stage.server.server)));
    AWAIT(stage.server.opened == 1);
    for (uint32_t i = 0; i < MESSAGES; ++i) {
        char frame[4 + LENGTH];
        for (size_t at = 0; at < sizeof frame;) {
            size_t part = sizeof frame - at < 3333 ? sizeof frame - at : 3333;
            cr_assert(raw_read_all(&client, frame + at, part));
            at += part;
        }
        EXPECT(pattern_is(frame + 4, LENGTH, i));
    }
    EXPECT(raw_read(&client, &(char){0}, 1) == 0);
    raw_close(&client);
    AWAIT(stage.server.closed == 1);
    close_end();
}

Test(close, a_drain_to_a_peer_that_never_reads_is_bounded_by_write_stall_ms)
{
    raw_client client;
    stage.server.does.opened = close_queue_and_drain;
    close_serve((pipeport_options){.write_stall_ms = 300});
    cr_assert(raw_connect(&client, pipeport_server_address(stage.server.server)));
    AWAIT(stage.server.closed == 1);
    EXPECT(stage.server.ended[PIPEPORT_SLOW_PEER] == 1);
    raw_close(&client);
    close_end();
}

/* ---- Abort ---- */

static void close_expect_discarded(test_peer *peer, pipeport_conn conn, const pipeport_end *end)
{
    (void) peer;
    (void) conn;
    EXPECT(end->why == PIPEPORT_STOPPED);
    EXPECT(end->bytes_discarded > 0);
    EXPECT(end->bytes_sent + end->bytes_discarded == MESSAGES * (LENGTH + 4));
}

Test(close, an_abort_discards_what_waits_and_counts_it_and_overtakes_a_drain)
{
    for (int i = 0; i < 2; ++i) {
        raw_client client;
        stage.server = (test_peer){.does = {.opened = close_queue, .closed = close_expect_discarded}};
        close_serve((pipeport_options){0});
        cr_assert(raw_connect(&client, pipeport_server_address(stage.server.server)));
        AWAIT(stage.server.opened == 1);
        pipeport_conn conn = peer_conn(&stage.server);
        if (i == 1) {
            EXPECT(pipeport_close(stage.rig.engine, conn, PIPEPORT_DRAIN) == PIPEPORT_OK);
            EXPECT(pipeport_close(stage.rig.engine, conn, PIPEPORT_DRAIN) == PIPEPORT_GONE);
            EXPECT(stage.server.closed == 0);
        }
        EXPECT(pipeport_close(stage.rig.engine, conn, PIPEPORT_ABORT) == PIPEPORT_OK);
        EXPECT(pipeport_close(stage.rig.engine, conn, PIPEPORT_DRAIN) == PIPEPORT_GONE);
        EXPECT(pipeport_close(stage.rig.engine, conn, PIPEPORT_ABORT) == PIPEPORT_GONE);
        EXPECT(pipeport_send(stage.rig.engine, conn, "late", 4) == PIPEPORT_GONE);
        AWAIT(stage.server.closed == 1);
        raw_close(&client);
        close_end();
    }
}

/* ---- Inside events ---- */

static void close_at_once(test_peer *peer, pipeport_conn conn)
{
    EXPECT(pipeport_close(peer->rig->engine, conn, stage.how) == PIPEPORT_OK);
}

static void close_at_the_tenth(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    (void) data;
    (void) length;
    EXPECT(peer->messages < 10);
    if (peer->messages == 9) {
        EXPECT(pipeport_close(peer->rig->engine, conn, stage.how) == PIPEPORT_OK);
    }
}

static void close_again(test_peer *peer, pipeport_conn conn, const pipeport_end *end)
{
    (void) end;
    EXPECT(pipeport_close(peer->rig->engine, conn, PIPEPORT_DRAIN) == PIPEPORT_GONE);
    EXPECT(pipeport_close(peer->rig->engine, conn, PIPEPORT_ABORT) == PIPEPORT_GONE);
    EXPECT(pipeport_send(peer->rig->engine, conn, "late", 4) == PIPEPORT_GONE);
    EXPECT(pipeport_pause(peer->rig->engine, conn) == PIPEPORT_GONE);
}

static void close_burst(test_peer *peer, pipeport_conn conn)
{
    for (int i = 0; i < 500; ++i) {
        (void) pipeport_send(peer->rig->engine, conn, "burst", 5);
    }
}

Test(close, a_close_inside_opened_ends_it_before_any_message)
{
    for (int i = 0; i < 20; ++i) {
        stage.how = i % 2 ? PIPEPORT_ABORT : PIPEPORT_DRAIN;
        stage.server = (test_peer){.does = {.opened = close_at_once, .closed = close_again}};
        stage.client = (test_peer){.does = {.opened = close_burst, .closed = close_again}};
        close_serve((pipeport_options){0});
        peer_dial(&stage.client, &stage.rig, stage.name, NULL);
        AWAIT(stage.client.closed == 1 && stage.server.closed == 1);
        EXPECT(stage.server.messages == 0);
        EXPECT(stage.server.ended[i % 2 ? PIPEPORT_STOPPED : PIPEPORT_OK] == 1);
        close_end();
    }
}

Test(close, no_message_comes_after_a_close_inside_a_message)
{
    for (int i = 0; i < 20; ++i) {
        stage.how = i % 2 ? PIPEPORT_ABORT : PIPEPORT_DRAIN;
        stage.server = (test_peer){.does = {.message = close_at_the_tenth, .closed = close_again}};
        stage.client = (test_peer){.does = {.opened = close_burst, .closed = close_again}};
        close_serve((pipeport_options){0});
        peer_dial(&stage.client, &stage.rig, stage.name, NULL);
        AWAIT(stage.client.closed == 1 && stage.server.closed == 1);
        EXPECT(stage.server.messages == 10);
        close_end();
    }
}

static void close_fill(test_peer *peer, pipeport_conn conn)
{
    static const char data[1000];
    pipeport_status status = PIPEPORT_OK;
    for (int i = 0; i < 100000 && status == PIPEPORT_OK; ++i) {
        status = pipeport_send(peer->rig->engine, conn, data, sizeof data);
    }
    EXPECT(status == PIPEPORT_FULL);
}

Test(close, a_close_inside_drained_ends_it)
{
    for (int i = 0; i < 10; ++i) {
        stage.how = i % 2 ? PIPEPORT_ABORT : PIPEPORT_DRAIN;
        stage.server = (test_peer){.does = {.opened = close_fill, .drained = close_at_once, .closed = close_again}};
        stage.client = (test_peer){0};
        close_serve((pipeport_options){.message_bytes_max = 1000, .send_queue_bytes_max = 20000});
        peer_dial(&stage.client, &stage.rig, stage.name, NULL);
        AWAIT(stage.client.closed == 1 && stage.server.closed == 1);
        EXPECT(stage.server.drained == 1);
        close_end();
    }
}
