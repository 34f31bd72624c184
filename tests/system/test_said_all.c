/* SPDX-License-Identifier: MIT */
/*
 * test_said_all.c - a client that ends its sending and reads on gets all that was accepted for it; one that then goes,
 * or goes at once, or never reads, holds its connection no longer than it must.
 */
#include "tests/support/expect.h"
#include "tests/support/pattern.h"
#include "tests/support/peer.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>

TestSuite(said_all, .timeout = 100);

enum { MESSAGES = 300, LENGTH = 35000, HEADER = 4, QUEUE = 16 << 20, NEVER_MS = 90000 };

static struct {
    test_rig rig;
    test_peer server;
    pipeport_end end; /* Of the server's side, once it has closed. */
    char name[RIG_NAME_BYTES];
} stage; /* Each test is a process of its own. */

static void said_all_queue(test_peer *peer, pipeport_conn conn)
{
    static char data[LENGTH];
    for (uint32_t i = 0; i < MESSAGES; ++i) {
        pattern_fill(data, LENGTH, i);
        EXPECT(pipeport_send(peer->rig->engine, conn, data, LENGTH) == PIPEPORT_OK);
    }
}

static void said_all_note(test_peer *peer, pipeport_conn conn, const pipeport_end *end)
{
    (void) peer;
    (void) conn;
    stage.end = *end;
}

static void said_all_serve(raw_client *client, uint32_t write_stall_ms)
{
    pipeport_options options = {
        .size = sizeof options, .write_stall_ms = write_stall_ms, .send_queue_bytes_max = QUEUE};
    stage.server.does = (peer_does){.opened = said_all_queue, .closed = said_all_note};
    rig_name(stage.name);
    rig_open(&stage.rig, 4);
    peer_serve(&stage.server, &stage.rig, stage.name, &options);
    cr_assert(raw_connect(client, pipeport_server_address(stage.server.server)));
    AWAIT(stage.server.opened == 1);
}

/* All accounts, and the bytes that the client got. */
static void said_all_end(pipeport_status why, uint64_t read)
{
    AWAIT(stage.server.closed == 1);
    pipeport_stats stats = peer_stats(&stage.server);
    EXPECT(stage.end.why == why);
    EXPECT(stage.end.bytes_sent + stage.end.bytes_discarded == stats.bytes_accepted);
    EXPECT(stats.bytes_accepted >= (uint64_t) MESSAGES * (LENGTH + HEADER));
    EXPECT(stage.end.bytes_sent >= read);
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
}

Test(said_all, gets_ten_megabytes_that_wait_for_it)
{
    raw_client client;
    static char data[LENGTH];
    uint64_t read = 0;
    said_all_serve(&client, NEVER_MS);
    if (raw_end(&client)) {
        AWAIT(peer_send(&stage.server, NULL, 0) == PIPEPORT_GONE); /* It was heard, and not a byte was read yet. */
        EXPECT(stage.server.closed == 0);
    }
    for (uint32_t i = 0; i < MESSAGES; ++i) {
        char header[HEADER];
        cr_assert(raw_read_all(&client, header, sizeof header) && raw_read_all(&client, data, LENGTH), "message %u", i);
        EXPECT(pattern_is(data, LENGTH, i));
        read += HEADER + LENGTH;
    }
#ifdef _WIN32
    raw_close(&client);
#else
    for (size_t got; (got = raw_read(&client, data, sizeof data)) > 0;) { /* What was sent while it was not heard. */
        read += got;
    }
#endif
    AWAIT(stage.server.closed == 1);
    EXPECT(stage.end.bytes_sent == read && stage.end.bytes_discarded == 0);
    said_all_end(PIPEPORT_GONE, read);
#ifndef _WIN32
    raw_close(&client);
#endif
}

/* A write is pending, and is told by the system. A test's patience is shorter than NEVER_MS. */
Test(said_all, and_goes_then)
{
    raw_client client;
    char byte;
    said_all_serve(&client, NEVER_MS);
    cr_assert(raw_read_all(&client, &byte, 1));
    if (raw_end(&client)) {
        AWAIT(peer_send(&stage.server, NULL, 0) == PIPEPORT_GONE);
    }
    EXPECT(stage.server.closed == 0);
    raw_close(&client);
    AWAIT(stage.server.closed == 1);
    EXPECT(stage.end.bytes_discarded > 0);
    said_all_end(PIPEPORT_GONE, 1);
}

#ifndef _WIN32
Test(said_all, and_never_reads)
{
    raw_client client;
    said_all_serve(&client, 300);
    cr_assert(raw_end(&client));
    AWAIT(stage.server.closed == 1);
    EXPECT(stage.end.bytes_discarded > 0);
    said_all_end(PIPEPORT_SLOW_PEER, 0);
    raw_close(&client);
}

Test(said_all, with_nothing_waiting_for_it_is_closed_at_once)
{
    raw_client client;
    test_rig rig;
    test_peer server = {.does = {.message = peer_echo}};
    char name[RIG_NAME_BYTES], back[7];
    rig_name(name);
    rig_open(&rig, 2);
    peer_serve(&server, &rig, name, NULL);
    for (uint64_t i = 1; i <= 200; i++) { /* With the reply under way, and later. */
        cr_assert(raw_connect(&client, pipeport_server_address(server.server)));
        cr_assert(raw_write(&client, "\3\0\0\0abc", 7));
        if (i % 2) {
            cr_assert(raw_end(&client) && raw_read_all(&client, back, 7));
        } else {
            cr_assert(raw_read_all(&client, back, 7) && raw_end(&client));
        }
        EXPECT(raw_read(&client, back, 1) == 0);
        raw_close(&client);
        AWAIT_FOR(server.closed == i, 20000); /* Before a write could be overdue. */
    }
    EXPECT(server.ended[PIPEPORT_GONE] == 200);
    peer_stop(&server, 0);
    rig_close(&rig);
}
#endif

static void said_all_answer(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    (void) data;
    EXPECT(length == 0);
    EXPECT(pipeport_send(peer->rig->engine, conn, "farewell", 8) == PIPEPORT_OK);
}

/* Where messages are the pipe's own, one of no bytes says no more than any other. */
Test(said_all, with_a_message_of_no_bytes_gets_its_reply)
{
    raw_client client;
    test_rig rig;
    test_peer server = {.does = {.message = said_all_answer}};
    char name[RIG_NAME_BYTES], reply[8];
    pipeport_options options = {.size = sizeof options, .framing = pipeport_framing_message()};
    rig_name(name);
    rig_open(&rig, 2);
    peer_serve(&server, &rig, name, &options);
    cr_assert(raw_connect_whole(&client, pipeport_server_address(server.server)));
    for (int i = 0; i < 2; i++) {
        cr_assert(raw_write_whole(&client, "", 0));
        cr_assert_eq(raw_read(&client, reply, sizeof reply), 8);
        cr_assert_arr_eq(reply, "farewell", 8);
        EXPECT(server.closed == 0);
    }
    cr_assert(raw_write_whole(&client, "", 0));
    if (raw_end(&client)) {
        cr_assert_eq(raw_read(&client, reply, sizeof reply), 8);
        EXPECT(raw_read(&client, reply, sizeof reply) == 0);
    }
    raw_close(&client);
    AWAIT(server.closed == 1);
    EXPECT(server.messages == 3 && server.ended[PIPEPORT_GONE] == 1);
    peer_stop(&server, 0);
    rig_close(&rig);
}
