/* SPDX-License-Identifier: MIT */
/*
 * bare_uring - the limit: an echo server on one private ring, one thread, and no library.
 *
 * Completions are made only when this thread asks for them (DEFER_TASKRUN); one receive per connection goes on for good
 * and takes its buffers from a ring of provided ones; all that is to be sent goes out with the call that waits. Whole
 * messages are sent from the buffers they were received into, joined: a message that spans buffers, or several that do,
 * leave in one gathering send. At most one send per connection is in flight, so nothing overtakes. Of the buffers only
 * as many lie ready as connections may fill at once; the others wait on a stack, so that the ones in use stay in the
 * cache. No queue for others, no bound on a client that never reads, no deadlines.
 *
 * With --broadcast every message goes to all connections: those of one read are joined into one block for everybody.
 */
#include "bench/linux/gnu.h"

#include "bench/linux/bare.h"
#include "bench/linux/machine.h"
#include "bench/linux/socket.h"
#include "bench/linux/store.h"

#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { SUBMISSIONS = 4096, COMPLETIONS = 65536, SLICES = 32 };

/* What a completion is of: the lowest bits of its data, beside the connection. */
enum { RECEIVED = 0, SENT = 1, ACCEPTED = 2, CLOSED = 3, KIND_MASK = 3 };

/* One block for all receivers of a broadcast. */
struct block {
    uint32_t references, count;
    unsigned char bytes[];
};

/* A block that waits for a receiver whose send is in flight. */
struct owed {
    struct owed *next;
    struct block *block;
};

struct gather {
    struct msghdr message;
    struct iovec slices[SLICES];
};

struct conn {
    int fd;
    bool receiving, sending, ended;
    uint32_t index; /* Its place in the server's table. */
    struct store_queue queue;
    struct block *block;   /* The one being sent. */
    struct owed *owed;     /* Oldest first. */
    struct gather *gather; /* Lent to the send in flight; NULL: it has one slice. */
    struct conn *starved;  /* Next of those that ran out of buffers. */
};

struct server {
    struct io_uring ring;
    struct store store;
    int ear;
    bool broadcast;
    uint32_t count, max;
    struct conn **conns;
    struct conn *starved; /* Their receives begin anew when buffers have come back. */
};

static struct io_uring_sqe *server_ask(struct server *server, const void *conn, unsigned kind)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&server->ring);

    if (sqe == NULL) { /* More than fits: on with what is there. */
        io_uring_submit(&server->ring);
        sqe = io_uring_get_sqe(&server->ring);
        if (sqe == NULL) {
            machine_die("no place in the ring");
        }
    }
    sqe->user_data = (uint64_t) (uintptr_t) conn | kind;
    return sqe;
}

static void server_listen(struct server *server)
{
    struct io_uring_sqe *sqe = server_ask(server, NULL, ACCEPTED);
    uint64_t data = sqe->user_data;

    io_uring_prep_multishot_accept(sqe, server->ear, NULL, NULL, SOCK_CLOEXEC);
    sqe->user_data = data;
}

static void conn_receive(struct conn *conn, struct server *server)
{
    struct io_uring_sqe *sqe = server_ask(server, conn, RECEIVED);
    uint64_t data = sqe->user_data;

    io_uring_prep_recv_multishot(sqe, conn->fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = STORE_GROUP;
    sqe->user_data = data;
    conn->receiving = true;
}

static void conn_send_bytes(struct conn *conn, struct server *server, const struct iovec *slice)
{
    struct io_uring_sqe *sqe = server_ask(server, conn, SENT);
    uint64_t data = sqe->user_data;

    io_uring_prep_send(sqe, conn->fd, slice->iov_base, slice->iov_len, MSG_NOSIGNAL | MSG_WAITALL);
    sqe->user_data = data;
    conn->sending = true;
}

static void conn_send_gathered(struct conn *conn, struct server *server, const struct iovec *slices, uint32_t count)
{
    struct gather *gather = malloc(sizeof *gather);
    struct io_uring_sqe *sqe = server_ask(server, conn, SENT);
    uint64_t data = sqe->user_data;

    if (gather == NULL) {
        machine_die("malloc");
    }
    memcpy(gather->slices, slices, count * sizeof *slices);
    gather->message = (struct msghdr){.msg_iov = gather->slices, .msg_iovlen = count};
    io_uring_prep_sendmsg(sqe, conn->fd, &gather->message, MSG_NOSIGNAL | MSG_WAITALL);
    sqe->user_data = data;
    conn->gather = gather;
    conn->sending = true;
}

/* Whatever is whole and not yet on its way. */
static void conn_send(struct conn *conn, struct server *server)
{
    struct iovec slices[SLICES];
    uint32_t count = store_slices(&server->store, &conn->queue, slices, SLICES);

    if (count == 1) {
        conn_send_bytes(conn, server, slices);
    } else if (count > 1) {
        conn_send_gathered(conn, server, slices, count);
    }
}

static void block_give(struct block *block)
{
    if (--block->references == 0) {
        free(block);
    }
}

static void conn_send_block(struct conn *conn, struct server *server, struct block *block)
{
    struct iovec slice = {block->bytes, block->count};

    conn->block = block;
    conn_send_bytes(conn, server, &slice);
}

static void conn_owe(struct conn *conn, struct block *block)
{
    struct owed **last = &conn->owed;
    struct owed *owed = malloc(sizeof *owed);

    if (owed == NULL) {
        machine_die("malloc");
    }
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *owed = (struct owed){NULL, block};
    *last = owed;
}

/* Copies what is whole, once, and gives the buffers back. */
static struct block *conn_block(struct conn *conn, struct server *server)
{
    struct block *block = malloc(sizeof *block + conn->queue.whole_bytes);
    struct iovec slices[SLICES];
    uint32_t count;

    if (block == NULL) {
        machine_die("malloc");
    }
    *block = (struct block){.references = 1};
    while ((count = store_slices(&server->store, &conn->queue, slices, SLICES)) != 0) {
        uint32_t before = block->count;

        for (uint32_t i = 0; i < count; i++) {
            memcpy(block->bytes + block->count, slices[i].iov_base, slices[i].iov_len);
            block->count += (uint32_t) slices[i].iov_len;
        }
        store_take(&server->store, &conn->queue, block->count - before);
    }
    return block;
}

static void server_broadcast(struct server *server, struct block *block)
{
    for (uint32_t i = 0; i < server->count; i++) {
        struct conn *conn = server->conns[i];

        if (!conn->ended) {
            block->references++;
            if (conn->sending) {
                conn_owe(conn, block);
            } else {
                conn_send_block(conn, server, block);
            }
        }
    }
    block_give(block);
}

/* Once nothing of it is with the system any more. */
static void conn_leave(struct conn *conn, struct server *server)
{
    struct conn *last;
    struct io_uring_sqe *sqe;

    if (conn->receiving || conn->sending) {
        return;
    }
    last = server->conns[--server->count];
    server->conns[conn->index] = last;
    last->index = conn->index;
    store_drop(&server->store, &conn->queue);
    while (conn->owed != NULL) {
        struct owed *owed = conn->owed;

        conn->owed = owed->next;
        block_give(owed->block);
        free(owed);
    }
    sqe = server_ask(server, NULL, CLOSED);
    io_uring_prep_close(sqe, conn->fd);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = CLOSED;
    free(conn);
}

static void conn_end(struct conn *conn, struct server *server)
{
    if (!conn->ended) {
        conn->ended = true;
        if (conn->receiving || conn->sending) {
            (void) shutdown(conn->fd, SHUT_RDWR); /* Brings home what is still with the system. */
        }
    }
    conn_leave(conn, server);
}

static void server_accepted(struct server *server, const struct io_uring_cqe *cqe)
{
    if (cqe->res >= 0) {
        struct conn *conn = server->count < server->max ? malloc(sizeof *conn) : NULL;

        if (conn == NULL) {
            machine_die("more connections than room");
        }
        *conn = (struct conn){.fd = cqe->res, .index = server->count, .queue = STORE_QUEUE_EMPTY};
        server->conns[server->count++] = conn;
        store_stock(&server->store, server->count);
        conn_receive(conn, server);
    }
    if ((cqe->flags & IORING_CQE_F_MORE) == 0) {
        server_listen(server);
    }
}

static void server_received(struct server *server, struct conn *conn, const struct io_uring_cqe *cqe)
{
    bool right = true;

    conn->receiving = (cqe->flags & IORING_CQE_F_MORE) != 0;
    if ((cqe->flags & IORING_CQE_F_BUFFER) != 0) {
        right = store_came(&server->store, &conn->queue, cqe->flags >> IORING_CQE_BUFFER_SHIFT,
                           cqe->res > 0 ? (uint32_t) cqe->res : 0);
    }
    if (conn->ended || !right || (cqe->res <= 0 && cqe->res != -ENOBUFS)) {
        conn_end(conn, server);
        return;
    }
    if (!conn->receiving) {
        conn->receiving = true; /* It will be; until then it counts as if it were. */
        conn->starved = server->starved;
        server->starved = conn;
    }
    if (server->broadcast && conn->queue.whole_bytes != 0) {
        server_broadcast(server, conn_block(conn, server));
    } else if (!conn->sending && conn->queue.whole_bytes != 0) {
        conn_send(conn, server);
    }
}

static void server_sent(struct server *server, struct conn *conn, const struct io_uring_cqe *cqe)
{
    conn->sending = false;
    free(conn->gather);
    conn->gather = NULL;
    if (conn->block != NULL) {
        block_give(conn->block);
        conn->block = NULL;
    } else if (cqe->res > 0) {
        store_take(&server->store, &conn->queue, (uint32_t) cqe->res);
    }
    if (conn->ended || cqe->res < 0) {
        conn_end(conn, server);
    } else if (conn->owed != NULL) {
        struct owed *owed = conn->owed;

        conn->owed = owed->next;
        conn_send_block(conn, server, owed->block);
        free(owed);
    } else if (!server->broadcast && conn->queue.whole_bytes != 0) {
        conn_send(conn, server);
    }
}

static void server_feed(struct server *server)
{
    while (server->starved != NULL && server->store.ready != 0) {
        struct conn *conn = server->starved;

        server->starved = conn->starved;
        if (conn->ended) {
            conn->receiving = false;
            conn_leave(conn, server);
        } else {
            conn_receive(conn, server);
        }
    }
}

static _Noreturn void server_run(struct server *server)
{
    for (;;) {
        struct io_uring_cqe *cqe;
        unsigned head, seen = 0;
        int done = io_uring_submit_and_wait(&server->ring, 1);

        if (done < 0 && done != -EINTR && done != -EAGAIN && done != -EBUSY) {
            errno = -done;
            machine_die("io_uring_submit_and_wait");
        }
        io_uring_for_each_cqe(&server->ring, head, cqe)
        {
            struct conn *conn = (struct conn *) (uintptr_t) (cqe->user_data & ~(uint64_t) KIND_MASK);

            seen++;
            switch (cqe->user_data & KIND_MASK) {
            case RECEIVED:
                server_received(server, conn, cqe);
                break;
            case SENT:
                server_sent(server, conn, cqe);
                break;
            case ACCEPTED:
                server_accepted(server, cqe);
                break;
            }
        }
        io_uring_cq_advance(&server->ring, seen);
        store_publish(&server->store);
        server_feed(server);
    }
}

static void server_open(struct server *server, const char *path, uint32_t buffer_bytes)
{
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                              IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL,
                                     .cq_entries = COMPLETIONS};
    int done = io_uring_queue_init_params(SUBMISSIONS, &server->ring, &params);

    if (done < 0) {
        errno = -done;
        machine_die("no ring");
    }
    store_init(&server->store, &server->ring, buffer_bytes);
    server->ear = socket_listen(path);
    server_listen(server);
}

int main(int argc, char **argv)
{
    static struct server server;
    uint32_t buffer_bytes = 0;
    const struct argument own = {"--buffer", &buffer_bytes, 0, 1 << 20,
                                 "bytes of a provided buffer; 0: by the number of connections"};
    struct bare bare = bare_begin(argc, argv, &own);

    server.max = bare.connections;
    server.broadcast = bare.broadcast;
    server.conns = calloc(server.max, sizeof(struct conn *));
    if (server.conns == NULL) {
        machine_die("calloc");
    }
    if (buffer_bytes == 0) {
        buffer_bytes = server.max > STORE_MANY ? STORE_SMALL_BUFFER_BYTES : STORE_BUFFER_BYTES;
    }
    server_open(&server, bare.path, buffer_bytes);
    bare_ready(&bare);
    server_run(&server);
}
