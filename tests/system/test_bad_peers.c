/* SPDX-License-Identifier: MIT */
/*
 * test_bad_peers.c - clients that break the rules are dealt with, while 50 good ones go on and notice nothing.
 */
#include "engine/port/os.h"
#include "tests/support/expect.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/support/system.h"
#include "tests/support/talker.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(bad_peers, .timeout = 110);

enum { GOOD = 50, BOUND = 64 * 1024 };

static struct {
    test_rig rig;
    test_peer server;
    char name[RIG_NAME_BYTES];
    test_talker good[GOOD];
    const char *address;
} bad;

static void bad_open(pipeport_options options)
{
    options.size = sizeof options;
    options.message_bytes_max = BOUND;
    rig_name(bad.name);
    rig_open(&bad.rig, 4);
    bad.server.does.message = peer_echo;
    peer_serve(&bad.server, &bad.rig, bad.name, &options);
    bad.address = pipeport_server_address(bad.server.server);
    talker_start(bad.good, GOOD, &bad.rig, bad.name, &talker_small);
    AWAIT(bad.server.opened == GOOD);
    talker_still_talks(bad.good, GOOD, 1);
}

/* All is well with the good ones; `others` came beside them and have ended. */
static void bad_close(uint64_t others)
{
    AWAIT(bad.server.closed == others);
    talker_still_talks(bad.good, GOOD, 3);
    talker_hush(bad.good, GOOD);
    talker_stop(bad.good, GOOD);
    peer_stop(&bad.server, 0);
    EXPECT(bad.server.opened == GOOD + others);
    rig_close(&bad.rig);
}

/* A raw client whose connection the server has opened. */
static pipeport_conn bad_connect(raw_client *client)
{
    uint64_t before = bad.server.opened;
    cr_assert(raw_connect(client, bad.address));
    AWAIT(bad.server.opened == before + 1);
    return peer_conn(&bad.server);
}

static void bad_write_frame(raw_client *client, const void *data, uint32_t length)
{
    uint8_t header[4] = {(uint8_t) length, (uint8_t) (length >> 8), (uint8_t) (length >> 16), (uint8_t) (length >> 24)};
    EXPECT(raw_write(client, header, sizeof header));
    EXPECT(length == 0 || raw_write(client, data, length));
}

static void bad_read_frame(raw_client *client, const void *data, uint32_t length)
{
    char frame[64];
    cr_assert_lt(length, sizeof frame - 4);
    EXPECT(raw_read_all(client, frame, 4 + length));
    EXPECT((uint8_t) frame[0] == length && frame[1] == 0 && frame[2] == 0 && frame[3] == 0);
    EXPECT(memcmp(frame + 4, data, length) == 0);
}

static void bad_meets_the_end(raw_client *client)
{
    char byte;
    EXPECT(raw_read(client, &byte, 1) == 0);
    raw_close(client);
}

/* ---- What breaks the framing ---- */

Test(bad_peers, a_length_above_the_bound_closes_its_sender)
{
    static const uint8_t headers[][4] = {{1, 0, 1, 0}, {0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 0x80}, {0, 0, 1, 1}};
    bad_open((pipeport_options){0});
    for (int i = 0; i < 4; ++i) {
        raw_client client;
        bad_connect(&client);
        EXPECT(raw_write(&client, headers[i], 4));
        bad_meets_the_end(&client);
    }
    AWAIT(bad.server.ended[PIPEPORT_BAD_PEER] == 4);
    bad_close(4);
}

Test(bad_peers, good_messages_before_a_length_above_the_bound_are_delivered)
{
    static const uint8_t header[4] = {1, 0, 1, 0};
    raw_client client;
    bad_open((pipeport_options){0});
    bad_connect(&client);
    bad_write_frame(&client, "one", 3);
    bad_read_frame(&client, "one", 3);
    bad_write_frame(&client, "", 0);
    bad_read_frame(&client, "", 0);
    for (int i = 0; i < 4; ++i) {
        EXPECT(raw_write(&client, &header[i], 1));
    }
    bad_meets_the_end(&client);
    AWAIT(bad.server.ended[PIPEPORT_BAD_PEER] == 1);
    bad_close(1);
}

Test(bad_peers, garbage_closes_its_sender_or_waits_for_more_and_harms_nobody)
{
    enum { SENDERS = 100 };
    uint64_t seed = test_seed();
    uint64_t random = seed;
    cr_log_info("PIPEPORT_TEST_SEED=%llu", (unsigned long long) seed);
    bad_open((pipeport_options){0});
    for (int i = 0; i < SENDERS; ++i) {
        char data[5000];
        raw_client client;
        pattern_fill(data, sizeof data, test_random(&random));
        bad_connect(&client);
        (void) raw_write(&client, data, 1 + test_random_below(&random, sizeof data - 1));
        raw_close(&client);
    }
    AWAIT(bad.server.closed == SENDERS);
    EXPECT(bad.server.ended[PIPEPORT_BAD_PEER] + bad.server.ended[PIPEPORT_GONE] == SENDERS);
    EXPECT(bad.server.ended[PIPEPORT_BAD_PEER] > 0);
    bad_close(SENDERS);
}

/* ---- Silence ---- */

Test(bad_peers, half_a_header_and_silence_is_harmless_without_a_bound_in_time)
{
    static const uint8_t header[4] = {3, 0, 0, 0};
    raw_client client;
    bad_open((pipeport_options){0});
    bad_connect(&client);
    EXPECT(raw_write(&client, header, 2));
    talker_still_talks(bad.good, GOOD, 5);
    EXPECT(raw_write(&client, header + 2, 2));
    EXPECT(raw_write(&client, "abc", 3));
    bad_read_frame(&client, "abc", 3);
    raw_close(&client);
    AWAIT(bad.server.ended[PIPEPORT_GONE] == 1);
    bad_close(1);
}

/* Bounds in time are those of a server beside the good ones' own: the whole process may stand still for longer than a
 * bound, and then all whom it binds are rightly ended. So nobody must end sooner than his bound allows. */
enum { SILENCE_MS = 2000, FOR_EVER = 0 };

static test_peer bad_strict;
static uint64_t bad_begin_ms; /* Before anybody connected to it. */

static bool bad_may_be_over(uint64_t since_ms)
{
    return since_ms != FOR_EVER && pp_os_now_ms() - since_ms >= SILENCE_MS;
}

static void bad_strict_closed(test_peer *peer, pipeport_conn conn, const pipeport_end *end)
{
    (void) peer;
    (void) conn;
    EXPECT(end->why != PIPEPORT_TIMED_OUT || bad_may_be_over(bad_begin_ms));
}

/* A message there and back. False: the server has ended it. */
static bool bad_talk(raw_client *client)
{
    static const char frame[] = {4, 0, 0, 0, 't', 'a', 'l', 'k'};
    char back[sizeof frame];
    if (!raw_write(client, frame, sizeof frame) || !raw_read_all(client, back, sizeof back)) {
        return false;
    }
    EXPECT(memcmp(back, frame, sizeof frame) == 0);
    return true;
}

/* Talks until two others are ended for their silence. Each message gives it so much time again, or for ever. */
static void bad_talk_on(raw_client *client, bool again)
{
    uint64_t since_ms = bad_begin_ms, over = 0, until_ms = expect_until(EXPECT_PATIENCE_MS);
    bool ended = false;
    while (!ended) {
        uint64_t now_ms = pp_os_now_ms();
        ended = bad_strict.ended[PIPEPORT_TIMED_OUT] >= 2 + over; /* And behind that it still talks. */
        if (over == 0 && bad_talk(client)) {
            since_ms = again ? now_ms : FOR_EVER;
        } else if (over == 0) {
            over = 1;
            EXPECT(bad_may_be_over(since_ms));
        }
        until_ms = expect_nap(until_ms, "two are ended for their silence", __FILE__, __LINE__);
    }
    raw_close(client);
    AWAIT(bad_strict.closed == 3 && bad_strict.ended[PIPEPORT_TIMED_OUT] + bad_strict.ended[PIPEPORT_GONE] == 3);
}

/* One talks, whose turn would be the first; one is silent; and one is so after half a header (behind a message, where
 * that gives it time again). */
static void bad_be_silent(pipeport_options options)
{
    char name[RIG_NAME_BYTES];
    raw_client clients[3];
    bool again = options.idle_ms != 0;
    bad_open((pipeport_options){0});
    rig_name(name);
    options.size = sizeof options;
    bad_strict.does = (peer_does){.message = peer_echo, .closed = bad_strict_closed};
    peer_serve(&bad_strict, &bad.rig, name, &options);
    bad_begin_ms = pp_os_now_ms();
    for (int i = 0; i < 3; ++i) {
        cr_assert(raw_connect(&clients[i], pipeport_server_address(bad_strict.server)));
        AWAIT(bad_strict.opened == (uint64_t) i + 1);
    }
    EXPECT(!again || bad_talk(&clients[2]) || bad_may_be_over(bad_begin_ms));
    EXPECT(raw_write(&clients[2], "\3\0", 2) || bad_may_be_over(bad_begin_ms));
    bad_talk_on(&clients[0], again);
    bad_meets_the_end(&clients[1]);
    bad_meets_the_end(&clients[2]);
    peer_stop(&bad_strict, 0);
    bad_close(0);
}

Test(bad_peers, half_a_header_and_silence_is_ended_by_first_message_ms)
{
    bad_be_silent((pipeport_options){.first_message_ms = SILENCE_MS});
}

Test(bad_peers, half_a_header_and_silence_is_ended_by_idle_ms)
{
    bad_be_silent((pipeport_options){.idle_ms = SILENCE_MS});
}

/* ---- A client that never reads ---- */

/* Sends numbered messages of 1,000 bytes until the queue is full. */
static uint32_t bad_fill(pipeport_conn conn)
{
    char data[1000];
    uint32_t number = 0;
    pipeport_status status;
    do {
        pattern_fill(data, sizeof data, number);
        status = pipeport_send(bad.rig.engine, conn, data, sizeof data);
        number += status == PIPEPORT_OK;
    } while (status == PIPEPORT_OK && number < 100000);
    EXPECT(status == PIPEPORT_FULL);
    return number;
}

enum { QUEUE_BYTES = 600 * 1000 }; /* More than twice what the system itself holds of it. */

Test(bad_peers, a_client_that_never_reads_costs_its_queue_and_hears_all_once_it_reads)
{
    raw_client client;
    bad_open((pipeport_options){.send_queue_bytes_max = QUEUE_BYTES});
    pipeport_conn conn = bad_connect(&client);
    uint32_t sent = bad_fill(conn);
    talker_still_talks(bad.good, GOOD, 5);
    EXPECT(bad.server.drained == 0);
    EXPECT(peer_stats(&bad.server).sends_refused == 1);
    EXPECT(peer_stats(&bad.server).bytes_accepted >= QUEUE_BYTES - 1004);
    for (uint32_t i = 0; i < sent; ++i) {
        char frame[1004];
        cr_assert(raw_read_all(&client, frame, sizeof frame));
        EXPECT(pattern_is(frame + 4, 1000, i));
    }
    AWAIT(bad.server.drained == 1);
    EXPECT(pipeport_send(bad.rig.engine, conn, "more", 4) == PIPEPORT_OK);
    bad_read_frame(&client, "more", 4);
    raw_close(&client);
    AWAIT(bad.server.closed == 1);
    bad_close(1);
}

enum { STALL_MS = 1500 };

/* In a few steps: the queue is full long before the first write that waits is overdue, or they took as long. */
static void bad_fill_at_once(pipeport_conn conn)
{
    static const char data[BOUND];
    pipeport_status status = PIPEPORT_OK;
    uint64_t begin_ms = pp_os_now_ms();
    for (int i = 0; i < 100 && status == PIPEPORT_OK; ++i) {
        status = pipeport_send(bad.rig.engine, conn, data, sizeof data);
    }
    EXPECT(status == PIPEPORT_FULL || (status == PIPEPORT_GONE && pp_os_now_ms() - begin_ms >= STALL_MS));
}

Test(bad_peers, a_client_that_never_reads_is_ended_by_write_stall_ms)
{
    raw_client client;
    bad_open((pipeport_options){.send_queue_bytes_max = 300 * 1000, .write_stall_ms = STALL_MS});
    pipeport_conn conn = bad_connect(&client);
    uint64_t begin_ms = pp_os_now_ms();
    bad_fill_at_once(conn);
    AWAIT(bad.server.ended[PIPEPORT_SLOW_PEER] == 1);
    EXPECT(pp_os_now_ms() - begin_ms >= STALL_MS);
    EXPECT(peer_stats(&bad.server).bytes_discarded > 0);
    EXPECT(pipeport_send(bad.rig.engine, conn, "late", 4) == PIPEPORT_GONE);
    raw_close(&client);
    bad_close(1);
}

/* ---- A process that is killed ---- */

Test(bad_peers, a_process_killed_in_the_middle_of_a_message_is_gone_and_no_more)
{
    bad_open((pipeport_options){0});
    for (uint64_t i = 0; i < 3; ++i) {
        system_child child;
        uint64_t before = bad.server.opened;
        cr_assert(system_spawn_victim(&child, "half", bad.address));
        AWAIT(bad.server.opened == before + 1);
        talker_still_talks(bad.good, GOOD, 1); /* So that its half message is there, or soon. */
        EXPECT(bad.server.closed == i);
        system_kill(&child);
        AWAIT(bad.server.closed == i + 1);
    }
    EXPECT(bad.server.ended[PIPEPORT_GONE] == 3);
    bad_close(3);
}
