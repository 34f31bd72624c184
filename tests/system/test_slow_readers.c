/* SPDX-License-Identifier: MIT */
/*
 * test_slow_readers.c - broadcasts to 255 of whom 25 never read: the other 230 hear every one, in order, whatever
 * options.when_full says, and what waits for the 25 is held to its bound.
 */
#include "engine/flow/message.h"
#include "tests/support/expect.h"
#include "tests/support/pattern.h"
#include "tests/support/peer.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>

TestSuite(slow_readers, .timeout = 280);

enum {
    ALL = 255,
    SLOW = 25,
    GOOD = ALL - SLOW,
    LENGTH = 1000,
    FRAME = LENGTH + 4,
    QUEUE = 64 * 1024,
    WINDOW = 16, /* Twice that is the most that waits for a good one: half a queue. */
    LINKS = 256, /* Slots of a server's group come by the chunk. */
#ifdef _WIN32
    MESSAGES = 10 * WINDOW /* Wine's server is one thread. */
#else
    MESSAGES = 60 * WINDOW
#endif
};

static struct {
    test_rig rig, clients_rig; /* So that one engine's memory is the server's alone. */
    test_peer server;
    char name[RIG_NAME_BYTES];
    test_peer good[GOOD];
    raw_client slow[SLOW];
    uint64_t memory_before;
} stage; /* Each test is a process of its own. */

static void slow_hear(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    (void) conn;
    EXPECT(length == LENGTH && pattern_is(data, length, peer->messages));
}

/* Slow and good ones come mixed, so that their places in the server's group are. */
static void slow_open(pipeport_when_full when_full)
{
    pipeport_options options = {.size = sizeof options,
                                .message_bytes_max = LENGTH,
                                .send_queue_bytes_max = QUEUE,
                                .pipe_buffer_bytes = 4096,
                                .write_stall_ms = UINT32_MAX,
                                .when_full = when_full};
    rig_name(stage.name);
    rig_open_with(&stage.rig, (pipeport_engine_options){
                                  .size = sizeof(pipeport_engine_options), .workers = 2, .memory_bytes_max = 32 << 20});
    rig_open(&stage.clients_rig, 2);
    peer_serve(&stage.server, &stage.rig, stage.name, &options);
    for (uint32_t i = 0, slow = 0; i < ALL; ++i) {
        if (i % 10 == 3 && slow < SLOW) {
            cr_assert(raw_connect(&stage.slow[slow++], pipeport_server_address(stage.server.server)));
        } else {
            stage.good[i - slow].does.message = slow_hear;
            peer_dial(&stage.good[i - slow], &stage.clients_rig, stage.name, NULL);
        }
        AWAIT(stage.server.opened == i + 1);
    }
    stage.memory_before = rig_figures(&stage.rig).memory_bytes;
}

static void slow_await_good(uint64_t messages)
{
    for (uint32_t i = 0; i < GOOD; ++i) {
        AWAIT(stage.good[i].messages >= messages);
    }
}

/* All good ones hear all; how many deliveries the slow ones took. */
static uint64_t slow_flood(void)
{
    static char data[LENGTH];
    uint64_t taken = 0;
    for (uint64_t i = 0; i < MESSAGES; ++i) {
        uint32_t reached = 0;
        pattern_fill(data, LENGTH, i);
        EXPECT(pipeport_broadcast(stage.server.server, data, LENGTH, &reached) == PIPEPORT_OK);
        EXPECT(reached >= GOOD && reached <= ALL);
        taken += reached - GOOD;
        if (i % WINDOW == 0 && i > WINDOW) {
            slow_await_good(i - WINDOW);
        }
    }
    slow_await_good(MESSAGES);
    EXPECT(peer_stats(&stage.server).messages_sent == MESSAGES * GOOD + taken);
    return taken;
}

/* What waits for the slow ones: a queue each, some of it copied together for a write, and the links of what is still
 * shared. */
static void slow_expect_bounded(void)
{
    uint64_t links = (QUEUE / FRAME + 1) * (sizeof(pp_message) + LINKS * sizeof(pp_link));
    uint64_t bound = stage.memory_before + SLOW * (uint64_t) QUEUE + links + 256 * 1024; /* Blocks of the workers. */
    AWAIT(rig_figures(&stage.rig).memory_bytes <= bound);
}

static void slow_close(void)
{
    for (uint32_t i = 0; i < SLOW; ++i) {
        raw_close(&stage.slow[i]);
    }
    AWAIT(stage.server.closed == SLOW);
    for (uint32_t i = 0; i < GOOD; ++i) {
        EXPECT(stage.good[i].messages == MESSAGES);
        peer_stop(&stage.good[i], 0);
    }
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
    rig_close(&stage.clients_rig);
}

/* What the slow ones did not take is counted once each, by the way that was chosen, and nothing else is. */
static void slow_try(pipeport_when_full when_full)
{
    slow_open(when_full);
    uint64_t missed = SLOW * MESSAGES - slow_flood();
    pipeport_stats stats = peer_stats(&stage.server);
    EXPECT(missed > 0 && missed < SLOW * MESSAGES);
    EXPECT(stats.broadcasts_refused == (when_full == PIPEPORT_REFUSE ? missed : 0));
    EXPECT(stats.broadcasts_dropped == (when_full == PIPEPORT_DROP_NEWEST ? missed : 0));
    EXPECT(stats.sends_refused == 0);
}

Test(slow_readers, are_passed_over_where_they_are_refused)
{
    slow_try(PIPEPORT_REFUSE);
    EXPECT(peer_stats(&stage.server).slow_peers == 0);
    slow_expect_bounded();
    slow_close();
}

Test(slow_readers, lose_the_newest_where_that_is_dropped)
{
    slow_try(PIPEPORT_DROP_NEWEST);
    EXPECT(peer_stats(&stage.server).slow_peers == 0);
    EXPECT(stage.server.drained == 0);
    slow_expect_bounded();
    slow_close();
}

Test(slow_readers, are_disconnected_where_that_is_asked_for)
{
    slow_try(PIPEPORT_DISCONNECT);
    AWAIT(stage.server.ended[PIPEPORT_SLOW_PEER] == SLOW);
    pipeport_stats stats = peer_stats(&stage.server);
    EXPECT(stats.slow_peers == SLOW && stats.connections_open == GOOD);
    AWAIT(rig_figures(&stage.rig).memory_bytes <= stage.memory_before + 256 * 1024); /* Nothing waits for them. */
    slow_close();
}
