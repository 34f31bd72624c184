/* SPDX-License-Identifier: MIT */
/*
 * test_guests.c - who may come to a server and who is there, on real pipes; and pipes of one direction.
 */
#include "tests/support/expect.h"
#include "tests/support/rig.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <string.h>

TestSuite(guests, .timeout = 110);

static test_rig rig; /* Each test is a process of its own. */
static char name[RIG_NAME_BYTES];
static pipeport_server *server;
static _Atomic unsigned asked, opened, closed, heard;
static _Atomic bool refuses;
static _Atomic uint64_t last;

static bool guests_accept(void *user, const pipeport_peer *peer)
{
    (void) user;
    EXPECT(peer->process_id == system_pid());
    EXPECT(peer->user[0] != '\0');
    asked += 1;
    return !refuses;
}

static void *guests_opened(void *user, pipeport_conn conn)
{
    (void) user;
    last = conn.id;
    opened += 1;
    return NULL;
}

static void guests_closed(void *user, void *state, pipeport_conn conn, const pipeport_end *end)
{
    (void) user;
    (void) state;
    (void) conn;
    (void) end;
    closed += 1;
}

static void guests_message(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    (void) user;
    (void) state;
    (void) conn;
    EXPECT(length == 4 && memcmp(data, "word", 4) == 0);
    heard += 1;
}

static void guests_begin(pipeport_options options, bool asks)
{
    pipeport_events events = {.size = sizeof events,
                              .opened = guests_opened,
                              .message = guests_message,
                              .closed = guests_closed,
                              .accept = asks ? guests_accept : NULL};
    rig_name(name);
    rig_open(&rig, 2);
    options.size = sizeof options;
    cr_assert_eq(pipeport_server_start(&server, rig.engine, name, &options, &events), PIPEPORT_OK);
}

static void guests_end(void)
{
    pipeport_server_stop(server, 0);
    rig_close(&rig);
    expect_fine();
}

static uint64_t guests_refused(void)
{
    pipeport_stats stats = {.size = sizeof stats};
    EXPECT(pipeport_server_stats(server, &stats) == PIPEPORT_OK);
    return stats.accepts_refused;
}

static bool guests_is_ended(raw_client *raw)
{
    char byte;
    return raw_read(raw, &byte, 1) == 0;
}

Test(guests, are_turned_away_by_the_event)
{
    raw_client raw;
    guests_begin((pipeport_options){0}, true);
    refuses = true;
    cr_assert(raw_connect(&raw, pipeport_server_address(server)));
    EXPECT(guests_is_ended(&raw));
    raw_close(&raw);
    AWAIT(guests_refused() == 1);
    EXPECT(opened == 0);
    refuses = false;
    cr_assert(raw_connect(&raw, pipeport_server_address(server)));
    AWAIT(opened == 1);
    EXPECT(asked == 2 && guests_refused() == 1);
    raw_close(&raw);
    AWAIT(closed == 1);
    guests_end();
}

Test(guests, are_bounded_by_process_and_user_until_one_leaves)
{
    for (int by_user = 0; by_user < 2; ++by_user) {
        raw_client raws[3];
        opened = closed = 0;
        guests_begin((pipeport_options){.connections_per_process_max = by_user ? 0 : 2,
                                        .connections_per_user_max = by_user ? 2 : 0},
                     false);
        for (int i = 0; i < 3; ++i) {
            cr_assert(raw_connect(&raws[i], pipeport_server_address(server)));
            AWAIT(opened + guests_refused() == (unsigned) i + 1);
        }
        EXPECT(guests_is_ended(&raws[2]));
        EXPECT(opened == 2 && guests_refused() == 1);
        raw_close(&raws[2]);
        raw_close(&raws[0]);
        AWAIT(closed == 1);
        cr_assert(raw_connect(&raws[0], pipeport_server_address(server)));
        AWAIT(opened == 3);
        raw_close(&raws[0]);
        raw_close(&raws[1]);
        AWAIT(closed == 3);
        guests_end();
    }
}

Test(guests, are_known)
{
    raw_client raw;
    pipeport_conn conns[2];
    pipeport_peer peer = {0};
    size_t count = 0;
    guests_begin((pipeport_options){0}, false);
    cr_assert(raw_connect(&raw, pipeport_server_address(server)));
    AWAIT(opened == 1);
    EXPECT(pipeport_server_connections(server, conns, 2, &count) == PIPEPORT_OK);
    EXPECT(count == 1 && conns[0].id == last);
    EXPECT(pipeport_peer_of(rig.engine, conns[0], &peer) == PIPEPORT_OK);
    EXPECT(peer.process_id == system_pid() && peer.user[0] != '\0');
    raw_close(&raw);
    AWAIT(closed == 1);
    EXPECT(pipeport_peer_of(rig.engine, conns[0], &peer) == PIPEPORT_GONE);
    EXPECT(pipeport_server_connections(server, conns, 2, &count) == PIPEPORT_OK && count == 0);
    guests_end();
}

/* One end only writes, the other only reads, whichever is the server. */
static void guests_go_one_way(uint32_t direction)
{
    pipeport_client *client = NULL;
    pipeport_events events = {
        .size = sizeof events, .opened = guests_opened, .message = guests_message, .closed = guests_closed};
    pipeport_options options = {.size = sizeof options, .direction = direction};
    bool down = direction == PIPEPORT_TO_CLIENT;
    opened = closed = heard = 0;
    guests_begin(options, false);
    cr_assert_eq(pipeport_client_start(&client, rig.engine, name, &options, &events), PIPEPORT_OK);
    AWAIT(opened == 2);
    pipeport_conn theirs[1], ours;
    size_t count = 0;
    EXPECT(pipeport_server_connections(server, theirs, 1, &count) == PIPEPORT_OK && count == 1);
    ours.id = atomic_load(&last);
    EXPECT(pipeport_broadcast(server, "word", 4, NULL) == (down ? PIPEPORT_OK : PIPEPORT_UNSUPPORTED));
    EXPECT(pipeport_send(rig.engine, theirs[0], "word", 4) == (down ? PIPEPORT_OK : PIPEPORT_UNSUPPORTED));
    if (ours.id != theirs[0].id) { /* The client was opened last: its id is known. */
        EXPECT(pipeport_send(rig.engine, ours, "word", 4) == (down ? PIPEPORT_UNSUPPORTED : PIPEPORT_OK));
    }
    AWAIT(heard == (down ? 2u : ours.id != theirs[0].id ? 1u : 0u));
    pipeport_client_stop(client, 1000);
    if (down) { /* Where nothing can be awaited a write hears of the end. */
        AWAIT(closed == 2 || (pipeport_broadcast(server, "word", 4, NULL), false));
    }
    AWAIT(closed == 2);
    guests_end();
}

Test(guests, are_pushed_to_though_they_never_write)
{
    guests_go_one_way(PIPEPORT_TO_CLIENT);
}

Test(guests, are_heard_though_they_never_read)
{
    guests_go_one_way(PIPEPORT_TO_SERVER);
}
