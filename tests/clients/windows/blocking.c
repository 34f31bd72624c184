/* SPDX-License-Identifier: MIT */
/*
 * blocking.c ADDRESS - a blocking client of a message-mode pipe, step by step as on Microsoft's page "Named Pipe
 * Client": wait for an instance, open it, read messages as messages, write a request, read the reply in parts of 512
 * bytes while it says ERROR_MORE_DATA. Then the same by one call, TransactNamedPipe, and with the connection in it,
 * CallNamedPipe; and once as clients do that never set the read mode, and read bytes. The server echoes.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

enum { PART_BYTES = 512, SIZE_MAX_BYTES = 1 << 20, WAIT_MS = 20000, ROUNDS = 7, CALLS = 16 };

static const DWORD blocking_sizes[] = {1,    127,  128,  511,  512,   513,   1023,  1024,
                                       1025, 4095, 4096, 4097, 65535, 65536, 65537, SIZE_MAX_BYTES};
enum { SIZES = sizeof blocking_sizes / sizeof blocking_sizes[0] };

static unsigned char blocking_request[SIZE_MAX_BYTES], blocking_reply[SIZE_MAX_BYTES + PART_BYTES];

static void blocking_fail(const char *what, DWORD size)
{
    printf("%s, message of %lu bytes: error %lu\n", what, size, GetLastError());
    (void) fflush(stdout);
    exit(1);
}

/* Another one each time. */
static void blocking_fill(DWORD size)
{
    static unsigned state = 1;
    for (DWORD i = 0; i < size; ++i) {
        state = state * 1664525u + 1013904223u;
        blocking_request[i] = (unsigned char) (state >> 24);
    }
}

static void blocking_compare(const char *what, DWORD size, DWORD came)
{
    if (came != size || memcmp(blocking_request, blocking_reply, size) != 0) {
        printf("%s, message of %lu bytes: %lu bytes came, %s\n", what, size, came,
               came == size ? "and differ" : "not as many");
        (void) fflush(stdout);
        exit(1);
    }
}

/* An instance that is free when WaitNamedPipe returns may be another's before CreateFile: then it waits again. */
static HANDLE blocking_open(const char *address)
{
    for (;;) {
        if (!WaitNamedPipeA(address, WAIT_MS)) {
            blocking_fail("WaitNamedPipe", 0);
        }
        HANDLE pipe = CreateFileA(address, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
        if (pipe != INVALID_HANDLE_VALUE) {
            return pipe;
        }
        if (GetLastError() != ERROR_PIPE_BUSY) {
            blocking_fail("CreateFile", 0);
        }
    }
}

static HANDLE blocking_open_for_messages(const char *address)
{
    HANDLE pipe = blocking_open(address);
    DWORD mode = PIPE_READMODE_MESSAGE;
    if (!SetNamedPipeHandleState(pipe, &mode, NULL, NULL)) {
        blocking_fail("SetNamedPipeHandleState", 0);
    }
    return pipe;
}

static void blocking_write(HANDLE pipe, DWORD size)
{
    DWORD written;
    if (!WriteFile(pipe, blocking_request, size, &written, NULL) || written != size) {
        blocking_fail("WriteFile", size);
    }
}

/* One message, behind the `have` bytes of it that are there already. Each part but the last is as long as it can be. */
static DWORD blocking_read(HANDLE pipe, DWORD size, DWORD have)
{
    for (;;) {
        DWORD part = 0;
        BOOL whole = ReadFile(pipe, blocking_reply + have, PART_BYTES, &part, NULL);
        if (!whole && GetLastError() != ERROR_MORE_DATA) {
            blocking_fail("ReadFile", size);
        }
        have += part;
        if (whole) {
            return have;
        }
        if (part != PART_BYTES || have > SIZE_MAX_BYTES) {
            blocking_fail("a part that is none", size);
        }
    }
}

static void blocking_echo(HANDLE pipe, const char *what, DWORD size)
{
    blocking_write(pipe, size);
    blocking_compare(what, size, blocking_read(pipe, size, 0));
}

static unsigned blocking_exchange(const char *address)
{
    static const char text[] = "Default message from client.";
    static const wchar_t wide[] = L"Default message from client: \x00e9 \x65e5.";
    HANDLE pipe = blocking_open_for_messages(address);
    unsigned count = 2;
    memcpy(blocking_request, text, sizeof text); /* With its NUL, as the sample sends it. */
    blocking_echo(pipe, "ANSI", sizeof text);
    memcpy(blocking_request, wide, sizeof wide);
    blocking_echo(pipe, "UTF-16", sizeof wide);
    for (int round = 0; round < ROUNDS; ++round) {
        for (int i = 0; i < SIZES; ++i, ++count) {
            blocking_fill(blocking_sizes[i]);
            blocking_echo(pipe, "ReadFile", blocking_sizes[i]);
        }
    }
    /* An empty message is a message, and no end: nothing answers it, and the next one is answered. */
    blocking_write(pipe, 0);
    blocking_fill(100);
    blocking_echo(pipe, "behind an empty message", 100);
    (void) CloseHandle(pipe);
    return count + 1;
}

/* The reply is one message: what does not fit is read after. */
static unsigned blocking_transact(const char *address)
{
    HANDLE pipe = blocking_open_for_messages(address);
    unsigned count = 0;
    for (int round = 0; round < ROUNDS; ++round) {
        for (int i = 0; i < SIZES; ++i, ++count) {
            DWORD size = blocking_sizes[i], room = round % 2 ? PART_BYTES : sizeof blocking_reply, came = 0;
            blocking_fill(size);
            if (!TransactNamedPipe(pipe, blocking_request, size, blocking_reply, room, &came, NULL)) {
                if (GetLastError() != ERROR_MORE_DATA) {
                    blocking_fail("TransactNamedPipe", size);
                }
                came = blocking_read(pipe, size, came);
            }
            blocking_compare("TransactNamedPipe", size, came);
        }
    }
    (void) CloseHandle(pipe);
    return count;
}

static unsigned blocking_call(const char *address)
{
    unsigned count = 0;
    for (; count < CALLS; ++count) {
        DWORD size = blocking_sizes[count % SIZES], came = 0;
        blocking_fill(size);
        if (!CallNamedPipeA(address, blocking_request, size, blocking_reply, sizeof blocking_reply, &came, WAIT_MS)) {
            blocking_fail("CallNamedPipe", size);
        }
        blocking_compare("CallNamedPipe", size, came);
    }
    blocking_fill(PART_BYTES + 1); /* A reply that does not fit is cut, which the call says. */
    DWORD came = 0;
    if (CallNamedPipeA(address, blocking_request, PART_BYTES + 1, blocking_reply, PART_BYTES, &came, WAIT_MS) ||
        GetLastError() != ERROR_MORE_DATA) {
        blocking_fail("CallNamedPipe without room", PART_BYTES + 1);
    }
    blocking_compare("CallNamedPipe without room", PART_BYTES, came);
    return count + 1;
}

/* Without SetNamedPipeHandleState a pipe is read as bytes: the client must know how many. */
static unsigned blocking_bytes(const char *address)
{
    HANDLE pipe = blocking_open(address);
    unsigned count = 0;
    for (; count < SIZES; ++count) {
        DWORD size = blocking_sizes[count], have = 0;
        blocking_fill(size);
        blocking_write(pipe, size);
        while (have < size) {
            DWORD part = 0;
            if (!ReadFile(pipe, blocking_reply + have, sizeof blocking_reply - have, &part, NULL) || part == 0) {
                blocking_fail("ReadFile of bytes", size);
            }
            have += part;
        }
        blocking_compare("bytes", size, have);
    }
    (void) CloseHandle(pipe);
    return count;
}

int main(int count, char **arguments)
{
    if (count != 2) {
        printf("give the ADDRESS of the pipe\n");
        return 1;
    }
    unsigned read = blocking_exchange(arguments[1]), transacted = blocking_transact(arguments[1]);
    unsigned called = blocking_call(arguments[1]), bytes = blocking_bytes(arguments[1]);
    printf("verified: %u written and read, %u transacted, %u called, %u read as bytes\n", read, transacted, called,
           bytes);
    return 0;
}
