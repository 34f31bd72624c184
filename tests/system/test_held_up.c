/* SPDX-License-Identifier: MIT */
/*
 * test_held_up.c - a handler that takes longer than idle_ms costs no peer its connection: neither the one whose message
 * it handles, nor one whose bytes wait meanwhile for the only worker there is. Who then is silent is closed for it; and
 * who never is, but does not come to the end of its first message either, is closed for that.
 *
 * The whole process may stand still for longer than a bound of these: so nobody is asked to be quick. A connection
 * must not end sooner than its bound allows; and where a bound passed before the handler held, it is begun anew.
 */
#include "engine/port/os.h"
#include "tests/support/expect.h"
#include "tests/support/peer.h"
#include "tests/support/system.h"
#include "tests/support/threads.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
    IDLE_MS = 2000, /* What a busy machine needs for a few calls, but now and then. */
    HOLD_MS = 2500,
    HOLD_NAP_MS = 5, /* Whatever the system brings while a thread waits comes piece by piece. */
    PIECES = 200,
    BUSY_MS = 5,
    BUSY_BYTES = 60000 /* About as much as a turn reads. */
};

TestSuite(held_up, .timeout = 110);

static test_rig rig;
static test_peer server;
static pp_gate never;
static _Atomic bool held_handling; /* The handler has begun to hold. */
static _Atomic bool held_written;  /* All that is to come while it holds. */
static struct {
    uint64_t conn, handled_ms;
} held_handled[2]; /* The server's events, which are one thread's: whose message was handled, and when last. */

static void held_message(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    bool holds = length == 4 && memcmp(data, "hold", 4) == 0;
    if (holds) {
        atomic_store(&held_handling, true);
        for (int held_ms = 0; held_ms < HOLD_MS || !atomic_load(&held_written); held_ms += HOLD_NAP_MS) {
            (void) pp_gate_wait(&never, HOLD_NAP_MS);
        }
    }
    peer_echo(peer, conn, data, length);
    held_handled[holds].conn = conn.id;
    held_handled[holds].handled_ms = pp_os_now_ms();
}

/* Who was silent for too long was so after his message was handled. */
static void held_closed(test_peer *peer, pipeport_conn conn, const pipeport_end *end)
{
    (void) peer;
    for (int i = 0; i < 2; ++i) {
        EXPECT(end->why != PIPEPORT_TIMED_OUT || held_handled[i].conn != conn.id ||
               pp_os_now_ms() - held_handled[i].handled_ms >= IDLE_MS);
    }
}

static void held_open(const pipeport_options *options,
                      void (*message)(test_peer *, pipeport_conn, const void *, size_t))
{
    char name[RIG_NAME_BYTES];
    pp_gate_init(&never, 1);
    rig_name(name);
    rig_open(&rig, 1);
    server = (test_peer){.does = {.message = message, .closed = held_closed}};
    peer_serve(&server, &rig, name, options);
}

static void held_connect(raw_client *client)
{
    uint64_t before = server.opened;
    cr_assert(raw_connect(client, pipeport_server_address(server.server)));
    AWAIT(server.opened == before + 1);
}

static void held_end(void)
{
    peer_stop(&server, 0);
    rig_close(&rig);
}

/* Somebody was closed before the test could begin: it took longer than the bound that he has. */
static void held_begin_anew(uint64_t begin_ms)
{
    EXPECT(pp_os_now_ms() - begin_ms >= IDLE_MS);
    held_end();
    memset(held_handled, 0, sizeof held_handled);
}

/* The one's message is being handled, for HOLD_MS, and until all is written. */
static void held_open_two(const pipeport_options *options, raw_client *holding, raw_client *waiting)
{
    for (;;) {
        held_open(options, held_message);
        uint64_t begin_ms = pp_os_now_ms();
        held_connect(holding);
        held_connect(waiting);
        (void) raw_write(holding, "\4\0\0\0hold", 8);
        AWAIT(held_handling || server.closed != 0);
        if (held_handling && server.closed == 0) { /* And nobody is closed while it holds. */
            return;
        }
        atomic_store(&held_written, true);
        raw_close(holding);
        raw_close(waiting);
        AWAIT(server.closed == 2);
        held_begin_anew(begin_ms);
        atomic_store(&held_handling, false);
        atomic_store(&held_written, false);
    }
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
    held_meets_the_end(&holding);
    held_meets_the_end(&waiting);
    AWAIT(server.ended[PIPEPORT_TIMED_OUT] == 2);
    held_end();
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
    held_end();
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

static uint8_t held_frame[4 + BUSY_BYTES] = {BUSY_BYTES & 0xFF, BUSY_BYTES >> 8};

static void held_keep_busy(void *argument)
{
    while (!atomic_load(&held_over)) {
        EXPECT(raw_write(argument, held_frame, sizeof held_frame));
    }
}

/* One whose first message is there, so that he may be silent for ever. */
static void held_open_busy(const pipeport_options *options, raw_client *busy)
{
    for (;;) {
        held_open(options, held_be_busy);
        uint64_t begin_ms = pp_os_now_ms();
        held_connect(busy);
        (void) raw_write(busy, held_frame, sizeof held_frame);
        AWAIT(server.messages == 1 || server.closed == 1);
        if (server.messages == 1) {
            return;
        }
        raw_close(busy);
        held_begin_anew(begin_ms);
    }
}

Test(held_up, ends_a_first_message_that_never_ends)
{
    pipeport_options options = {.size = sizeof options, .first_message_ms = IDLE_MS, .message_bytes_max = 16 << 20};
    raw_client busy, dripping;
    test_thread thread;
    held_open_busy(&options, &busy);
    test_thread_start(&thread, held_keep_busy, &busy);
    uint64_t begin_ms = pp_os_now_ms();
    held_connect(&dripping);
    (void) raw_write(&dripping, "\0\0\0\1", 4); /* 16 MiB. It may have been ended already. */
    while (server.closed == 0 && pp_os_now_ms() - begin_ms < EXPECT_PATIENCE_MS) {
        (void) raw_write(&dripping, "", 1);
        (void) pp_gate_wait(&never, 1);
    }
    EXPECT(server.ended[PIPEPORT_TIMED_OUT] == 1 && pp_os_now_ms() - begin_ms >= IDLE_MS);
    cr_log_info("ended after %u ms", (unsigned) (pp_os_now_ms() - begin_ms));
    atomic_store(&held_over, true);
    test_thread_join(&thread);
    raw_close(&dripping);
    raw_close(&busy);
    AWAIT(server.closed == 2);
    held_end();
}
