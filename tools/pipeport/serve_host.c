/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "tools/pipeport/framing.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/serve.h"

/* One connection. Its events never overlap, so they need no lock here. */
struct serve_conn {
    pipeport_message *held;                    /* An echo that met a FULL; while it waits the connection is paused. */
    size_t held_length;                        /* Of `held`. */
    pipeport_message *swapped;                 /* The fault `swap`: an echo that lets the next one go first. */
    size_t swapped_length;                     /* Of `swapped`. */
    uint32_t echoes;                           /* So far, where a fault is asked for. */
    struct serve_subscriptions *subscriptions; /* NULL without --topics, */
    struct serve_verify *verify;               /* and without --verify. */
};

static void serve_host_add(_Atomic uint64_t *sum, uint64_t number)
{
    atomic_fetch_add_explicit(sum, number, memory_order_relaxed);
}

uint64_t serve_host_open(const struct serve *serve)
{
    return atomic_load_explicit(&serve->open, memory_order_acquire);
}

static void serve_host_count(struct serve *serve, size_t length)
{
    serve_host_add(&serve->messages_out, 1);
    serve_host_add(&serve->messages_out_bytes, length);
    serve_host_add(&serve->accepted_bytes, framing_frame_bytes(&serve->options.pipe.framing, length));
}

static void serve_host_fail(struct serve *serve, pipeport_conn conn, const char *what, pipeport_status status)
{
    serve_host_add(&serve->failures, 1);
    say_status("serve", what, status);
    pipeport_close(serve->engine, conn, PIPEPORT_ABORT);
}

static pipeport_message *serve_host_copy(struct serve *serve, pipeport_conn conn, const void *data, size_t length)
{
    pipeport_message *message = NULL;
    void *room = NULL;
    pipeport_status status = pipeport_message_create(&message, serve->engine, &serve->options.pipe.framing, length,
                                                     &room);

    if (status != PIPEPORT_OK) {
        serve_host_fail(serve, conn, "an echo could not be kept", status);
        return NULL;
    }
    memcpy(room, data, length);
    return message;
}

/* A peer that does not read its echoes is not read either, until it does. */
static void serve_host_hold(struct serve *serve, struct serve_conn *state, pipeport_conn conn, const void *data,
                            size_t length)
{
    serve_host_add(&serve->waited, 1);
    state->held = serve_host_copy(serve, conn, data, length);
    state->held_length = length;
    if (state->held != NULL) {
        pipeport_pause(serve->engine, conn);
    }
}

static void serve_host_reply(struct serve *serve, struct serve_conn *state, pipeport_conn conn, const void *data,
                             size_t length)
{
    pipeport_status status = pipeport_send(serve->engine, conn, data, length);

    if (status == PIPEPORT_OK) {
        serve_host_count(serve, length);
    } else if (status == PIPEPORT_FULL) {
        serve_host_hold(serve, state, conn, data, length);
    } else if (status != PIPEPORT_GONE) {
        serve_host_fail(serve, conn, "an echo was refused", status);
    }
}

/* The copy is ours to spoil, so the fault is in the bytes that are sent and not in the engine's. */
static void serve_host_flip(struct serve *serve, struct serve_conn *state, pipeport_conn conn, const void *data,
                            size_t length)
{
    unsigned char *bytes = malloc(length);

    if (bytes == NULL) {
        serve_host_fail(serve, conn, "an echo could not be copied", PIPEPORT_NO_MEMORY);
        return;
    }
    memcpy(bytes, data, length);
    bytes[length / 2] ^= 1;
    serve_host_reply(serve, state, conn, bytes, length);
    free(bytes);
}

/* The fault that --fault asked for, on one echo of one connection; true where it has seen to the reply. Counted for
 * each connection, so that a small N has others of the same connection behind it, whoever is quickest. */
static bool serve_host_spoil(struct serve *serve, struct serve_conn *state, pipeport_conn conn, const void *data,
                             size_t length)
{
    state->echoes++;
    if (state->swapped != NULL) {
        serve_host_reply(serve, state, conn, data, length);
        if (state->held == NULL && pipeport_send_message(serve->engine, conn, state->swapped) == PIPEPORT_OK) {
            serve_host_count(serve, state->swapped_length);
        }
        pipeport_message_release(state->swapped);
        state->swapped = NULL;
        return true;
    }
    /* An empty message cannot be told from its neighbours when they are empty too. */
    if (state->echoes < serve->options.fault_at || length == 0 || atomic_exchange(&serve->fault_done, true)) {
        return false;
    }
    switch ((enum serve_fault) serve->options.fault.number) {
    case SERVE_LOSE:
        return true;
    case SERVE_DOUBLE:
        serve_host_reply(serve, state, conn, data, length);
        if (state->held == NULL) {
            serve_host_reply(serve, state, conn, data, length);
        }
        return true;
    case SERVE_FLIP:
        serve_host_flip(serve, state, conn, data, length);
        return true;
    case SERVE_SWAP:
        state->swapped = serve_host_copy(serve, conn, data, length);
        state->swapped_length = length;
        return true;
    case SERVE_ASTRAY:
        break;
    }
    return false;
}

static void *serve_host_opened(void *user, pipeport_conn conn)
{
    struct serve *serve = user;
    struct serve_conn *state = calloc(1, sizeof(*state));
    uint64_t open = atomic_fetch_add_explicit(&serve->open, 1, memory_order_relaxed) + 1;
    uint64_t most = atomic_load_explicit(&serve->open_most, memory_order_relaxed);

    atomic_fetch_add_explicit(&serve->opened, 1, memory_order_release);
    while (open > most && !atomic_compare_exchange_weak_explicit(&serve->open_most, &most, open, memory_order_relaxed,
                                                                 memory_order_relaxed)) {
    }
    if (state != NULL) {
        state->subscriptions = serve->options.topics ? serve_topics_opened(serve) : NULL;
        state->verify = serve->options.verify ? serve_verify_opened() : NULL;
    }
    if (state == NULL || (serve->options.topics && state->subscriptions == NULL) ||
        (serve->options.verify && state->verify == NULL)) {
        serve_host_fail(serve, conn, "a connection could not be kept", PIPEPORT_NO_MEMORY);
    }
    return state;
}

static void serve_host_message(void *user, void *opened, pipeport_conn conn, const void *data, size_t length)
{
    struct serve *serve = user;
    struct serve_conn *state = opened;

    serve_host_add(&serve->messages_in, 1);
    serve_host_add(&serve->messages_in_bytes, length);
    if (state != NULL && state->subscriptions != NULL) {
        serve_topics_message(serve, state->subscriptions, conn, data, length);
        return;
    }
    if (state != NULL && state->verify != NULL) {
        serve_verify_message(serve, state->verify, conn, data, length);
    }
    if (!serve->echoes || state == NULL ||
        (length == 0 && serve->options.pipe.framing.kind == PIPEPORT_FRAMING_MESSAGE)) {
        return; /* Nobody would see an empty message of the pipe's own: readers take it for an end. */
    }
    if (serve->options.fault.text == NULL || !serve_host_spoil(serve, state, conn, data, length)) {
        serve_host_reply(serve, state, conn, data, length);
    }
}

static void serve_host_drained(void *user, void *opened, pipeport_conn conn)
{
    struct serve *serve = user;
    struct serve_conn *state = opened;
    pipeport_status status;

    if (state == NULL || state->held == NULL) {
        return; /* It was a broadcast that met the FULL. */
    }
    status = pipeport_send_message(serve->engine, conn, state->held);
    if (status == PIPEPORT_FULL) {
        return; /* Broadcasts were quicker; `drained` comes again. */
    }
    if (status == PIPEPORT_OK) {
        serve_host_count(serve, state->held_length);
    } else if (status != PIPEPORT_GONE) {
        serve_host_fail(serve, conn, "an echo was refused", status);
    }
    pipeport_message_release(state->held);
    state->held = NULL;
    pipeport_resume(serve->engine, conn);
}

static void serve_host_closed(void *user, void *opened, pipeport_conn conn, const pipeport_end *end)
{
    struct serve *serve = user;
    struct serve_conn *state = opened;

    (void) conn;
    if (state != NULL) {
        pipeport_message_release(state->held);
        pipeport_message_release(state->swapped);
        serve_topics_closed(serve, state->subscriptions);
        free(state->verify);
        free(state);
    }
    serve_host_add(&serve->sent_bytes, end->bytes_sent);
    serve_host_add(&serve->discarded_bytes, end->bytes_discarded);
    if ((unsigned) end->why < SERVE_STATUSES) {
        serve_host_add(&serve->ended[end->why], 1);
    }
    atomic_fetch_add_explicit(&serve->closed, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&serve->open, 1, memory_order_release);
}

void serve_host_events(struct serve *serve, pipeport_events *events)
{
    *events = (pipeport_events){.size = sizeof(*events),
                                .user = serve,
                                .opened = serve_host_opened,
                                .message = serve_host_message,
                                .drained = serve_host_drained,
                                .closed = serve_host_closed};
}
