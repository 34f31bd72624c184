/* SPDX-License-Identifier: MIT */
/*
 * peer.h - a server or client of a test: it counts what it hears, and does what the test asks on each event.
 *
 * On every event it checks that `state` is what its `opened` returned. The hooks run inside events; any may be NULL.
 */
#ifndef TESTS_SUPPORT_PEER_H
#define TESTS_SUPPORT_PEER_H

#include "tests/support/rig.h"

#include <stdatomic.h>

typedef struct test_peer test_peer;

typedef struct peer_does {
    void (*opened)(test_peer *peer, pipeport_conn conn);
    void (*message)(test_peer *peer, pipeport_conn conn, const void *data, size_t length);
    void (*drained)(test_peer *peer, pipeport_conn conn);
    void (*closed)(test_peer *peer, pipeport_conn conn, const pipeport_end *end);
    void (*failed)(test_peer *peer, pipeport_status why);
} peer_does;

struct test_peer {
    test_rig *rig;
    void *of; /* The test's. */
    pipeport_server *server;
    pipeport_client *client;
    peer_does does;
    _Atomic bool watched; /* Its books are kept. */
    _Atomic uint64_t opened, messages, bytes, drained, closed, failed;
    _Atomic uint64_t conn;      /* The last one opened. */
    pipeport_end end;           /* Of the last one closed; read after `closed`. */
    _Atomic uint64_t ended[16]; /* `closed` events by why. */
    _Atomic uint32_t failed_why;
};

/* Assert that it works. options may be NULL. Thread: the test's. */
void peer_serve(test_peer *peer, test_rig *rig, const char *name, const pipeport_options *options);
void peer_dial(test_peer *peer, test_rig *rig, const char *name, const pipeport_options *options);

/* As pipeport_server_start and pipeport_client_start, with the books kept. Thread: any. */
pipeport_status peer_try_serve(test_peer *peer, test_rig *rig, const char *name, const pipeport_options *options);
pipeport_status peer_try_dial(test_peer *peer, test_rig *rig, const char *name, const pipeport_options *options);

/* Stops what it is, and forgets it. */
void peer_stop(test_peer *peer, uint32_t drain_ms);

pipeport_conn peer_conn(const test_peer *peer);
pipeport_status peer_send(test_peer *peer, const void *data, size_t length); /* On its last connection. */

pipeport_stats peer_stats(const test_peer *peer);

/* A hook: sends back what came, which must be taken. */
void peer_echo(test_peer *peer, pipeport_conn conn, const void *data, size_t length);

#endif
