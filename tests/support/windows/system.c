/* SPDX-License-Identifier: MIT */
#include "tests/support/system.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

bool raw_connect(raw_client *client, const char *address)
{
    for (;;) {
        HANDLE handle = CreateFileA(address, GENERIC_READ | FILE_WRITE_DATA, 0, NULL, OPEN_EXISTING, 0, NULL);
        client->handle = (intptr_t) handle;
        if (handle != INVALID_HANDLE_VALUE) {
            return true;
        }
        if (GetLastError() != ERROR_PIPE_BUSY) {
            return false;
        }
        (void) WaitNamedPipeA(address, 1000); /* Somebody else may be quicker: again. */
    }
}

/* How it writes is the pipe's type; how it would read is its handle's mode, bytes. */
bool raw_connect_whole(raw_client *client, const char *address)
{
    return raw_connect(client, address);
}

bool raw_write_whole(raw_client *client, const void *data, size_t bytes)
{
    DWORD wrote = 0;
    return WriteFile((HANDLE) client->handle, data, (DWORD) bytes, &wrote, NULL) && wrote == bytes;
}

bool raw_write(raw_client *client, const void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        DWORD wrote = 0;
        if (!WriteFile((HANDLE) client->handle, (const char *) data + done, (DWORD) (bytes - done), &wrote, NULL)) {
            return false;
        }
        done += wrote;
    }
    return true;
}

size_t raw_read(raw_client *client, void *data, size_t bytes)
{
    DWORD got = 0;
    return ReadFile((HANDLE) client->handle, data, (DWORD) bytes, &got, NULL) ? got : 0;
}

bool raw_end(raw_client *client)
{
    (void) client;
    return false;
}

void raw_close(raw_client *client)
{
    CloseHandle((HANDLE) client->handle);
}

bool system_loses_reads(void)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL;
}

unsigned long system_pid(void)
{
    return GetCurrentProcessId();
}

uint32_t system_handles(void)
{
    DWORD count = 0;
    return GetProcessHandleCount(GetCurrentProcess(), &count) ? count : 0;
}

/* Wine 8 refuses about one in a thousand so, and takes it when asked again (docs/WINDOWS.md). Nothing was begun. */
static bool system_create(const char *path, char *line, PROCESS_INFORMATION *made)
{
    enum { TRIES = 5, AGAIN_MS = 50 };
    for (int tries = 1;; ++tries) {
        STARTUPINFOA startup = {.cb = sizeof startup};
        if (CreateProcessA(path, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, made)) {
            return true;
        }
        if (GetLastError() != ERROR_INTERNAL_ERROR || tries == TRIES) {
            return false;
        }
        Sleep(AGAIN_MS);
    }
}

bool system_spawn_victim(system_child *child, const char *verb, const char *name)
{
    char path[MAX_PATH];
    char line[2 * MAX_PATH];
    PROCESS_INFORMATION made;
    DWORD length = GetModuleFileNameA(NULL, path, sizeof path - 32);
    if (length == 0 || length >= sizeof path - 32) {
        return false;
    }
    strcpy(strrchr(path, '\\') + 1, "test_victim.exe");
    (void) snprintf(line, sizeof line, "\"%s\" %s \"%s\"", path, verb, name);
    if (!system_create(path, line, &made)) {
        return false;
    }
    CloseHandle(made.hThread);
    child->process = (intptr_t) made.hProcess;
    return true;
}

void system_kill(system_child *child)
{
    TerminateProcess((HANDLE) child->process, 9);
    WaitForSingleObject((HANDLE) child->process, INFINITE);
    CloseHandle((HANDLE) child->process);
}
