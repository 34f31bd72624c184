/* SPDX-License-Identifier: MIT */
/*
 * speech.h - how messages look on a socket: what stands before each, and what both sides say first.
 *
 * Besides our own framing the load speaks the protocols of nng and ZeroMQ itself, so that their servers meet the same
 * load as all others, and no client of theirs takes part of its processor; with their own clients they are visited as
 * well (bench/peers/linux/client.h). nng (SP over IPC): a message type, 8 bytes
 * of length, for a request its number, the same one always: a REP server hands it back unread. ZeroMQ (ZMTP 3.0): one
 * byte of flags, 1 or 8 of length. A broadcast is what each has for it: PUB, and a PULL socket beside it for who asks.
 */
#ifndef PIPEPORT_BENCH_LINUX_SPEECH_H
#define PIPEPORT_BENCH_LINUX_SPEECH_H

#include <stdbool.h>
#include <stdint.h>

enum speech_kind { SPEECH_OWN, SPEECH_NNG, SPEECH_ZEROMQ };
enum { SPEECH_HEADER_BYTES_MAX = 13 };

struct speech_hello {
    const char *bytes;
    uint32_t count;
    uint32_t answer_bytes; /* What the server says first; its meaning is not looked at, its messages are. */
    const char *rest;      /* What is said after that, before any message. */
    uint32_t rest_bytes;
};

struct speech {
    uint32_t header_bytes;
    unsigned char header[SPEECH_HEADER_BYTES_MAX]; /* Before each message, either way. */
    const struct speech_hello *hello;              /* NULL: there is none. */
    const struct speech_hello *ask;                /* Broadcast: of who asks, at NAME.ask; NULL: one of the others. */
};

/* Of messages of `size` bytes. */
void speech_init(struct speech *speech, enum speech_kind kind, bool broadcast, uint32_t size);

/* A connection that has said its hello (NULL: none), or -1 and errno. */
int speech_connect(const char *path, const struct speech_hello *hello);

/* Waits for the server's hello, before which no message may be sent, and says the rest. False: it is gone. */
bool speech_greeted(int fd, const struct speech_hello *hello);

#endif
