/* SPDX-License-Identifier: MIT */
/*
 * peer_overlapped - a server on one thread, overlapped operations and an array of events.
 *
 * The second scheme that Windows' documentation teaches: so many instances from the start, each with one operation and
 * its event, and WaitForMultipleObjects over all events, of which it takes 64 at most; one is left for whoever would
 * stop it, as such programs have it. The wait tells the first event that is set, so that those in the front are served
 * first: the scheme's own habit, and left to it. All whole messages of one read are written back by one write.
 */
#include "bench/peers/inbox.h"
#include "bench/peers/options.h"
#include "bench/windows/dial.h"
#include "bench/windows/win.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLIENTS_MAX = MAXIMUM_WAIT_OBJECTS - 1 };

enum stage { CONNECTING, READING, WRITING };

struct client {
    OVERLAPPED overlapped; /* The system's while the operation is pending; its event stays. */
    HANDLE pipe;
    enum stage stage; /* What the operation is. */
    size_t writing;   /* Bytes of the write. */
    struct inbox inbox;
};

static struct {
    HANDLE events[MAXIMUM_WAIT_OBJECTS]; /* The first is the one that would stop it. */
    struct client clients[CLIENTS_MAX];  /* The event of client i is events[i + 1]. */
    char address[DIAL_ADDRESS_BYTES];
} server;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "peer_overlapped: %s failed: %lu\n", what, GetLastError());
    exit(1);
}

/* A new instance in this place. */
static void client_connect(struct client *client)
{
    client->stage = CONNECTING;
    client->pipe = CreateNamedPipeA(server.address, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                    PIPE_TYPE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, PIPE_UNLIMITED_INSTANCES,
                                    DIAL_PIPE_BYTES, DIAL_PIPE_BYTES, 50, NULL);
    if (client->pipe == INVALID_HANDLE_VALUE || !inbox_init(&client->inbox)) {
        die("a new instance");
    }
    if (!ConnectNamedPipe(client->pipe, &client->overlapped) && GetLastError() != ERROR_IO_PENDING &&
        !SetEvent(client->overlapped.hEvent)) { /* Somebody is there already, or was. */
        die("SetEvent");
    }
}

static void client_again(struct client *client)
{
    CloseHandle(client->pipe);
    inbox_fini(&client->inbox);
    client_connect(client);
}

/* Reads, or writes what is whole. False: the client is gone. Whether it finished at once or not, the event tells. */
static bool client_arm(struct client *client)
{
    struct inbox *inbox = &client->inbox;
    BOOL done;

    client->writing = client->stage == READING ? inbox_whole(inbox) : 0;
    if (client->writing != 0) {
        client->stage = WRITING;
        done = WriteFile(client->pipe, inbox->bytes, (DWORD) client->writing, NULL, &client->overlapped);
    } else {
        client->stage = READING;
        done = ReadFile(client->pipe, inbox->bytes + inbox->filled, (DWORD) (inbox->room - inbox->filled), NULL,
                        &client->overlapped);
    }
    return done || GetLastError() == ERROR_IO_PENDING;
}

/* Its event is set: the operation is done. */
static void client_go_on(struct client *client)
{
    DWORD bytes = 0;
    bool alive = true;

    if (client->stage != CONNECTING) {
        alive = GetOverlappedResult(client->pipe, &client->overlapped, &bytes, FALSE) != 0;
    }
    if (alive && client->stage == READING) {
        client->inbox.filled += bytes;
        alive = inbox_drop(&client->inbox, 0);
    } else if (alive && client->stage == WRITING) {
        alive = inbox_drop(&client->inbox, client->writing);
    }
    ResetEvent(client->overlapped.hEvent);
    if (!alive || !client_arm(client)) {
        client_again(client);
    }
}

int main(int argc, char **argv)
{
    const struct options_can can = {.threads_max = 1, .connections_max = CLIENTS_MAX};
    struct options options = options_read(argc, argv, &can);

    dial_address(server.address, options.name);
    for (uint32_t i = 0; i <= options.connections; i++) {
        server.events[i] = CreateEventA(NULL, TRUE, FALSE, NULL);
        if (server.events[i] == NULL) {
            die("CreateEvent");
        }
        if (i != 0) {
            server.clients[i - 1].overlapped.hEvent = server.events[i];
            client_connect(&server.clients[i - 1]);
        }
    }
    options_ready(&options);
    for (;;) {
        DWORD which = WaitForMultipleObjects(options.connections + 1, server.events, FALSE, INFINITE) - WAIT_OBJECT_0;

        if (which == 0 || which > options.connections) {
            die("WaitForMultipleObjects");
        }
        client_go_on(&server.clients[which - 1]);
    }
}
