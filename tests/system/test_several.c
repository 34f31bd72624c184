/* SPDX-License-Identifier: MIT */
/*
 * test_several.c - several servers in one process, each with its own type, framing, direction, access, buffers, limits
 * and bounds in time: each keeps to its own, and what ends one leaves the others alone.
 */
#include "engine/port/os.h"
#include "tests/support/expect.h"
#include "tests/support/peer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(several, .timeout = 100);

enum { LINES, ASKED, PUSHED, SERVERS, NAME_BYTES = 100, PUSHES = 5, CONNECT_MS = 300, IDLE_MS = 2000 };

static test_rig rig;
static char names[SERVERS][NAME_BYTES];
static test_peer servers[SERVERS], clients[SERVERS], seconds[SERVERS];
static uint64_t several_asked_ms; /* Before anybody connected to the server that bears no silence. */

/* Access for others wants a path on Linux. */
#ifdef _WIN32
#define SEVERAL_PATH ""
#else
#define SEVERAL_PATH "/tmp/"
#endif

static const pipeport_options several_options[SERVERS] = {
    [LINES] = {.framing = {.kind = PIPEPORT_FRAMING_DELIMITER, .delimiter = '\n'},
               .in_buffer_bytes = 512,
               .connections_max = 1,
               .message_bytes_max = 10},
    [ASKED] = {.framing = {.kind = PIPEPORT_FRAMING_MESSAGE},
               .access = PIPEPORT_ACCESS_LOCAL_USERS,
               .instances_max = 2,
               .idle_ms = IDLE_MS},
    [PUSHED] = {.direction = PIPEPORT_TO_CLIENT, .out_buffer_bytes = 1 << 20, .connections_per_process_max = 1},
};

static pipeport_options several_of(int which)
{
    pipeport_options options = several_options[which];
    options.size = sizeof options;
    return options;
}

/* A client bears silence for ever: who of two with one bound meets it first, nobody knows. */
static void several_dial(test_peer *client, int which, uint32_t connect_ms)
{
    pipeport_options options = several_of(which);
    options.connect_ms = connect_ms;
    options.idle_ms = 0;
    peer_dial(client, &rig, names[which], &options);
}

static void several_push(test_peer *peer, pipeport_conn conn)
{
    for (int i = 0; i < PUSHES; ++i) {
        EXPECT(pipeport_send(peer->rig->engine, conn, "pushed", 6) == PIPEPORT_OK);
    }
}

static void several_open(void)
{
    rig_open(&rig, 2);
    for (int i = 0; i < SERVERS; ++i) {
        char name[RIG_NAME_BYTES];
        pipeport_options options = several_of(i);
        rig_name(name);
        (void) snprintf(names[i], NAME_BYTES, "%s%s", i == ASKED ? SEVERAL_PATH : "", name);
        servers[i].does.message = peer_echo;
        servers[i].does.opened = i == PUSHED ? several_push : NULL;
        peer_serve(&servers[i], &rig, names[i], &options);
    }
    several_asked_ms = pp_os_now_ms();
    for (int i = 0; i < SERVERS; ++i) {
        several_dial(&clients[i], i, EXPECT_PATIENCE_MS);
        AWAIT(clients[i].opened == 1 && servers[i].opened == 1);
    }
}

/* One more for each: lines have no place for him, the pushes turn his process away, and who asks lets him in. */
static void several_come_again(void)
{
    for (int i = 0; i < SERVERS; ++i) {
        several_dial(&seconds[i], i, i == LINES ? CONNECT_MS : EXPECT_PATIENCE_MS);
    }
    AWAIT(seconds[LINES].failed == 1 && seconds[LINES].failed_why == PIPEPORT_BUSY);
    AWAIT(servers[ASKED].opened == 2);
    AWAIT(peer_stats(&servers[PUSHED]).accepts_refused == 1);
    EXPECT(servers[LINES].opened == 1 && servers[PUSHED].opened == 1 && servers[PUSHED].closed == 0);
}

Test(several, keep_to_their_own_options)
{
    several_open();
    EXPECT(peer_send(&clients[LINES], "elevenbytes", 11) == PIPEPORT_TOO_LARGE);
    EXPECT(peer_send(&clients[LINES], "a\nb", 3) == PIPEPORT_INVALID);
    EXPECT(peer_send(&clients[LINES], "line", 4) == PIPEPORT_OK);
    bool asked = peer_send(&clients[ASKED], "eleven\nbytes", 12) == PIPEPORT_OK;
    EXPECT(peer_send(&clients[PUSHED], "x", 1) == PIPEPORT_UNSUPPORTED);
    AWAIT(clients[LINES].messages == 1 && clients[PUSHED].messages == PUSHES);
    AWAIT(clients[ASKED].messages == 1 || clients[ASKED].closed == 1);
    /* Where the machine stood still meanwhile, it was silent for too long. */
    EXPECT((asked && clients[ASKED].messages == 1) || pp_os_now_ms() - several_asked_ms >= IDLE_MS);
    EXPECT(clients[LINES].bytes == 4 && clients[PUSHED].bytes == 6 * PUSHES);
    EXPECT(clients[ASKED].bytes == 12 * clients[ASKED].messages);
    several_come_again();
    AWAIT(servers[ASKED].ended[PIPEPORT_TIMED_OUT] == 2); /* Only they may not be silent. */
    peer_stop(&servers[ASKED], 0);
    EXPECT(servers[LINES].closed == 0 && servers[PUSHED].closed == 0);
    EXPECT(peer_send(&clients[LINES], "again", 5) == PIPEPORT_OK);
    EXPECT(pipeport_broadcast(servers[PUSHED].server, "again", 5, NULL) == PIPEPORT_OK);
    AWAIT(clients[LINES].messages == 2 && clients[PUSHED].messages == PUSHES + 1);
    for (int i = 0; i < SERVERS; ++i) {
        peer_stop(&seconds[i], 0);
        peer_stop(&clients[i], 0);
        peer_stop(&servers[i], 0);
    }
    rig_close(&rig);
    expect_fine();
}
