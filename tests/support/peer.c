/* SPDX-License-Identifier: MIT */
#include "tests/support/peer.h"

#include "tests/support/books.h"
#include "tests/support/expect.h"

#include <criterion/criterion.h>

enum { PEER_STALL_MS = 600000 };

static void *peer_state_of(pipeport_conn conn)
{
    return (void *) (uintptr_t) (conn.id ^ 0x5a5a);
}

static void *peer_opened(void *user, pipeport_conn conn)
{
    test_peer *peer = user;
    AWAIT(atomic_load(&peer->watched)); /* Before a hook can stop it. */
    atomic_store(&peer->conn, conn.id);
    if (peer->does.opened) {
        peer->does.opened(peer, conn);
    }
    atomic_fetch_add(&peer->opened, 1);
    return peer_state_of(conn);
}

static void peer_message(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    test_peer *peer = user;
    EXPECT(state == peer_state_of(conn));
    EXPECT(data != NULL);
    if (peer->does.message) {
        peer->does.message(peer, conn, data, length);
    }
    atomic_fetch_add(&peer->bytes, length);
    atomic_fetch_add(&peer->messages, 1);
}

static void peer_drained(void *user, void *state, pipeport_conn conn)
{
    test_peer *peer = user;
    EXPECT(state == peer_state_of(conn));
    if (peer->does.drained) {
        peer->does.drained(peer, conn);
    }
    atomic_fetch_add(&peer->drained, 1);
}

static void peer_closed(void *user, void *state, pipeport_conn conn, const pipeport_end *end)
{
    test_peer *peer = user;
    EXPECT(state == peer_state_of(conn));
    EXPECT(end->why <= PIPEPORT_SYSTEM);
    if (peer->does.closed) {
        peer->does.closed(peer, conn, end);
    }
    if (peer->client) {
        peer->end = *end;
    }
    atomic_fetch_add(&peer->ended[end->why & 15], 1);
    atomic_fetch_add(&peer->closed, 1);
}

static void peer_failed(void *user, pipeport_status why, long system_code)
{
    test_peer *peer = user;
    (void) system_code;
    if (peer->does.failed) {
        peer->does.failed(peer, why);
    }
    atomic_store(&peer->failed_why, (uint32_t) why);
    atomic_fetch_add(&peer->failed, 1);
}

static pipeport_events peer_events(test_peer *peer)
{
    return (pipeport_events){.size = sizeof(pipeport_events),
                             .user = peer,
                             .opened = peer_opened,
                             .message = peer_message,
                             .drained = peer_drained,
                             .closed = peer_closed,
                             .failed = peer_failed};
}

/* A machine that stands still is no slow reader: where a test does not say how long one may be, it is ten minutes. */
static const pipeport_options *peer_patient(const pipeport_options *given, pipeport_options *room)
{
    *room = given ? *given : (pipeport_options){.size = sizeof *room};
    if (room->size != sizeof *room || room->write_stall_ms != 0) {
        return given;
    }
    room->write_stall_ms = PEER_STALL_MS;
    return room;
}

pipeport_status peer_try_serve(test_peer *peer, test_rig *rig, const char *name, const pipeport_options *options)
{
    pipeport_events events = peer_events(peer);
    pipeport_options room;
    peer->rig = rig;
    options = peer_patient(options, &room);
    pipeport_status status = pipeport_server_start(&peer->server, rig->engine, name, options, &events);
    if (status == PIPEPORT_OK) {
        books_watch_server(peer->server);
        atomic_store(&peer->watched, true);
    }
    return status;
}

void peer_serve(test_peer *peer, test_rig *rig, const char *name, const pipeport_options *options)
{
    pipeport_status status = peer_try_serve(peer, rig, name, options);
    cr_assert_eq(status, PIPEPORT_OK, "%s: %s", name, pipeport_status_text(status));
}

pipeport_status peer_try_dial(test_peer *peer, test_rig *rig, const char *name, const pipeport_options *options)
{
    pipeport_events events = peer_events(peer);
    pipeport_options room;
    peer->rig = rig;
    options = peer_patient(options, &room);
    pipeport_status status = pipeport_client_start(&peer->client, rig->engine, name, options, &events);
    if (status == PIPEPORT_OK) {
        books_watch_client(peer->client);
        atomic_store(&peer->watched, true);
    }
    return status;
}

void peer_dial(test_peer *peer, test_rig *rig, const char *name, const pipeport_options *options)
{
    pipeport_status status = peer_try_dial(peer, rig, name, options);
    cr_assert_eq(status, PIPEPORT_OK, "%s: %s", name, pipeport_status_text(status));
}

void peer_stop(test_peer *peer, uint32_t drain_ms)
{
    pipeport_server *server = peer->server;
    pipeport_client *client = peer->client;
    pipeport_server_stop(server, drain_ms);
    pipeport_client_stop(client, drain_ms);
    peer->server = NULL;
}

pipeport_conn peer_conn(const test_peer *peer)
{
    return (pipeport_conn){atomic_load(&peer->conn)};
}

pipeport_status peer_send(test_peer *peer, const void *data, size_t length)
{
    return pipeport_send(peer->rig->engine, peer_conn(peer), data, length);
}

pipeport_stats peer_stats(const test_peer *peer)
{
    pipeport_stats stats = {.size = sizeof stats};
    EXPECT((peer->server ? pipeport_server_stats(peer->server, &stats) : pipeport_client_stats(peer->client, &stats)) ==
           PIPEPORT_OK);
    return stats;
}

void peer_echo(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    EXPECT(pipeport_send(peer->rig->engine, conn, data, length) == PIPEPORT_OK);
}
