/* SPDX-License-Identifier: MIT */
/*
 * test_held_up.c - a handler that takes longer than idle_ms costs no peer its connection: neither the one whose message
 * it handles, nor one whose bytes wait meanwhile for the only worker there is. Who then is silent is closed for it.
 */
#include "engine/port/os.h"
#include "tests/support/expect.h"
#include "tests/support/peer.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>
#include <string.h>

enum { IDLE_MS = 4000, HOLD_MS = 5000 }; /* The first is what a busy machine may need for a few calls. */

TestSuite(held_up, .timeout = 60);

static test_rig rig;
static test_peer server;
static pp_gate handling, never;

static void held_message(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    if (length == 4 && memcmp(data, "hold", 4) == 0) {
        (void) pp_gate_leave(&handling);
        (void) pp_gate_wait(&never, HOLD_MS);
    }
    peer_echo(peer, conn, data, length);
}

static void held_connect(raw_client *client)
{
    uint64_t before = server.opened;
    cr_assert(raw_connect(client, pipeport_server_address(server.server)));
    AWAIT(server.opened == before + 1);
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
    char name[RIG_NAME_BYTES];
    raw_client holding, waiting;
    pp_gate_init(&handling, 1);
    pp_gate_init(&never, 1);
    rig_name(name);
    rig_open(&rig, 1);
    server.does.message = held_message;
    peer_serve(&server, &rig, name, &options);
    held_connect(&holding);
    held_connect(&waiting);
    EXPECT(raw_write(&holding, "\4\0\0\0hold", 8));
    EXPECT(pp_gate_wait(&handling, IDLE_MS));
    EXPECT(raw_write(&waiting, "\4\0\0\0here", 8));
    held_hears(&holding, "\4\0\0\0hold");
    held_hears(&waiting, "\4\0\0\0here");
    EXPECT(server.closed == 0);
    held_meets_the_end(&holding);
    held_meets_the_end(&waiting);
    AWAIT(server.ended[PIPEPORT_TIMED_OUT] == 2);
    peer_stop(&server, 0);
    rig_close(&rig);
}
