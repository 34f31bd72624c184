/* SPDX-License-Identifier: MIT */
/*
 * peer_libuv - a server on one loop of libuv, on Linux and on Windows.
 *
 * As programs mostly use it: each message is copied behind a request of its own and given to uv_write. With --join 1 it
 * does by its own hand what libuv does not: all whole messages of one read leave in one write, tried at once from where
 * they were read, and only what did not go is copied and queued. One buffer serves all reads of the loop; a connection
 * that has received a part of a message takes it along and the loop makes a new one. With --mode broadcast a message
 * (joined: those of one read) is copied once and shared by the writes to all connections.
 */
#include "bench/peers/ground.h"
#include "bench/peers/inbox.h"
#include "bench/peers/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct conn {
    uv_pipe_t pipe;
    size_t index;       /* Its place among all. */
    struct inbox inbox; /* Bytes NULL: no part of a message is there. */
};

/* Bytes that one or more writes send; freed with the last of them. */
struct block {
    size_t writes;
    size_t count;
    unsigned char bytes[];
};

struct reply {
    uv_write_t write;
    struct block *block;
};

static struct {
    uv_loop_t *loop;
    struct options options;
    struct inbox shared; /* Of the loop: every read of a connection without an inbox goes there. */
    size_t count;
    struct conn **conns;
} server;

static _Noreturn void die(const char *what, int code)
{
    fprintf(stderr, "peer_libuv: %s: %s\n", what, code == 0 ? "no memory" : uv_strerror(code));
    exit(1);
}

static void *claim(size_t bytes)
{
    void *memory = malloc(bytes);

    if (memory == NULL) {
        die("malloc", 0);
    }
    return memory;
}

static void conn_closed(uv_handle_t *handle)
{
    struct conn *conn = handle->data;

    inbox_fini(&conn->inbox);
    free(conn);
}

static void conn_close(struct conn *conn)
{
    if (!uv_is_closing((uv_handle_t *) &conn->pipe)) {
        server.count--;
        server.conns[conn->index] = server.conns[server.count];
        server.conns[conn->index]->index = conn->index;
        uv_close((uv_handle_t *) &conn->pipe, conn_closed);
    }
}

static struct block *block_make(const unsigned char *bytes, size_t count)
{
    struct block *block = claim(sizeof *block + count);

    block->writes = 1; /* Its maker's, until it has handed it to all. */
    block->count = count;
    memcpy(block->bytes, bytes, count);
    return block;
}

static void block_release(struct block *block)
{
    if (--block->writes == 0) {
        free(block);
    }
}

static void reply_sent(uv_write_t *write, int status)
{
    struct reply *reply = write->data;

    if (status < 0) {
        conn_close(write->handle->data);
    }
    block_release(reply->block);
    free(reply);
}

static void conn_write(struct conn *conn, struct block *block, size_t from)
{
    struct reply *reply = claim(sizeof *reply);
    uv_buf_t buffer = uv_buf_init((char *) block->bytes + from, (unsigned) (block->count - from));
    int code;

    reply->write.data = reply;
    reply->block = block;
    block->writes++;
    code = uv_write(&reply->write, (uv_stream_t *) &conn->pipe, &buffer, 1, reply_sent);
    if (code < 0) {
        block->writes--; /* Its maker has it still. */
        free(reply);
        conn_close(conn);
    }
}

/* How much went at once, where nothing is queued; 0 where libuv cannot say. */
static size_t conn_try(struct conn *conn, unsigned char *bytes, size_t count)
{
    uv_buf_t buffer = uv_buf_init((char *) bytes, (unsigned) count);
    int sent = uv_try_write((uv_stream_t *) &conn->pipe, &buffer, 1);

    return sent > 0 ? (size_t) sent : 0;
}

static void conn_reply(struct conn *conn, unsigned char *bytes, size_t count)
{
    size_t sent = server.options.join ? conn_try(conn, bytes, count) : 0;

    if (sent < count) {
        struct block *block = block_make(bytes + sent, count - sent);

        conn_write(conn, block, 0);
        block_release(block);
    }
}

static void server_broadcast(unsigned char *bytes, size_t count)
{
    struct block *block = NULL;

    for (size_t i = server.count; i-- > 0;) { /* Who is closed meanwhile changes places with one that had its turn. */
        size_t sent = server.options.join ? conn_try(server.conns[i], bytes, count) : 0;

        if (sent < count) {
            block = block != NULL ? block : block_make(bytes, count);
            conn_write(server.conns[i], block, sent);
        }
    }
    if (block != NULL) {
        block_release(block);
    }
}

static void conn_answer(struct conn *conn, const struct inbox *inbox, size_t whole)
{
    size_t count;

    for (size_t at = 0; at < whole; at += count) {
        count = server.options.join ? whole : inbox_message(inbox, at);
        if (server.options.broadcast) {
            server_broadcast(inbox->bytes + at, count);
        } else {
            conn_reply(conn, inbox->bytes + at, count);
        }
    }
}

static void conn_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct conn *conn = handle->data;
    struct inbox *inbox = conn->inbox.bytes != NULL ? &conn->inbox : &server.shared;

    (void) suggested;
    *buffer = uv_buf_init((char *) inbox->bytes + inbox->filled, (unsigned) (inbox->room - inbox->filled));
}

static void conn_came(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct conn *conn = stream->data;
    struct inbox *inbox = conn->inbox.bytes != NULL ? &conn->inbox : &server.shared;
    size_t whole;

    (void) buffer;
    if (count < 0) {
        conn_close(conn);
        return;
    }
    inbox->filled += (size_t) count;
    whole = inbox_whole(inbox);
    conn_answer(conn, inbox, whole);
    if (!inbox_drop(inbox, whole)) {
        inbox->filled = 0;
        conn_close(conn);
    } else if (inbox == &server.shared && inbox->filled != 0) { /* It is this connection's now. */
        conn->inbox = server.shared;
        if (!inbox_init(&server.shared)) {
            die("malloc", 0);
        }
    } else if (inbox == &conn->inbox && inbox->filled == 0) {
        inbox_fini(inbox);
    }
}

static void server_accept(uv_stream_t *ear, int status)
{
    struct conn *conn = claim(sizeof *conn);

    if (status < 0 || server.count == server.options.connections) {
        die("a connection more than --connections, or none", status);
    }
    memset(conn, 0, sizeof *conn);
    uv_pipe_init(server.loop, &conn->pipe, 0);
    conn->pipe.data = conn;
    conn->index = server.count;
    server.conns[server.count++] = conn;
    if (uv_accept(ear, (uv_stream_t *) &conn->pipe) != 0 ||
        uv_read_start((uv_stream_t *) &conn->pipe, conn_room, conn_came) != 0) {
        conn_close(conn);
    }
}

int main(int argc, char **argv)
{
    const struct options_can can = {.threads_max = 1, .connections_max = 1000000, .broadcast = true, .join = true};
    uv_fs_t old;
    uv_pipe_t ear;
    int code;

    server.options = options_read(argc, argv, &can);
    ground_prepare(server.options.connections);
    server.loop = uv_default_loop();
    server.conns = calloc(server.options.connections, sizeof(struct conn *));
    if (server.conns == NULL || !inbox_init(&server.shared)) {
        die("malloc", 0);
    }
    (void) uv_fs_unlink(server.loop, &old, ground_address(server.options.name), NULL); /* Of one that was killed. */
    uv_fs_req_cleanup(&old);
    uv_pipe_init(server.loop, &ear, 0);
    code = uv_pipe_bind(&ear, ground_address(server.options.name));
    if (code == 0) {
        code = uv_listen((uv_stream_t *) &ear, 4096, server_accept);
    }
    if (code != 0) {
        die(server.options.name, code);
    }
    options_ready(&server.options);
    uv_run(server.loop, UV_RUN_DEFAULT);
    return 0;
}
