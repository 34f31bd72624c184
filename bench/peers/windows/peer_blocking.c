/* SPDX-License-Identifier: MIT */
/*
 * peer_blocking - a server with a thread for each client, and calls that block.
 *
 * The first scheme that Windows' documentation teaches: the main thread makes an instance, waits in ConnectNamedPipe,
 * and gives it to a new thread, which reads and writes until the client is gone. All whole messages of one read are
 * written back by one write, from where they were read.
 */
#include "bench/peers/inbox.h"
#include "bench/peers/options.h"
#include "bench/windows/dial.h"
#include "bench/windows/win.h"

#include <stdio.h>
#include <stdlib.h>

enum { STACK_BYTES = 64 * 1024 };

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "peer_blocking: %s failed: %lu\n", what, GetLastError());
    exit(1);
}

static DWORD WINAPI client_serve(void *argument)
{
    HANDLE pipe = argument;
    struct inbox inbox;
    DWORD bytes;

    if (!inbox_init(&inbox)) {
        die("malloc");
    }
    while (ReadFile(pipe, inbox.bytes + inbox.filled, (DWORD) (inbox.room - inbox.filled), &bytes, NULL)) {
        size_t whole;

        inbox.filled += bytes;
        whole = inbox_whole(&inbox);
        if (whole != 0 && !WriteFile(pipe, inbox.bytes, (DWORD) whole, &bytes, NULL)) {
            break;
        }
        if (!inbox_drop(&inbox, whole)) {
            break;
        }
    }
    CloseHandle(pipe);
    inbox_fini(&inbox);
    return 0;
}

static HANDLE server_instance(const char *address)
{
    HANDLE pipe = CreateNamedPipeA(address, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                                   PIPE_UNLIMITED_INSTANCES, DIAL_PIPE_BYTES, DIAL_PIPE_BYTES, 50, NULL);

    if (pipe == INVALID_HANDLE_VALUE) {
        die("a new instance");
    }
    return pipe;
}

int main(int argc, char **argv)
{
    const struct options_can can = {.threads_max = 1, .connections_max = 20000};
    struct options options = options_read(argc, argv, &can);
    char address[DIAL_ADDRESS_BYTES];
    HANDLE pipe;

    dial_address(address, options.name);
    pipe = server_instance(address);
    options_ready(&options);
    for (;;) {
        BOOL came = ConnectNamedPipe(pipe, NULL) || GetLastError() == ERROR_PIPE_CONNECTED;
        HANDLE next = server_instance(address); /* Before this one is served: no client shall find none. */
        HANDLE thread = NULL;

        if (came) {
            thread = CreateThread(NULL, STACK_BYTES, client_serve, pipe, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
            if (thread == NULL) {
                die("CreateThread");
            }
            CloseHandle(thread);
        } else { /* ERROR_NO_DATA: came and went. */
            CloseHandle(pipe);
        }
        pipe = next;
    }
}
