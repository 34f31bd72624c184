/* SPDX-License-Identifier: MIT */
/*
 * peer_routines - a server on one thread, which the system calls back where a read or a write is done.
 *
 * The third scheme that Windows' documentation teaches: ReadFileEx and WriteFileEx with completion routines, which run
 * as asynchronous procedure calls while the thread waits, alertably, for the event of the next connection. All whole
 * messages of one read are written back by one write, from where they were read.
 */
#include "bench/peers/inbox.h"
#include "bench/peers/options.h"
#include "bench/windows/dial.h"
#include "bench/windows/win.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct client {
    OVERLAPPED overlapped; /* First: a routine is given it, and means the client. */
    HANDLE pipe;
    struct inbox inbox;
};

static char address[DIAL_ADDRESS_BYTES];
static OVERLAPPED waiting; /* Of the instance that waits for a client. */

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "peer_routines: %s failed: %lu\n", what, GetLastError());
    exit(1);
}

static void client_end(struct client *client)
{
    CloseHandle(client->pipe);
    inbox_fini(&client->inbox);
    free(client);
}

static void WINAPI client_came(DWORD code, DWORD bytes, OVERLAPPED *overlapped);

static bool client_read(struct client *client)
{
    struct inbox *inbox = &client->inbox;

    return ReadFileEx(client->pipe, inbox->bytes + inbox->filled, (DWORD) (inbox->room - inbox->filled),
                      &client->overlapped, client_came);
}

static void WINAPI client_wrote(DWORD code, DWORD bytes, OVERLAPPED *overlapped)
{
    struct client *client = (struct client *) overlapped;

    if (code != 0 || !inbox_drop(&client->inbox, bytes) || !client_read(client)) {
        client_end(client);
    }
}

static void WINAPI client_came(DWORD code, DWORD bytes, OVERLAPPED *overlapped)
{
    struct client *client = (struct client *) overlapped;
    struct inbox *inbox = &client->inbox;
    bool alive = code == 0;

    if (alive) {
        size_t whole;

        inbox->filled += bytes;
        whole = inbox_whole(inbox);
        alive = whole != 0
                    ? WriteFileEx(client->pipe, inbox->bytes, (DWORD) whole, &client->overlapped, client_wrote) != 0
                    : inbox_drop(inbox, 0) && client_read(client);
    }
    if (!alive) {
        client_end(client);
    }
}

/* A new instance that waits for a client; its event tells. */
static HANDLE server_instance(void)
{
    HANDLE pipe = CreateNamedPipeA(address, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                   PIPE_TYPE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, PIPE_UNLIMITED_INSTANCES,
                                   DIAL_PIPE_BYTES, DIAL_PIPE_BYTES, 50, NULL);

    if (pipe == INVALID_HANDLE_VALUE) {
        die("a new instance");
    }
    if (!ConnectNamedPipe(pipe, &waiting) && GetLastError() != ERROR_IO_PENDING && !SetEvent(waiting.hEvent)) {
        die("SetEvent");
    }
    return pipe;
}

static void server_begin(HANDLE pipe)
{
    struct client *client = calloc(1, sizeof *client);

    if (client == NULL || !inbox_init(&client->inbox)) {
        die("malloc");
    }
    client->pipe = pipe;
    if (!client_read(client)) { /* Came and went. */
        client_end(client);
    }
}

int main(int argc, char **argv)
{
    const struct options_can can = {.threads_max = 1, .connections_max = 20000};
    struct options options = options_read(argc, argv, &can);
    HANDLE pipe;

    dial_address(address, options.name);
    waiting.hEvent = CreateEventA(NULL, FALSE, FALSE, NULL); /* Resets itself where the wait ends. */
    if (waiting.hEvent == NULL) {
        die("CreateEvent");
    }
    pipe = server_instance();
    options_ready(&options);
    for (;;) {
        DWORD why = WaitForSingleObjectEx(waiting.hEvent, INFINITE, TRUE);

        if (why == WAIT_OBJECT_0) {
            HANDLE came = pipe;

            pipe = server_instance(); /* Before this one is served: no client shall find none. */
            server_begin(came);
        } else if (why != WAIT_IO_COMPLETION) {
            die("WaitForSingleObjectEx");
        }
    }
}
