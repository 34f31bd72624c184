/* SPDX-License-Identifier: MIT */
#undef _WIN32_WINNT
#define _WIN32_WINNT 0x0602 /* Windows 8, as the library. */
#define WIN32_LEAN_AND_MEAN

#include "bench/generator/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define PSAPI_VERSION 2 /* GetProcessMemoryInfo lies in kernel32. */
#include <psapi.h>

#define CHILD_COMMAND_BYTES 4096

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
        bytes = counters.WorkingSetSize;
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

void machine_pause_us(uint32_t us)
{
    Sleep((us + 999) / 1000);
}

void machine_yield(void)
{
    (void) SwitchToThread();
}

bool machine_has_terminal(void)
{
    DWORD mode;

    return GetConsoleMode(GetStdHandle(STD_OUTPUT_HANDLE), &mode) &&
           GetConsoleMode(GetStdHandle(STD_ERROR_HANDLE), &mode);
}

struct machine_child {
    HANDLE process;
    HANDLE input;  /* The writing end of its stdin, */
    HANDLE output; /* and the reading one of its stdout. */
    DWORD id;
};

/* Each argument in quotation marks; false where there is no room. */
static bool machine_child_command(char *command, size_t room, const char *const *arguments)
{
    char program[MAX_PATH];
    DWORD length = GetModuleFileNameA(NULL, program, sizeof program);
    size_t used;

    if (length == 0 || length >= sizeof program) {
        return false;
    }
    used = (size_t) snprintf(command, room, "\"%s\"", program);
    for (; *arguments != NULL && used < room; arguments++) {
        used += (size_t) snprintf(command + used, room - used, " \"%s\"", *arguments);
    }
    return used < room;
}

static bool machine_child_spawn(struct machine_child *child, char *command, HANDLE input, HANDLE output)
{
    STARTUPINFOA start = {.cb = sizeof start,
                          .dwFlags = STARTF_USESTDHANDLES,
                          .hStdInput = input,
                          .hStdOutput = output,
                          .hStdError = GetStdHandle(STD_ERROR_HANDLE)};
    PROCESS_INFORMATION made;

    if (!CreateProcessA(NULL, command, NULL, NULL, TRUE, CREATE_NEW_PROCESS_GROUP, NULL, NULL, &start, &made)) {
        return false;
    }
    CloseHandle(made.hThread);
    child->process = made.hProcess;
    child->id = made.dwProcessId;
    return true;
}

/* Our ends into `child`; a child that held them as well would never see its stdin end. */
static bool machine_child_pipes(struct machine_child *child, HANDLE *input, HANDLE *output)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};

    if (!CreatePipe(input, &child->input, &inherited, 0)) {
        return false;
    }
    if (!CreatePipe(&child->output, output, &inherited, 0)) {
        CloseHandle(*input);
        CloseHandle(child->input);
        return false;
    }
    return SetHandleInformation(child->input, HANDLE_FLAG_INHERIT, 0) &&
           SetHandleInformation(child->output, HANDLE_FLAG_INHERIT, 0);
}

struct machine_child *machine_child_start(const char *const *arguments)
{
    struct machine_child *child = calloc(1, sizeof *child);
    char command[CHILD_COMMAND_BYTES];
    HANDLE input = NULL, output = NULL;
    bool spawned;

    if (child == NULL || !machine_child_command(command, sizeof command, arguments) ||
        !machine_child_pipes(child, &input, &output)) {
        free(child);
        return NULL;
    }
    spawned = machine_child_spawn(child, command, input, output);
    CloseHandle(input);
    CloseHandle(output);
    if (!spawned) {
        CloseHandle(child->input);
        CloseHandle(child->output);
        free(child);
        return NULL;
    }
    return child;
}

uint32_t machine_child_process(const struct machine_child *child)
{
    return child->id;
}

/* An anonymous pipe has no wait with an end: it is looked at again and again. Until a moment and not so many times: a
 * millisecond's sleep may take ten where others work. */
bool machine_child_speaks(struct machine_child *child, uint32_t wait_ms)
{
    ULONGLONG until_ms = GetTickCount64() + wait_ms;
    DWORD bytes = 0;

    while (GetTickCount64() < until_ms) {
        if (!PeekNamedPipe(child->output, NULL, 0, NULL, &bytes, NULL)) {
            return false; /* It has ended. */
        }
        if (bytes > 0) {
            return true;
        }
        Sleep(1);
    }
    return false;
}

bool machine_child_end(struct machine_child *child, uint32_t wait_ms)
{
    DWORD code = 1;
    bool fine;

    if (child == NULL) {
        return true;
    }
    CloseHandle(child->input);
    fine = WaitForSingleObject(child->process, wait_ms) == WAIT_OBJECT_0 && GetExitCodeProcess(child->process, &code) &&
           code == 0;
    if (!fine) {
        (void) TerminateProcess(child->process, 1);
        (void) WaitForSingleObject(child->process, wait_ms);
    }
    CloseHandle(child->process);
    CloseHandle(child->output);
    free(child);
    return fine;
}
