/* SPDX-License-Identifier: MIT */
/*
 * test_held_up.c - a handler that takes longer than idle_ms costs no peer its connection: neither the one whose message
 * it handles, nor one whose bytes wait meanwhile for the only worker there is. Who then is silent is closed for it; and
 * who never is, but does not come to the end of its first message either, is closed for that.
 */
#include "engine/port/os.h"
#include "tests/support/expect.h"
#include "tests/support/peer.h"
#include "tests/support/system.h"
#include "tests/support/threads.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
    IDLE_MS = 4000, /* What a busy machine may need for a few calls. */
    HOLD_MS = 5000,
    HOLD_NAP_MS = 5, /* Whatever the system brings while a thread waits comes piece by piece. */
    PIECES = 200,
    BUSY_MS = 5,
    BUSY_BYTES = 60000 /* About as much as a turn reads. */
};

TestSuite(held_up, .timeout = 60);

static test_rig rig;
static test_peer server;
static pp_gate handling, never;
static _Atomic bool held_written; /* All that is to come while the handler holds. */

static void held_message(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    if (length == 4 && memcmp(data, "hold", 4) == 0) {
        (void) pp_gate_leave(&handling);
        for (int held_ms = 0; held_ms < HOLD_MS || !atomic_load(&held_written); held_ms += HOLD_NAP_MS) {
            (void) pp_gate_wait(&never, HOLD_NAP_MS);
        }
    }
    peer_echo(peer, conn, data, length);
}

static void held_open(const pipeport_options *options,
                      void (*message)(test_peer *, pipeport_conn, const void *, size_t))
{
    char name[RIG_NAME_BYTES];
    pp_gate_init(&handling, 1);
    pp_gate_init(&never, 1);
    rig_name(name);
    rig_open(&rig, 1);
    server.does.message = message;
    peer_serve(&server, &rig, name, options);
}

static void held_connect(raw_client *client)
{
    uint64_t before = server.opened;
    cr_assert(raw_connect(client, pipeport_server_address(server.server)));
    AWAIT(server.opened == before + 1);
}

/* The one's message is being handled, for HOLD_MS, and until all is written. */
static void held_open_two(const pipeport_options *options, raw_client *holding, raw_client *waiting)
{
    held_open(options, held_message);
    held_connect(holding);
    held_connect(waiting);
    EXPECT(raw_write(holding, "\4\0\0\0hold", 8));
    EXPECT(pp_gate_wait(&handling, EXPECT_PATIENCE_MS));
}

static void held_hears(raw_client *client, const char *frame)
{
    char heard[8];
    EXPECT(raw_read_all(client, heard, 8));
    EXPECT(memcmp(heard, frame, 8) == 0);
}

static void held_meets_the_end(raw_client *client)
{
    char byte;
    EXPECT(raw_read(client, &byte, 1) == 0);
    raw_close(client);
}

Test(held_up, closes_nobody_for_its_own_time)
{
    pipeport_options options = {.size = sizeof options, .idle_ms = IDLE_MS};
    raw_client holding, waiting;
    held_open_two(&options, &holding, &waiting);
    EXPECT(raw_write(&waiting, "\4\0\0\0here", 8));
    atomic_store(&held_written, true);
    held_hears(&holding, "\4\0\0\0hold");
    held_hears(&waiting, "\4\0\0\0here");
    EXPECT(server.closed == 0);
    held_meets_the_end(&holding);
    held_meets_the_end(&waiting);
    AWAIT(server.ended[PIPEPORT_TIMED_OUT] == 2);
    peer_stop(&server, 0);
    rig_close(&rig);
}

Test(held_up, waits_for_all_of_a_first_message_that_came_in_time)
{
    static const char filler[PIECES];
    pipeport_options options = {.size = sizeof options, .first_message_ms = IDLE_MS};
    raw_client holding, waiting;
    held_open_two(&options, &holding, &waiting);
    uint8_t length[4] = {PIECES & 0xFF, PIECES >> 8};
    EXPECT(raw_write(&waiting, length, sizeof length));
    for (uint32_t i = 0; i < PIECES; ++i) { /* Each is a piece of its own while the worker naps. */
        EXPECT(raw_write(&waiting, filler + i, 1));
        (void) pp_gate_wait(&never, 1);
    }
    atomic_store(&held_written, true);
    held_hears(&holding, "\4\0\0\0hold");
    AWAIT(server.messages == 2);
    EXPECT(server.closed == 0);
    raw_close(&waiting);
    raw_close(&holding);
    AWAIT(server.closed == 2);
    peer_stop(&server, 0);
    rig_close(&rig);
}

static _Atomic bool held_over;

/* The worker is never idle, so that whenever it looks at the other one's clock, something of that one waits. */
static void held_be_busy(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    (void) peer;
    (void) conn;
    (void) data;
    (void) length;
    (void) pp_gate_wait(&never, atomic_load(&held_over) ? 0 : BUSY_MS);
}

static void held_keep_busy(void *argument)
{
    static uint8_t frame[4 + BUSY_BYTES] = {BUSY_BYTES & 0xFF, BUSY_BYTES >> 8};
    while (!atomic_load(&held_over)) {
        EXPECT(raw_write(argument, frame, sizeof frame));
    }
}

Test(held_up, ends_a_first_message_that_never_ends)
{
    pipeport_options options = {.size = sizeof options, .first_message_ms = IDLE_MS, .message_bytes_max = 16 << 20};
    raw_client busy, dripping;
    test_thread thread;
    held_open(&options, held_be_busy);
    held_connect(&busy);
    test_thread_start(&thread, held_keep_busy, &busy);
    held_connect(&dripping);
    EXPECT(raw_write(&dripping, "\0\0\0\1", 4)); /* 16 MiB. */
    uint64_t begin_ms = pp_os_now_ms();
    while (server.closed == 0 && pp_os_now_ms() - begin_ms < EXPECT_PATIENCE_MS) {
        (void) raw_write(&dripping, "", 1);
        (void) pp_gate_wait(&never, 1);
    }
    EXPECT(server.ended[PIPEPORT_TIMED_OUT] == 1);
    cr_log_info("ended after %u ms", (unsigned) (pp_os_now_ms() - begin_ms));
    atomic_store(&held_over, true);
    test_thread_join(&thread);
    raw_close(&dripping);
    raw_close(&busy);
    AWAIT(server.closed == 2);
    peer_stop(&server, 0);
    rig_close(&rig);
}
