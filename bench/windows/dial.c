/* SPDX-License-Identifier: MIT */
#include "bench/windows/dial.h"
#include "bench/clock.h"

#include <stdio.h>

void dial_address(char address[DIAL_ADDRESS_BYTES], const char *name)
{
    snprintf(address, DIAL_ADDRESS_BYTES, "\\\\.\\pipe\\%s", name);
}

HANDLE dial_connect(const char *address, uint32_t wait_ms)
{
    uint64_t end_ns = clock_now_ns() + (uint64_t) wait_ms * 1000000;

    for (;;) {
        HANDLE pipe = CreateFileA(address, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                                  FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
        uint64_t now_ns = clock_now_ns();

        if (pipe != INVALID_HANDLE_VALUE || GetLastError() != ERROR_PIPE_BUSY || now_ns >= end_ns) {
            return pipe;
        }
        /* Its answer does not matter: the instance it saw may be taken again before the next attempt. */
        WaitNamedPipeA(address, (DWORD) ((end_ns - now_ns) / 1000000 + 1));
    }
}

BOOL dial_bind(HANDLE pipe, HANDLE port, void *key)
{
    return CreateIoCompletionPort(pipe, port, (ULONG_PTR) key, 0) == port &&
           SetFileCompletionNotificationModes(pipe,
                                              FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE);
}
