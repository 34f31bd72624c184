/* SPDX-License-Identifier: MIT */
/*
 * inbox.h - received bytes of one connection, of which the messages in the front are whole.
 *
 * One thread at a time. Its room grows where a message is longer than it.
 */
#ifndef PIPEPORT_BENCH_PEERS_INBOX_H
#define PIPEPORT_BENCH_PEERS_INBOX_H

#include <stdbool.h>
#include <stddef.h>

/* The first room holds a message of 64 KiB; no message is longer than the last. */
enum { INBOX_BYTES = 64 * 1024 + 512, INBOX_MESSAGE_BYTES_MAX = 16 * 1024 * 1024 };

struct inbox {
    unsigned char *bytes;
    size_t room;   /* Bytes there is memory for. */
    size_t filled; /* Bytes received; always less than `room` before a receive. */
};

/* False: no memory. */
bool inbox_init(struct inbox *inbox);
void inbox_fini(struct inbox *inbox);

/* Bytes of all whole messages in the front, their headers counted. */
size_t inbox_whole(const struct inbox *inbox);

/* Bytes of the message at `at`, its header counted; 0: it is not whole. */
size_t inbox_message(const struct inbox *inbox, size_t at);

/* Forgets that many bytes in the front and makes room for what follows. False: too long, or there is no memory. */
bool inbox_drop(struct inbox *inbox, size_t count);

#endif
