/* SPDX-License-Identifier: MIT */
#undef _WIN32_WINNT
#define _WIN32_WINNT 0x0602 /* Windows 8, as the library. */
#define WIN32_LEAN_AND_MEAN

#include "bench/generator/machine.h"

#include <fcntl.h>
#include <inttypes.h>
#include <io.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#define PSAPI_VERSION 2 /* GetProcessMemoryInfo lies in kernel32. */
#include <psapi.h>

static bool machine_is_wine(void)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");

    return ntdll != NULL && GetProcAddress(ntdll, "wine_get_version") != NULL;
}

static HANDLE machine_open(uint32_t process)
{
    return process == 0 ? GetCurrentProcess() : OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process);
}

uint64_t machine_cpu_ns(uint32_t process)
{
    FILETIME created, exited, kernel, user;
    HANDLE handle;
    uint64_t ticks = 0; /* Of 100 ns. */

    if (process != 0 && process != machine_process() && machine_is_wine()) {
        return 0; /* It would answer with this process' own. */
    }
    handle = machine_open(process);
    if (handle == NULL) {
        return 0;
    }
    if (GetProcessTimes(handle, &created, &exited, &kernel, &user)) {
        ticks = ((uint64_t) kernel.dwHighDateTime << 32 | kernel.dwLowDateTime) +
                ((uint64_t) user.dwHighDateTime << 32 | user.dwLowDateTime);
    }
    if (process != 0) {
        CloseHandle(handle);
    }
    return ticks * 100;
}

uint64_t machine_memory_bytes(uint32_t process)
{
    PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof counters};
    HANDLE handle = machine_open(process);
    uint64_t bytes = 0;

    if (handle == NULL) {
        return 0;
    }
    if (K32GetProcessMemoryInfo(handle, &counters, sizeof counters)) {
        bytes = counters.PagefileUsage; /* Its private memory; Wine leaves PrivateUsage at 0. */
    }
    if (process != 0) {
        CloseHandle(handle);
    }
    return bytes;
}

uint32_t machine_process(void)
{
    return GetCurrentProcessId();
}

bool machine_program(char *path, size_t room)
{
    DWORD length = GetModuleFileNameA(NULL, path, (DWORD) room);

    return length > 0 && length < room;
}

uint32_t machine_processors(void)
{
    SYSTEM_INFO info;

    GetSystemInfo(&info);
    return info.dwNumberOfProcessors;
}

void machine_describe(char *text, size_t text_bytes)
{
    char model[128] = "processor";
    DWORD room = sizeof model;
    OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof version};
    LONG(WINAPI * tell)(OSVERSIONINFOW *) = NULL;
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    FARPROC found = ntdll == NULL ? NULL : GetProcAddress(ntdll, "RtlGetVersion");

    if (RegGetValueA(HKEY_LOCAL_MACHINE, "HARDWARE\\DESCRIPTION\\System\\CentralProcessor\\0", "ProcessorNameString",
                     RRF_RT_REG_SZ, NULL, model, &room) != ERROR_SUCCESS) {
        snprintf(model, sizeof model, "processor");
    }
    /* GetVersionEx answers what a manifest claims; this one does not. */
    memcpy(&tell, &found, sizeof tell);
    if (tell != NULL) {
        (void) tell(&version);
    }
    snprintf(text, text_bytes, "%s, %" PRIu32 " processors, Windows %lu.%lu.%lu%s", model, machine_processors(),
             version.dwMajorVersion, version.dwMinorVersion, version.dwBuildNumber, machine_is_wine() ? " (Wine)" : "");
}

enum machine_place machine_place(const char *path)
{
    if (strncmp(path, "\\\\.\\", 4) == 0 || strncmp(path, "//./", 4) == 0) {
        return MACHINE_STREAM; /* To ask for the attributes of a pipe would take one of its instances. */
    }
    return GetFileAttributesA(path) == INVALID_FILE_ATTRIBUTES ? MACHINE_NOTHING : MACHINE_FILE;
}

bool machine_may_write(const char *path)
{
    (void) path; /* Only who opens it hears. */
    return true;
}

void machine_pause_us(uint32_t us)
{
    Sleep((us + 999) / 1000);
}

void machine_yield(void)
{
    (void) SwitchToThread();
}

void machine_print_as_is(void)
{
    (void) _setmode(_fileno(stdout), _O_BINARY);
}

bool machine_has_terminal(void)
{
    DWORD mode;

    return GetConsoleMode(GetStdHandle(STD_OUTPUT_HANDLE), &mode) &&
           GetConsoleMode(GetStdHandle(STD_ERROR_HANDLE), &mode);
}

uint32_t machine_terminal_columns(void)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    return GetConsoleScreenBufferInfo(GetStdHandle(STD_ERROR_HANDLE), &info)
               ? (uint32_t) (info.srWindow.Right - info.srWindow.Left + 1)
               : 0;
}
