/* SPDX-License-Identifier: MIT */
/*
 * client_zmq - load_zmq: the load with ZeroMQ's own client.
 *
 * Each connection is a DEALER socket, which may have many requests under way and whose replies come in the order of
 * these; broadcasts go to SUB sockets, and a PUSH socket asks at NAME.ask. One context with one thread of ZeroMQ's own,
 * and one thread of ours, which waits for all sockets with the descriptor that each has for this (ZMQ_FD), in an epoll
 * set. Such a descriptor tells of news once, and any call on its socket may have taken them: whoever has sent looks
 * again. Queues have no bound, as a full one drops: what is under way bounds them. ZeroMQ connects again by itself: a
 * connection that was lost shows in what is missing then.
 */
#include "bench/linux/gnu.h"

#include "bench/peers/linux/client.h"

#include "bench/clock.h"
#include "bench/frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <zmq.h>

enum { BATCH = 512, SPARE_SOCKETS = 1024 };

/* A socket's own, and that of its connection. */
const uint32_t client_files = 2;

static struct {
    void *context;
    void **sockets; /* One for each connection. */
    void *asker;
    int epoll;            /* All sockets; data.u32 is the connection's index. */
    uint32_t came;        /* Seen on the way, and not told yet. */
    uint64_t *departures; /* Echo: of connection i the message n stands at i * depth + n % depth. */
} zeromq;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, zmq_strerror(errno));
    exit(1);
}

void client_prepare(struct load *load)
{
    uint64_t sockets = (uint64_t) load->connections * (load->mode == LOAD_CHURN ? 4 : 1) + SPARE_SOCKETS;
    int most;

    zeromq.context = zmq_ctx_new();
    zeromq.sockets = calloc(load->connections, sizeof *zeromq.sockets);
    zeromq.departures = calloc((size_t) load->connections * load->depth, sizeof *zeromq.departures);
    zeromq.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (zeromq.context == NULL || zeromq.sockets == NULL || zeromq.departures == NULL || zeromq.epoll < 0) {
        die("the load cannot begin");
    }
    most = zmq_ctx_get(zeromq.context, ZMQ_SOCKET_LIMIT);
    if (load->connections + (uint64_t) SPARE_SOCKETS > (uint64_t) most) {
        load_fail("--connections: more than ZeroMQ has sockets");
    }
    if (zmq_ctx_set(zeromq.context, ZMQ_MAX_SOCKETS, sockets < (uint64_t) most ? (int) sockets : most) != 0) {
        die("so many sockets");
    }
}

static void *socket_open(const struct load *load, int type, const char *suffix)
{
    const int none = 0;
    char address[CLIENT_ADDRESS_BYTES];
    void *socket = zmq_socket(zeromq.context, type);

    if (socket == NULL || zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof none) != 0 ||
        zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none) != 0 ||
        zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none) != 0 ||
        (type == ZMQ_SUB && zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) != 0) ||
        zmq_connect(socket, client_address(load, suffix, address)) != 0) {
        die("no connection");
    }
    return socket;
}

static void socket_watch(void *socket, int action, uint32_t index)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
    int fd;
    size_t bytes = sizeof fd;

    if (zmq_getsockopt(socket, ZMQ_FD, &fd, &bytes) != 0 || epoll_ctl(zeromq.epoll, action, fd, &event) != 0) {
        die("epoll_ctl");
    }
}

/* Takes whole messages until there are no more, or so many. */
static uint32_t socket_take(struct load *load, uint32_t index, uint32_t most)
{
    uint32_t count = 0;
    zmq_msg_t message;

    zmq_msg_init(&message);
    while (count < most) {
        if (zmq_msg_recv(&message, zeromq.sockets[index], ZMQ_DONTWAIT) < 0) {
            if (errno != EAGAIN) {
                die("receive");
            }
            break;
        }
        if (zmq_msg_more(&message) != 0 ||
            !client_came(load, &load->side->clients[index], zmq_msg_data(&message), zmq_msg_size(&message))) {
            load_fail(CLIENT_WRONG);
        }
        count++;
    }
    zmq_msg_close(&message);
    return count;
}

static bool socket_has_more(uint32_t index)
{
    int events;
    size_t bytes = sizeof events;

    if (zmq_getsockopt(zeromq.sockets[index], ZMQ_EVENTS, &events, &bytes) != 0) {
        die("zmq_getsockopt");
    }
    return (events & ZMQ_POLLIN) != 0;
}

static void socket_send(const struct load *load, void *socket, uint32_t number)
{
    frame_put_length(load->side->message, number);
    if (zmq_send(socket, load->side->message, load->size, ZMQ_DONTWAIT) < 0) {
        die("send");
    }
}

void client_open(struct load *load, uint32_t index)
{
    zeromq.sockets[index] = socket_open(load, load->mode == LOAD_BROADCAST ? ZMQ_SUB : ZMQ_DEALER, "");
    socket_watch(zeromq.sockets[index], EPOLL_CTL_ADD, index);
    zeromq.came += socket_take(load, index, UINT32_MAX);
}

void client_ask(struct load *load, uint32_t index)
{
    socket_send(load, zeromq.sockets[index], load->side->clients[index].sent++);
    zeromq.came += socket_take(load, index, UINT32_MAX);
}

void client_close(struct load *load, uint32_t index)
{
    (void) load;
    socket_watch(zeromq.sockets[index], EPOLL_CTL_DEL, index); /* Before its descriptor becomes somebody else's. */
    if (zmq_close(zeromq.sockets[index]) != 0) {
        die("zmq_close");
    }
}

void client_open_asker(struct load *load)
{
    zeromq.asker = socket_open(load, ZMQ_PUSH, ".ask");
}

void client_send_to_all(struct load *load, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        socket_send(load, zeromq.asker, load->side->asked++);
    }
}

/* As epoll_wait. */
static int wait_for_events(struct epoll_event *events, uint32_t wait_ms)
{
    int count = epoll_wait(zeromq.epoll, events, BATCH, (int) wait_ms);

    if (count < 0 && errno != EINTR) {
        die("epoll_wait");
    }
    return count;
}

uint32_t client_take(struct load *load, uint32_t wait_ms)
{
    struct epoll_event events[BATCH];
    uint64_t until_ns = clock_now_ns() + (uint64_t) wait_ms * 1000000, now_ns;
    uint32_t came;

    while (zeromq.came == 0 && (now_ns = clock_now_ns()) < until_ns) { /* Not all news are messages. */
        int count = wait_for_events(events, (uint32_t) ((until_ns - now_ns) / 1000000) + 1);

        for (int i = 0; i < count; i++) {
            zeromq.came += socket_take(load, events[i].data.u32, UINT32_MAX);
        }
    }
    came = zeromq.came;
    zeromq.came = 0;
    return came;
}

/* Sends as many as are missing in flight. */
static void echo_send(struct load *load, uint32_t index, uint64_t now_ns)
{
    struct client *client = &load->side->clients[index];

    while (client->sent - client->taken < load->depth) {
        zeromq.departures[(size_t) index * load->depth + client->sent % load->depth] = now_ns;
        socket_send(load, zeromq.sockets[index], client->sent++);
    }
}

static void echo_came(struct load *load, uint32_t index, uint32_t first, uint32_t count)
{
    uint64_t now_ns = clock_now_ns();

    if (load->counting) {
        for (uint32_t i = 0; i < count; i++) {
            histogram_add(&load->trips,
                          now_ns - zeromq.departures[(size_t) index * load->depth + (first + i) % load->depth]);
        }
        load->counted += count;
    }
    load->all += count;
}

/* Takes what came, and sends anew unless it is the end. What is under way is not none. */
static void echo_serve(struct load *load, uint32_t index, bool more)
{
    struct client *client = &load->side->clients[index];

    do {
        uint32_t first = client->taken;

        if (client->sent == first) {
            load_fail("more came than was sent");
        }
        echo_came(load, index, first, socket_take(load, index, client->sent - first));
        if (more) {
            echo_send(load, index, clock_now_ns());
        }
    } while (socket_has_more(index));
}

/* Serves who has something, until there was a message. */
static void echo_turn(struct load *load, bool more)
{
    struct epoll_event events[BATCH];
    uint64_t before = load->all, until_ns = clock_now_ns() + (uint64_t) CLIENT_SILENCE_MS * 1000000;

    while (load->all == before) {
        int count = wait_for_events(events, CLIENT_SILENCE_MS);

        for (int i = 0; i < count; i++) {
            if (more || socket_has_more(events[i].data.u32)) {
                echo_serve(load, events[i].data.u32, more);
            }
        }
        if (load->all == before && clock_now_ns() >= until_ns) {
            load_fail(CLIENT_SILENT);
        }
    }
}

/* Nothing is sent any more, and nothing counted: what is under way must come. */
static void echo_end(struct load *load)
{
    uint64_t due = load->all;

    load->counting = false;
    for (uint32_t i = 0; i < load->connections; i++) {
        due += load->side->clients[i].sent - load->side->clients[i].taken;
    }
    while (load->all < due) {
        echo_turn(load, false);
    }
}

void load_echo(struct load *load)
{
    side_connect(load);
    load_begin(load);
    for (uint32_t i = 0; i < load->connections; i++) {
        echo_send(load, i, clock_now_ns());
        if (socket_has_more(i)) {
            echo_serve(load, i, true);
        }
    }
    while (!load_over(load, clock_now_ns())) {
        echo_turn(load, true);
    }
    load_settle(load);
    echo_end(load);
}
