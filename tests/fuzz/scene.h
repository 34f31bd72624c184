/* SPDX-License-Identifier: MIT */
/*
 * scene.h - an engine of host threads on the fake system (tests/support/fake_port.h), and the judge of all it tells.
 *
 * The judge knows what was done and works out from that alone what must come: the messages that the peer's bytes hold
 * (naive.h), what the engine may have written, how each connection may end. It aborts at the first thing that is not
 * so.
 */
#ifndef TESTS_FUZZ_SCENE_H
#define TESTS_FUZZ_SCENE_H

#include "engine/include/pipeport.h"
#include "tests/support/fake_port.h"

enum { SCENE_CONNS_MAX = 48, SCENE_SENDS_MAX = 128, SCENE_CLIENTS_MAX = 3, SCENE_MESSAGE_BYTES_MAX = 70000 };

/* A message for a connection's peer. `must`: send said OK; else a broadcast that may have passed it by. */
typedef struct scene_sent {
    uint32_t serial, length;
    bool must;
} scene_sent;

typedef struct scene_conn {
    pipeport_conn name;
    fake_pipe *pipe;
    bool inside; /* An event of it is running. */
    bool closed;
    bool paused, drained_asked, aborted; /* By the user. */
    unsigned fulls, drains;
    size_t at; /* Where in pipe->arrived the next message begins. */
    unsigned sent_count;
    scene_sent sent[SCENE_SENDS_MAX];
} scene_conn;

typedef struct scene_record {
    pipeport_engine *engine;
    pipeport_server *server;
    pipeport_client *clients[SCENE_CLIENTS_MAX];
    pipeport_message *held;
    uint32_t held_serial, held_length;
    pipeport_options options;
    unsigned count, open;
    scene_conn conns[SCENE_CONNS_MAX];
    unsigned fails[SCENE_CLIENTS_MAX]; /* `failed` of each client. */
    bool stopping;                     /* A stop of some party was asked: any connection may be STOPPED. */
    bool starved, broken;              /* Takes of memory, or reads and writes, were made to fail. */
    uint32_t serial;
    uint64_t accepted, settled;         /* Bytes: taken by send and broadcast; sent or discarded, as `closed` tells. */
    void (*on_event)(scene_conn *conn); /* What the user does inside. */
} scene_record;

extern scene_record scene;

void scene_begin(const pipeport_options *options);

/* What the user does. */
void scene_send(scene_conn *conn, uint32_t length);
void scene_broadcast(uint32_t length);
void scene_hold(uint32_t length);
void scene_send_held(scene_conn *conn);
void scene_broadcast_held(void);
void scene_release(void);
void scene_close(scene_conn *conn, pipeport_closing how);
void scene_pause(scene_conn *conn, bool paused);
void scene_stop(unsigned which, uint32_t drain_ms);
void scene_dial(unsigned which);

/* Drains until nothing happens any more, in no time, and holds what must be true then. */
void scene_settle(void);

/* Ends all and holds the accounts. */
void scene_end(void);

#endif
