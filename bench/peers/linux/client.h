/* SPDX-License-Identifier: MIT */
/*
 * client.h - a load whose connections are another library's: what is the same whichever library that is.
 *
 * client.c and meter.c do what the load's modes ask of a system (side_... of bench/load.h), with a library that one
 * file knows: client_nng.c or client_zmq.c, which has the functions below and load_echo. Each connection is a socket of
 * that library, and the threads that it starts run where the load is pinned. As in bench/linux/peer.h all messages have
 * the same length and begin with their number, counted for each connection, in a broadcast for who asks: what is lost,
 * doubled, of a wrong length or out of order ends the run. An echo ends only when all that is under way has come back.
 */
#ifndef PIPEPORT_BENCH_PEERS_LINUX_CLIENT_H
#define PIPEPORT_BENCH_PEERS_LINUX_CLIENT_H

#include "bench/load.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLIENT_SILENCE_MS = 10000, CLIENT_ADDRESS_BYTES = 256 };

#define CLIENT_WRONG "a reply of a wrong length or out of order"
#define CLIENT_SILENT "nothing came for ten seconds"

struct client {
    uint32_t sent;          /* Messages made: modulo 2^32. */
    _Atomic uint32_t taken; /* Whole messages that came: written by the thread that received, read by the load's. */
};

struct side {
    struct client *clients;
    unsigned char *message; /* As each is sent, but for its number. */
    uint32_t asked;         /* Broadcast: messages sent to all. */
    _Atomic bool gathering; /* Broadcast: not all receivers are counted in, and the first messages may miss some. */
};

/* "ipc://NAME" and the suffix, in `room`, which it returns. */
const char *client_address(const struct load *load, const char *suffix, char room[CLIENT_ADDRESS_BYTES]);

/* Whether these bytes are the message of that number. */
bool client_is_right(const struct load *load, const void *bytes, size_t count, uint32_t number);

/* A message came for a connection whose messages come in order: counts it. False: it is wrong. One thread at a time. */
bool client_came(const struct load *load, struct client *client, const void *bytes, size_t count);

/* What the library does. Files that it opens for each connection; everything before the first connection. */
extern const uint32_t client_files;
void client_prepare(struct load *load);

/* Of one connection: it connects (a visit of churn is not waited for); sends one message; ends it. */
void client_open(struct load *load, uint32_t index);
void client_ask(struct load *load, uint32_t index);
void client_close(struct load *load, uint32_t index);

/* Broadcast: who asks, and what it sends to all. */
void client_open_asker(struct load *load);
void client_send_to_all(struct load *load, uint32_t count);

/* Waits for messages, so long at most, and answers how many came since it was last called; 0: none. */
uint32_t client_take(struct load *load, uint32_t wait_ms);

#endif
