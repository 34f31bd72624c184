/* SPDX-License-Identifier: MIT */
/*
 * bare_epoll - the limit: an echo server on one epoll set, one thread, and no library.
 *
 * What somebody writes who needs exactly this and knows the system well. Edges, so that a read which fills less than
 * its room is the last one until the next edge. A connection owns no buffer while it has nothing unfinished: it borrows
 * the one used last, which is still in the cache, receives into it, and sends all whole messages from there with one
 * call. No copy, no allocation, no look at the clock. It has no send queue: nobody else can send to a connection; no
 * bound on a client that never reads (its turn ends until there is room, and it is not read meanwhile), no deadlines.
 *
 * With --broadcast every message goes to all connections: those of one read are joined into one send a receiver. What a
 * receiver cannot take is kept for it.
 */
#include "bench/linux/gnu.h"

#include "bench/frame.h"
#include "bench/linux/bare.h"
#include "bench/linux/machine.h"
#include "bench/linux/socket.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 512, TURNS = 16, BUFFER_BYTES = 256 * 1024, RECEIVING = EPOLLIN | EPOLLRDHUP | (int) EPOLLET };

struct buffer {
    struct buffer *next; /* In the list of free ones, the one used last first. */
    uint32_t filled;     /* Bytes received. */
    uint32_t whole;      /* Of these, whole messages; the rest begins one. */
    uint32_t sent;       /* Of the whole ones, bytes that are sent. */
    unsigned char bytes[BUFFER_BYTES];
};

struct conn {
    int fd;
    bool waiting;          /* For room to send; EPOLLOUT is asked for. */
    uint32_t index;        /* Its place in the server's table. */
    uint32_t owed_bytes;   /* Of a broadcast it could not take. */
    struct buffer *buffer; /* NULL while nothing is unfinished. */
    unsigned char *owed;
};

struct server {
    int epoll, ear;
    bool broadcast;
    uint32_t count, max;
    struct conn **conns; /* `count` of them, in any order. */
    struct buffer *free;
};

static struct buffer *server_buffer(struct server *server)
{
    struct buffer *buffer = server->free;

    if (buffer != NULL) {
        server->free = buffer->next;
    } else if ((buffer = malloc(sizeof *buffer)) == NULL) {
        machine_die("malloc");
    }
    buffer->filled = buffer->whole = buffer->sent = 0;
    return buffer;
}

static void server_watch(struct server *server, int how, int fd, struct conn *conn)
{
    struct epoll_event event = {.events = (uint32_t) RECEIVING, .data.ptr = conn};

    if (conn != NULL && conn->waiting) {
        event.events |= EPOLLOUT;
    }
    if (epoll_ctl(server->epoll, how, fd, &event) != 0) {
        machine_die("epoll_ctl");
    }
}

static void server_accept(struct server *server)
{
    int fd;

    while ((fd = accept4(server->ear, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct conn *conn = server->count < server->max ? malloc(sizeof *conn) : NULL;

        if (conn == NULL) {
            machine_die("more connections than room");
        }
        *conn = (struct conn){.fd = fd, .index = server->count};
        server->conns[server->count++] = conn;
        server_watch(server, EPOLL_CTL_ADD, fd, conn);
    }
}

static void conn_rest(struct conn *conn, struct server *server)
{
    conn->buffer->next = server->free;
    server->free = conn->buffer;
    conn->buffer = NULL;
}

static void conn_close(struct conn *conn, struct server *server)
{
    struct conn *last = server->conns[--server->count];

    assert(last != NULL); /* Perhaps this one itself. */
    server->conns[conn->index] = last;
    last->index = conn->index;
    close(conn->fd);
    if (conn->buffer != NULL) {
        conn_rest(conn, server);
    }
    free(conn->owed);
    free(conn);
}

static void conn_wait_for_room(struct conn *conn, struct server *server, bool waiting)
{
    if (conn->waiting != waiting) {
        conn->waiting = waiting;
        server_watch(server, EPOLL_CTL_MOD, conn->fd, conn);
    }
}

/* Bytes sent; 0: there is no room; -1: the peer is gone. */
static ssize_t conn_send(const struct conn *conn, const unsigned char *bytes, uint32_t count)
{
    ssize_t sent = send(conn->fd, bytes, count, MSG_NOSIGNAL);

    return sent < 0 && errno == EAGAIN ? 0 : sent;
}

/* Keeps what a receiver of a broadcast could not take. */
static void conn_owe(struct conn *conn, const unsigned char *bytes, uint32_t count)
{
    conn->owed = realloc(conn->owed, (size_t) conn->owed_bytes + count);
    if (conn->owed == NULL) {
        machine_die("realloc");
    }
    memcpy(conn->owed + conn->owed_bytes, bytes, count);
    conn->owed_bytes += count;
}

static void conn_pay(struct conn *conn, struct server *server)
{
    ssize_t sent = conn_send(conn, conn->owed, conn->owed_bytes);

    if (sent < 0) {
        return; /* The end of its receiving tells the same. */
    }
    conn->owed_bytes -= (uint32_t) sent;
    memmove(conn->owed, conn->owed + sent, conn->owed_bytes);
    conn_wait_for_room(conn, server, conn->owed_bytes != 0);
}

static void server_broadcast(struct server *server, const unsigned char *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < server->count; i++) {
        struct conn *conn = server->conns[i];
        ssize_t sent = conn->owed_bytes != 0 ? 0 : conn_send(conn, bytes, count);

        if (sent >= 0 && (uint32_t) sent < count) {
            conn_owe(conn, bytes + sent, count - (uint32_t) sent);
            conn_wait_for_room(conn, server, true);
        }
    }
}

/* Finds where the last whole message ends. False: one will never be whole. */
static bool buffer_cut(struct buffer *buffer)
{
    while (buffer->filled - buffer->whole >= FRAME_HEADER_BYTES) {
        uint64_t frame = (uint64_t) frame_length(buffer->bytes + buffer->whole) + FRAME_HEADER_BYTES;

        if (frame > BUFFER_BYTES) {
            return false;
        }
        if (frame > buffer->filled - buffer->whole) {
            break;
        }
        buffer->whole += (uint32_t) frame;
    }
    return true;
}

/* Sends what is whole. False: not all of it could go now, or never. */
static bool conn_answer(struct conn *conn, struct server *server, bool *gone)
{
    struct buffer *buffer = conn->buffer;

    if (server->broadcast) {
        server_broadcast(server, buffer->bytes, buffer->whole);
        buffer->sent = buffer->whole;
    }
    while (buffer->sent < buffer->whole) {
        ssize_t sent = conn_send(conn, buffer->bytes + buffer->sent, buffer->whole - buffer->sent);

        if (sent <= 0) {
            *gone = sent < 0;
            return false;
        }
        buffer->sent += (uint32_t) sent;
    }
    buffer->filled -= buffer->whole;
    memmove(buffer->bytes, buffer->bytes + buffer->whole, buffer->filled);
    buffer->whole = buffer->sent = 0;
    return true;
}

/* False: the connection has ended. */
static bool conn_go_on(struct conn *conn, struct server *server)
{
    bool gone = false;

    if (conn->buffer != NULL && conn->buffer->whole != 0 && !conn_answer(conn, server, &gone)) {
        return !gone;
    }
    for (;;) {
        struct buffer *buffer = conn->buffer != NULL ? conn->buffer : (conn->buffer = server_buffer(server));
        uint32_t room = BUFFER_BYTES - buffer->filled;
        ssize_t came = recv(conn->fd, buffer->bytes + buffer->filled, room, 0);

        if (came <= 0) {
            if (buffer->filled == 0) {
                conn_rest(conn, server);
            }
            return came < 0 && errno == EAGAIN;
        }
        buffer->filled += (uint32_t) came;
        if (!buffer_cut(buffer)) {
            return false;
        }
        if (buffer->whole != 0 && !conn_answer(conn, server, &gone)) {
            conn_wait_for_room(conn, server, !gone);
            return !gone;
        }
        if (buffer->filled == 0) {
            conn_rest(conn, server);
        }
        if ((uint32_t) came < room) { /* Nothing was left; what comes now is a new edge. */
            return true;
        }
    }
}

static void server_serve(struct server *server, struct conn *conn, uint32_t events)
{
    if ((events & EPOLLOUT) != 0 && conn->waiting) {
        if (conn->owed_bytes != 0) {
            conn_pay(conn, server);
        } else {
            conn_wait_for_room(conn, server, false);
        }
    }
    /* The peer's end is an edge like data: there is no second one, so receive until it is met. */
    for (uint32_t turn = 0; conn_go_on(conn, server); turn++) {
        if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0 || turn == TURNS) {
            return;
        }
    }
    conn_close(conn, server);
}

static _Noreturn void server_run(struct server *server)
{
    struct epoll_event events[BATCH];

    for (;;) {
        int count = epoll_wait(server->epoll, events, BATCH, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL) {
                server_accept(server);
            } else {
                server_serve(server, events[i].data.ptr, events[i].events);
            }
        }
    }
}

int main(int argc, char **argv)
{
    struct bare bare = bare_begin(argc, argv, NULL);
    struct server server = {.max = bare.connections, .broadcast = bare.broadcast};

    server.conns = calloc(server.max, sizeof(struct conn *));
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server.conns == NULL || server.epoll < 0) {
        machine_die("epoll_create1");
    }
    server.ear = socket_listen(bare.path);
    server_watch(&server, EPOLL_CTL_ADD, server.ear, NULL);
    bare_ready(&bare);
    server_run(&server);
}
