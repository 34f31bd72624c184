/* SPDX-License-Identifier: MIT */
/*
 * bare_iocp - the limit: an echo server on one completion port, and no library.
 *
 * What somebody writes who needs exactly this and knows the system well. One port, T threads that drain it in batches
 * with GetQueuedCompletionStatusEx, no events, no packet for what finishes at once. A connection has one buffer and one
 * operation: connect, read or write, one at a time. Messages are echoed from the buffer they were read into, no copy
 * and no allocation, with one WriteFile each: that is the loop one writes. With --join it writes all that it has read
 * in one, which an echo can and few servers could: the limit of the limit. It has no send queue, so nobody else can
 * send to a connection, no bound on a client that never reads, no deadlines and no orderly stop.
 *
 * With --broadcast every message goes to all connections: those of one read are joined into one write a receiver,
 * copied once for all. What a receiver cannot take is kept for it.
 */
#include "bench/arguments.h"
#include "bench/clock.h"
#include "bench/frame.h"
#include "bench/windows/dial.h"
#include "bench/windows/win.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 16, TURNS = 16, BUFFER_BYTES = 64 * 1024 };

/* connecting -> (reading <-> writing) -> connecting: what the one operation of the connection is doing. */
enum stage { CONNECTING, READING, WRITING };

/* Of a broadcast: what its writes send, freed with the last of them. */
struct block {
    LONG holders;
    uint32_t count;
    unsigned char bytes[];
};

/* What a broadcast needs of a receiver besides; any thread, under the lock. */
struct ear {
    OVERLAPPED overlapped; /* The system's while the write is pending. */
    SRWLOCK lock;
    bool open;           /* Connected, and its pipe not closed. */
    struct block *block; /* Of the pending write; NULL: none is. */
    uint32_t owed_bytes; /* To be written behind it. */
    unsigned char *owed;
};

struct conn {
    OVERLAPPED overlapped; /* The system's while an operation is pending. */
    HANDLE pipe;
    enum stage stage;
    uint32_t filled; /* Bytes in the buffer. */
    uint32_t echoed; /* Of these, whole messages that have been written back, or to all. */
    struct ear ear;
    unsigned char buffer[BUFFER_BYTES];
};

struct server {
    HANDLE port;
    bool join;      /* All whole messages in the buffer leave in one write. */
    bool broadcast; /* They go to all, and then join is set. */
    uint32_t count; /* Of all seats; set before anything is served. */
    struct conn **conns;
    char address[DIAL_ADDRESS_BYTES];
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bare_iocp: %s failed: %lu\n", what, GetLastError());
    exit(1);
}

/* A new instance for this seat, waiting for a client. True: one is there already. */
static bool conn_accept(struct conn *conn, const struct server *server)
{
    for (;;) {
        conn->stage = CONNECTING;
        conn->filled = 0;
        conn->echoed = 0;
        memset(&conn->overlapped, 0, sizeof conn->overlapped);
        conn->pipe = CreateNamedPipeA(server->address, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                      PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS, PIPE_UNLIMITED_INSTANCES,
                                      DIAL_PIPE_BYTES, DIAL_PIPE_BYTES, 50, NULL);
        if (conn->pipe == INVALID_HANDLE_VALUE || !dial_bind(conn->pipe, server->port, conn)) {
            die("a new instance");
        }
        ConnectNamedPipe(conn->pipe, &conn->overlapped);
        if (GetLastError() == ERROR_IO_PENDING) {
            return false;
        }
        if (GetLastError() == ERROR_PIPE_CONNECTED) {
            return true;
        }
        CloseHandle(conn->pipe); /* ERROR_NO_DATA: came and went. */
    }
}

/* Bytes of the message at `at` if it is whole; 0: not yet; UINT32_MAX: it never will be. */
static uint32_t conn_whole(const struct conn *conn, uint32_t at)
{
    uint32_t waiting = conn->filled - at;
    uint64_t frame;

    if (waiting < FRAME_HEADER_BYTES) {
        return 0;
    }
    frame = (uint64_t) frame_length(conn->buffer + at) + FRAME_HEADER_BYTES;
    if (frame > BUFFER_BYTES) {
        return UINT32_MAX;
    }
    return frame <= waiting ? (uint32_t) frame : 0;
}

/* What the next write shall take: bytes from `echoed` on, as conn_whole. */
static uint32_t conn_next(const struct conn *conn, bool join)
{
    uint32_t bytes = conn_whole(conn, conn->echoed);

    if (!join || bytes == 0 || bytes == UINT32_MAX) {
        return bytes;
    }
    for (;;) {
        uint32_t more = conn_whole(conn, conn->echoed + bytes);

        if (more == 0 || more == UINT32_MAX) { /* One that is broken is met by the next call. */
            return bytes;
        }
        bytes += more;
    }
}

enum armed { NOW, LATER, FAILED };

static enum armed conn_armed(BOOL finished)
{
    if (finished) {
        return NOW;
    }
    return GetLastError() == ERROR_IO_PENDING ? LATER : FAILED;
}

static struct block *block_make(const unsigned char *bytes, uint32_t count)
{
    struct block *block = malloc(sizeof *block + count);

    if (block == NULL) {
        die("malloc");
    }
    block->holders = 1; /* Its maker. */
    block->count = count;
    memcpy(block->bytes, bytes, count);
    return block;
}

static void block_release(struct block *block)
{
    if (InterlockedDecrement(&block->holders) == 0) {
        free(block);
    }
}

/* Under the lock, and no write is pending. One that fails is left to the read, which fails as well. */
static void ear_write(struct conn *conn, struct block *block)
{
    InterlockedIncrement(&block->holders); /* Before arming: another thread may take the completion. */
    conn->ear.block = block;
    if (conn_armed(WriteFile(conn->pipe, block->bytes, block->count, NULL, &conn->ear.overlapped)) != LATER) {
        conn->ear.block = NULL;
        InterlockedDecrement(&block->holders); /* Who calls holds it. */
    }
}

/* Under the lock. */
static void ear_owe(struct ear *ear, const struct block *block)
{
    ear->owed = realloc(ear->owed, (size_t) ear->owed_bytes + block->count);
    if (ear->owed == NULL) {
        die("realloc");
    }
    memcpy(ear->owed + ear->owed_bytes, block->bytes, block->count);
    ear->owed_bytes += block->count;
}

static void server_broadcast(const struct server *server, const unsigned char *bytes, uint32_t count)
{
    struct block *block = block_make(bytes, count);

    for (uint32_t i = 0; i < server->count; i++) {
        struct conn *conn = server->conns[i];

        AcquireSRWLockExclusive(&conn->ear.lock);
        if (conn->ear.open && conn->ear.block != NULL) {
            ear_owe(&conn->ear, block);
        } else if (conn->ear.open) {
            ear_write(conn, block);
        }
        ReleaseSRWLockExclusive(&conn->ear.lock);
    }
    block_release(block);
}

/* The pending write is done: what is owed follows. False: the connection has been closed meanwhile. */
static bool ear_go_on(struct conn *conn)
{
    struct ear *ear = &conn->ear;
    bool open;

    AcquireSRWLockExclusive(&ear->lock);
    block_release(ear->block);
    ear->block = NULL;
    open = ear->open;
    if (open && ear->owed_bytes != 0) {
        struct block *block = block_make(ear->owed, ear->owed_bytes);

        ear->owed_bytes = 0;
        ear_write(conn, block);
        block_release(block);
    }
    ReleaseSRWLockExclusive(&ear->lock);
    return open;
}

static void ear_open(struct ear *ear)
{
    AcquireSRWLockExclusive(&ear->lock);
    ear->open = true;
    ReleaseSRWLockExclusive(&ear->lock);
}

/* The pipe is closed. False: its pending write is to be waited for before the seat is free. */
static bool conn_close(struct conn *conn)
{
    struct ear *ear = &conn->ear;
    bool free_now;

    AcquireSRWLockExclusive(&ear->lock);
    CloseHandle(conn->pipe);
    ear->open = false;
    free(ear->owed);
    ear->owed = NULL;
    ear->owed_bytes = 0;
    free_now = ear->block == NULL;
    ReleaseSRWLockExclusive(&ear->lock);
    return free_now;
}

/* Echoes every whole message in the buffer, or sends it to all. */
static enum armed conn_echo(struct conn *conn, const struct server *server)
{
    bool join = server->join;

    for (uint32_t bytes = conn_next(conn, join); bytes != 0; bytes = conn_next(conn, join)) {
        const unsigned char *message = conn->buffer + conn->echoed;
        enum armed armed;

        if (bytes == UINT32_MAX) {
            return FAILED;
        }
        if (server->broadcast) {
            conn->echoed += bytes;
            server_broadcast(server, message, bytes);
            continue;
        }
        conn->stage = WRITING;
        conn->echoed += bytes; /* Before arming: another thread may take the completion. */
        armed = conn_armed(WriteFile(conn->pipe, message, bytes, NULL, &conn->overlapped));
        if (armed != NOW) {
            return armed;
        }
    }
    return NOW;
}

/* Reads behind what is left of a message. */
static enum armed conn_read(struct conn *conn, DWORD *bytes)
{
    conn->filled -= conn->echoed;
    memmove(conn->buffer, conn->buffer + conn->echoed, conn->filled);
    conn->echoed = 0;
    conn->stage = READING;
    return conn_armed(
        ReadFile(conn->pipe, conn->buffer + conn->filled, BUFFER_BYTES - conn->filled, bytes, &conn->overlapped));
}

/* The one operation of the connection is done: goes on until the next one pends. */
static void conn_go_on(struct conn *conn, const struct server *server, DWORD bytes, bool failed)
{
    enum armed armed = failed ? FAILED : NOW;

    for (int turn = 0;; turn++) {
        if (armed == NOW && server->broadcast && conn->stage == CONNECTING) {
            ear_open(&conn->ear);
        }
        if (armed == NOW && conn->stage == READING) {
            conn->filled += bytes;
        }
        if (armed == NOW && turn == TURNS) { /* One busy client must not hold a thread for good. */
            conn->stage = WRITING;           /* As if a write had just finished: all the read bytes are counted. */
            if (!PostQueuedCompletionStatus(server->port, 0, (ULONG_PTR) conn, &conn->overlapped)) {
                die("PostQueuedCompletionStatus");
            }
            return;
        }
        if (armed == NOW) {
            armed = conn_echo(conn, server);
        }
        if (armed == NOW) {
            armed = conn_read(conn, &bytes);
        }
        if (armed == LATER) {
            return;
        }
        if (armed == FAILED) {
            if (!conn_close(conn) || !conn_accept(conn, server)) {
                return;
            }
            armed = NOW;
        }
    }
}

static DWORD WINAPI server_work(void *argument)
{
    const struct server *server = argument;
    OVERLAPPED_ENTRY entries[BATCH];

    for (;;) {
        ULONG count = 0;

        if (!GetQueuedCompletionStatusEx(server->port, entries, BATCH, &count, INFINITE, FALSE)) {
            die("GetQueuedCompletionStatusEx");
        }
        for (ULONG i = 0; i < count; i++) {
            struct conn *conn = (struct conn *) entries[i].lpCompletionKey;

            if (entries[i].lpOverlapped != &conn->ear.overlapped) {
                conn_go_on(conn, server, entries[i].dwNumberOfBytesTransferred, entries[i].lpOverlapped->Internal != 0);
            } else if (!ear_go_on(conn) && conn_accept(conn, server)) {
                conn_go_on(conn, server, 0, false);
            }
        }
    }
}

static void server_make_seats(struct server *server)
{
    server->conns = calloc(server->count, sizeof(struct conn *));
    if (server->conns == NULL) {
        die("calloc");
    }
    for (uint32_t i = 0; i < server->count; i++) {
        server->conns[i] = calloc(1, sizeof *server->conns[i]); /* Never freed: it lives as long as the process. */
        if (server->conns[i] == NULL) {
            die("calloc");
        }
        InitializeSRWLock(&server->conns[i]->ear.lock);
    }
    for (uint32_t i = 0; i < server->count; i++) { /* All are there before anybody is heard. */
        if (conn_accept(server->conns[i], server)) {
            conn_go_on(server->conns[i], server, 0, false);
        }
    }
}

int main(int argc, char **argv)
{
    static struct server server = {.count = 255}; /* The threads outlive main's frame where it returns. */
    uint32_t threads = 2, seconds = 0, join = 0, broadcast = 0;
    const struct argument known[] = {
        {"--connections", &server.count, 1, 20000, "instances, all made at the start"},
        {"--threads", &threads, 1, 64, "threads that drain the port"},
        {"--seconds", &seconds, 0, 86400, "how long to serve; 0: for good"},
        {"--join", &join, 0, 1, "1: one write for all that was read"},
        {"--broadcast", &broadcast, 0, 1, "1: each message goes to all connections"},
        {NULL, NULL, 0, 0, NULL},
    };
    const char *name = arguments_read(argc, argv, known);

    dial_address(server.address, name);
    server.broadcast = broadcast != 0;
    server.join = join != 0 || server.broadcast;
    server.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, threads);
    if (server.port == NULL) {
        die("CreateIoCompletionPort");
    }
    server_make_seats(&server);
    for (uint32_t i = 0; i < threads; i++) {
        HANDLE thread = CreateThread(NULL, 0, server_work, &server, 0, NULL);

        if (thread == NULL) {
            die("CreateThread");
        }
        CloseHandle(thread);
    }
    printf("listening on %s\n", server.address);
    fflush(stdout);
    clock_pause_ms(seconds == 0 ? UINT32_MAX : seconds * 1000);
    return 0;
}
