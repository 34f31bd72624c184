/* SPDX-License-Identifier: MIT */
/*
 * authkey.c NAME KEY - what Python's multiprocessing.connection.Listener does with an authkey, and then an echo.
 *
 *      server: #CHALLENGE# and 20 bytes    client: HMAC of them    server: #WELCOME# or #FAILURE#, and the end
 *      client: #CHALLENGE# and its bytes   server: HMAC of them    client: #WELCOME#
 *
 * Until Python 3.11 the HMAC is MD5's; later ones answer so where the challenge names no other.
 */
#include "tests/clients/md5.h"
#include "tests/clients/serving.h"

#include <stdlib.h>
#include <string.h>

#define CHALLENGE "#CHALLENGE#"
#define WELCOME "#WELCOME#"
#define FAILURE "#FAILURE#"

enum { NONCE_BYTES = 20, CHALLENGE_BYTES_MAX = 256 };

enum client_state { CLIENT_IS_ASKED, CLIENT_ASKS, CLIENT_DECIDES, CLIENT_IS_IN, CLIENT_IS_OUT };

typedef struct client {
    enum client_state state;
    uint8_t nonce[NONCE_BYTES];
} client;

static struct {
    serving serving;
    const char *key;
    _Atomic unsigned seed, let_in, refused, echoes;
} server;

static void authkey_send(pipeport_conn conn, const void *bytes, size_t length)
{
    serving_send(&server.serving, conn, &(serving_part){bytes, length}, 1);
}

/* A test's nonce: another for each client. A server for others draws it from the system. */
static void *authkey_opened(void *user, pipeport_conn conn)
{
    client *it = calloc(1, sizeof *it);
    (void) user;
    atomic_fetch_add(&server.serving.opened, 1);
    if (it == NULL) {
        atomic_store(&server.serving.failed, true);
        (void) pipeport_close(server.serving.engine, conn, PIPEPORT_ABORT);
        return NULL;
    }
    unsigned seed = atomic_fetch_add(&server.seed, 1);
    for (unsigned i = 0; i < NONCE_BYTES; ++i) {
        it->nonce[i] = (uint8_t) (conn.id * 31 + seed * 17 + i * 73);
    }
    serving_part parts[] = {{CHALLENGE, strlen(CHALLENGE)}, {it->nonce, NONCE_BYTES}};
    serving_send(&server.serving, conn, parts, 2);
    return it;
}

static bool authkey_is(const void *data, size_t length, const void *expected, size_t expected_length)
{
    return length == expected_length && memcmp(data, expected, length) == 0;
}

static void authkey_refuse(client *it, pipeport_conn conn)
{
    it->state = CLIENT_IS_OUT;
    atomic_fetch_add(&server.refused, 1);
    authkey_send(conn, FAILURE, strlen(FAILURE));
    (void) pipeport_close(server.serving.engine, conn, PIPEPORT_DRAIN);
}

static void authkey_message(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    client *it = state;
    size_t prefix = strlen(CHALLENGE);
    uint8_t digest[MD5_BYTES];
    (void) user;
    switch (it->state) {
    case CLIENT_IS_ASKED:
        md5_hmac(server.key, strlen(server.key), it->nonce, NONCE_BYTES, digest);
        if (!authkey_is(data, length, digest, sizeof digest)) {
            authkey_refuse(it, conn);
            return;
        }
        it->state = CLIENT_ASKS;
        authkey_send(conn, WELCOME, strlen(WELCOME));
        return;
    case CLIENT_ASKS:
        if (length < prefix || length > CHALLENGE_BYTES_MAX || memcmp(data, CHALLENGE, prefix) != 0) {
            authkey_refuse(it, conn);
            return;
        }
        it->state = CLIENT_DECIDES;
        md5_hmac(server.key, strlen(server.key), (const uint8_t *) data + prefix, length - prefix, digest);
        authkey_send(conn, digest, sizeof digest);
        return;
    case CLIENT_DECIDES:
        if (!authkey_is(data, length, WELCOME, strlen(WELCOME))) {
            authkey_refuse(it, conn);
            return;
        }
        it->state = CLIENT_IS_IN;
        atomic_fetch_add(&server.let_in, 1);
        return;
    case CLIENT_IS_IN:
        authkey_send(conn, data, length);
        atomic_fetch_add(&server.echoes, 1);
        return;
    case CLIENT_IS_OUT:
        return;
    }
}

static void authkey_closed(void *user, void *state, pipeport_conn conn, const pipeport_end *end)
{
    (void) user;
    (void) conn;
    if (end->why != PIPEPORT_GONE && end->why != PIPEPORT_OK) {
        printf("a client was closed: %s\n", pipeport_status_text(end->why));
        atomic_store(&server.serving.failed, true);
    }
    free(state);
    atomic_fetch_add(&server.serving.closed, 1);
}

int main(int count, char **arguments)
{
    pipeport_events events = {
        .size = sizeof events, .opened = authkey_opened, .message = authkey_message, .closed = authkey_closed};
    if (count != 3 || strlen(arguments[2]) > MD5_BLOCK_BYTES) {
        printf("give NAME and a KEY of 64 bytes at most\n");
        return 1;
    }
    server.serving.framing = pipeport_framing_length(4, PIPEPORT_BIG_ENDIAN | PIPEPORT_ESCAPE);
    server.serving.wanted = 2;
    server.key = arguments[2];
    if (!serving_run(&server.serving, arguments[1], &events)) {
        return 1;
    }
    printf("%u let in, %u refused, %u echoes\n", atomic_load(&server.let_in), atomic_load(&server.refused),
           atomic_load(&server.echoes));
    return 0;
}
