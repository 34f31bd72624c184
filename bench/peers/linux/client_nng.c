/* SPDX-License-Identifier: MIT */
/*
 * client_nng - load_nng: the load with nng's own client.
 *
 * Each connection is a REQ socket of its own. What nng has for more than one request under way is contexts: --depth of
 * them on each socket, each an asynchronous operation that sends, receives and sends again in callbacks on nng's own
 * threads (the scheme of its demo of asynchronous programs). nng matches a reply to the context that asked, so each
 * reply must be the very message of its context; the order among contexts is nobody's, and a reply that comes twice is
 * dropped by nng before we see it. It does not ask again (NNG_OPT_REQ_RESENDTIME), so that what is lost is missed, and
 * a connection that ends is told. Broadcasts go to SUB sockets, whose queues hold what is under way, as a full one
 * drops, and a PUSH socket asks at NAME.ask.
 */
#include "bench/linux/gnu.h"

#include "bench/peers/linux/client.h"

#include "bench/clock.h"
#include "bench/frame.h"

#include <nng/nng.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { QUEUED_MESSAGES_MAX = 4096, QUEUED_MORE = 64, RECONNECT_MS = 10 };

#define ENDED "the server ended a connection"

const uint32_t client_files = 1;

struct link;

/* One message under way; of a SUB socket, the one that is received next. */
struct slot {
    struct link *link;
    nng_aio *aio;
    nng_ctx context;
    uint32_t number;  /* Of its message. */
    uint64_t left_ns; /* When that left. */
    bool sending;     /* Or receiving: what the aio does. */
};

/* One connection. */
struct link {
    nng_socket socket;
    struct client *client;
    struct slot *slots;
    _Atomic bool closing; /* By us: what breaks now breaks nothing. */
};

static struct {
    struct load *load;
    struct link *links;
    uint32_t slots; /* Of each connection. */
    nng_socket asker;

    pthread_mutex_t lock; /* Of what is below, of the load's figures and of all clients. */
    pthread_cond_t news;
    const char *wrong;  /* NULL: nothing is. Who waits ends the program, and not a callback. */
    uint32_t came;      /* Not told yet. */
    uint64_t due;       /* Broadcast: sent, and not come. Who waits is not woken for less. */
    bool echoing;       /* Who has its reply asks again. */
    uint64_t under_way; /* Echoes. */
} nng = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void check(int code, const char *what)
{
    if (code != 0) {
        fprintf(stderr, "load: %s: %s\n", what, nng_strerror(code));
        exit(1);
    }
}

static void fail_later(const char *what)
{
    pthread_mutex_lock(&nng.lock);
    nng.wrong = nng.wrong == NULL ? what : nng.wrong;
    pthread_cond_signal(&nng.news);
    pthread_mutex_unlock(&nng.lock);
}

/* Waits for news, not beyond that time; with the lock. */
static void wait_until(uint64_t ns)
{
    struct timespec until = {.tv_sec = (time_t) (ns / 1000000000), .tv_nsec = (long) (ns % 1000000000)};

    (void) pthread_cond_timedwait(&nng.news, &nng.lock, &until);
}

/* With the lock. */
static bool is_enough(void)
{
    return nng.wrong != NULL || (nng.came != 0 && nng.due == 0);
}

void client_prepare(struct load *load)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC); /* That of clock_now_ns. */
    pthread_cond_init(&nng.news, &attributes);
    if (load->mode == LOAD_BROADCAST && load->sent_max > QUEUED_MESSAGES_MAX) {
        load_fail("--depth: more than the queues of nng's PUB and SUB hold");
    }
    nng.load = load;
    nng.slots = load->mode == LOAD_ECHO ? load->depth : 1;
    nng.links = calloc(load->connections, sizeof *nng.links);
    if (nng.links == NULL) {
        load_fail("no memory");
    }
    for (uint32_t i = 0; i < load->connections; i++) {
        nng.links[i].client = &load->side->clients[i];
        nng.links[i].slots = calloc(nng.slots, sizeof(struct slot));
        if (nng.links[i].slots == NULL) {
            load_fail("no memory");
        }
    }
}

static nng_msg *message_make(uint32_t number)
{
    nng_msg *message;

    check(nng_msg_alloc(&message, nng.load->size), "a message");
    memcpy(nng_msg_body(message), nng.load->side->message, nng.load->size);
    frame_put_length(nng_msg_body(message), number);
    return message;
}

/* A reply of a REQ socket came: is there to be another message? Its number and time are set then. */
static bool slot_goes_on(struct slot *slot, nng_msg *message)
{
    struct load *load = nng.load;
    struct client *client = slot->link->client;
    uint64_t now_ns = clock_now_ns();
    bool more;

    pthread_mutex_lock(&nng.lock);
    more = nng.echoing;
    if (!client_is_right(load, nng_msg_body(message), nng_msg_len(message), slot->number)) {
        nng.wrong = CLIENT_WRONG;
        more = false;
    }
    client->taken++;
    nng.came++;
    if (more) {
        load->all++;
        if (load->counting) {
            load->counted++;
            histogram_add(&load->trips, now_ns - slot->left_ns);
        }
        slot->number = client->sent++;
        slot->left_ns = now_ns;
    } else {
        nng.under_way--;
    }
    if (!more || load->counted == 1 || (load->messages != 0 && load->counted >= load->messages)) {
        pthread_cond_signal(&nng.news);
    }
    pthread_mutex_unlock(&nng.lock);
    return more;
}

/* A slot of a REQ socket has sent, or received. */
static void slot_done(void *argument)
{
    struct slot *slot = argument;
    int code = nng_aio_result(slot->aio);
    nng_msg *message = nng_aio_get_msg(slot->aio); /* Sent: nng's own now. */

    if (code != 0) {
        if (slot->sending) {
            nng_msg_free(message);
        }
        if (!slot->link->closing) {
            fail_later(code == NNG_ECONNRESET ? ENDED : nng_strerror(code));
        }
    } else if (slot->sending) {
        slot->sending = false;
        nng_ctx_recv(slot->context, slot->aio);
    } else if (slot_goes_on(slot, message)) {
        frame_put_length(nng_msg_body(message), slot->number);
        nng_aio_set_msg(slot->aio, message); /* A reply is as long as what is asked next. */
        slot->sending = true;
        nng_ctx_send(slot->context, slot->aio);
    } else {
        nng_msg_free(message);
    }
}

/* A SUB socket has received. */
static void slot_heard(void *argument)
{
    struct slot *slot = argument;
    int code = nng_aio_result(slot->aio);
    nng_msg *message;

    if (code != 0) {
        fail_later(nng_strerror(code));
        return;
    }
    message = nng_aio_get_msg(slot->aio);
    pthread_mutex_lock(&nng.lock);
    if (!client_came(nng.load, slot->link->client, nng_msg_body(message), nng_msg_len(message))) {
        nng.wrong = CLIENT_WRONG;
    }
    nng.came++;
    nng.due -= nng.due != 0;
    if (is_enough()) {
        pthread_cond_signal(&nng.news);
    }
    pthread_mutex_unlock(&nng.lock);
    nng_msg_free(message);
    nng_recv_aio(slot->link->socket, slot->aio);
}

static void link_ended(nng_pipe pipe, nng_pipe_ev event, void *argument)
{
    const struct link *link = argument;

    (void) pipe, (void) event;
    if (!link->closing) {
        fail_later(ENDED);
    }
}

static void dial(nng_socket socket, const char *suffix, int flags)
{
    char address[CLIENT_ADDRESS_BYTES];

    check(nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, 0), "messages of any length");
    check(nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, RECONNECT_MS), "the time to connect again");
    check(nng_dial(socket, client_address(nng.load, suffix, address), NULL, flags), "no connection");
}

static void link_open_req(struct link *link)
{
    check(nng_req0_open(&link->socket), "a REQ socket");
    check(nng_socket_set_ms(link->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE), "not to ask again");
    for (uint32_t i = 0; i < nng.slots; i++) {
        struct slot *slot = &link->slots[i];

        slot->link = link;
        check(nng_ctx_open(&slot->context, link->socket), "a context");
        if (slot->aio == NULL) { /* Those of a visit are the next one's. */
            check(nng_aio_alloc(&slot->aio, slot_done, slot), "an aio");
            nng_aio_set_timeout(slot->aio, NNG_DURATION_INFINITE);
        }
    }
}

static void link_open_sub(struct link *link)
{
    struct slot *slot = &link->slots[0];

    slot->link = link;
    check(nng_sub0_open(&link->socket), "a SUB socket");
    check(nng_socket_set(link->socket, NNG_OPT_SUB_SUBSCRIBE, "", 0), "to hear all");
    check(nng_socket_set_int(link->socket, NNG_OPT_RECVBUF, (int) nng.load->sent_max + QUEUED_MORE), "its queue");
    check(nng_aio_alloc(&slot->aio, slot_heard, slot), "an aio");
    nng_aio_set_timeout(slot->aio, NNG_DURATION_INFINITE);
    nng_recv_aio(link->socket, slot->aio);
}

void client_open(struct load *load, uint32_t index)
{
    struct link *link = &nng.links[index];

    link->closing = false;
    if (load->mode == LOAD_BROADCAST) {
        link_open_sub(link);
    } else {
        link_open_req(link);
    }
    check(nng_pipe_notify(link->socket, NNG_PIPE_EV_REM_POST, link_ended, link), "to hear of the end");
    dial(link->socket, "", load->mode == LOAD_CHURN ? NNG_FLAG_NONBLOCK : 0);
}

static void slot_ask(struct slot *slot)
{
    pthread_mutex_lock(&nng.lock);
    slot->number = slot->link->client->sent++;
    nng.under_way++;
    pthread_mutex_unlock(&nng.lock);
    slot->left_ns = clock_now_ns();
    slot->sending = true;
    nng_aio_set_msg(slot->aio, message_make(slot->number));
    nng_ctx_send(slot->context, slot->aio);
}

void client_ask(struct load *load, uint32_t index)
{
    (void) load;
    slot_ask(&nng.links[index].slots[0]);
}

void client_close(struct load *load, uint32_t index)
{
    (void) load;
    nng.links[index].closing = true;
    check(nng_close(nng.links[index].socket), "to close"); /* Its contexts too. */
}

void client_open_asker(struct load *load)
{
    check(nng_push0_open(&nng.asker), "a PUSH socket");
    check(nng_socket_set_int(nng.asker, NNG_OPT_SENDBUF, (int) load->sent_max), "its queue");
    dial(nng.asker, ".ask", 0);
}

void client_send_to_all(struct load *load, uint32_t count)
{
    pthread_mutex_lock(&nng.lock);
    nng.due += (uint64_t) load->connections * count;
    pthread_mutex_unlock(&nng.lock);
    for (uint32_t i = 0; i < count; i++) {
        check(nng_sendmsg(nng.asker, message_make(load->side->asked++), 0), "send");
    }
}

uint32_t client_take(struct load *load, uint32_t wait_ms)
{
    uint64_t until_ns = clock_now_ns() + (uint64_t) wait_ms * 1000000;
    const char *wrong;
    uint32_t came;

    (void) load;
    pthread_mutex_lock(&nng.lock);
    while (!is_enough() && clock_now_ns() < until_ns) {
        wait_until(until_ns);
    }
    came = nng.came;
    wrong = nng.wrong;
    nng.came = 0;
    nng.due = 0; /* What has not come in that time is not waited for as a whole. */
    pthread_mutex_unlock(&nng.lock);
    if (wrong != NULL) {
        load_fail(wrong);
    }
    return came;
}

/* Waits for the next thing to be done, or until nothing came for too long; with the lock. */
static void echo_wait(uint64_t until_ns)
{
    uint64_t silent_ns = clock_now_ns() + (uint64_t) CLIENT_SILENCE_MS * 1000000;
    uint32_t before = nng.came;

    wait_until(until_ns < silent_ns ? until_ns : silent_ns);
    if (nng.wrong == NULL && nng.came == before && clock_now_ns() >= silent_ns) {
        nng.wrong = CLIENT_SILENT;
    }
    if (nng.wrong != NULL) {
        load_fail(nng.wrong);
    }
}

void load_echo(struct load *load)
{
    side_connect(load);
    pthread_mutex_lock(&nng.lock);
    load_begin(load);
    nng.echoing = true;
    pthread_mutex_unlock(&nng.lock);
    for (uint32_t i = 0; i < load->connections; i++) {
        for (uint32_t slot = 0; slot < nng.slots; slot++) {
            slot_ask(&nng.links[i].slots[slot]);
        }
    }
    pthread_mutex_lock(&nng.lock);
    while (!load_over(load, clock_now_ns()) || load->counted == 0) { /* A slow one is waited for. */
        bool over = load->counting && clock_now_ns() >= load->end_ns;

        echo_wait(over ? UINT64_MAX : load->counting ? load->end_ns : load->begin_ns);
    }
    nng.echoing = false;
    load_settle(load);
    while (nng.under_way != 0) { /* All must come. */
        echo_wait(UINT64_MAX);
    }
    pthread_mutex_unlock(&nng.lock);
}
