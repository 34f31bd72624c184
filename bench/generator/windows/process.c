/* SPDX-License-Identifier: MIT */
/*
 * A job ends all its processes when its last handle is closed ("JOBOBJECT_BASIC_LIMIT_INFORMATION structure",
 * JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE). Ours alone has one, and the system closes it whichever way we end. We are in the
 * job ourselves, so that what we start is in it from the beginning ("Job Objects"): who joined it after it was made
 * could be left behind in between.
 */
#undef _WIN32_WINNT
#define _WIN32_WINNT 0x0602 /* Windows 8, as the library: from then on a process may be in several jobs. */
#define WIN32_LEAN_AND_MEAN

#include "bench/generator/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "bench/generator/machine.h"
#include "bench/generator/windows/wine.h"

#define PROCESS_COMMAND_BYTES 4096
#define PROCESS_PATH_BYTES 1024
#define PROCESS_LOOK_MS 1
#define PROCESS_TRIES 5
#define PROCESS_AGAIN_MS 50
#define PROCESS_ENDED_MS 10000 /* For the system to take away one that was ended. */

struct process {
    HANDLE handle;
    HANDLE input;  /* The writing end of its stdin, NULL once it is closed; */
    HANDLE output; /* and the reading one of what comes here. */
    DWORD id;
    bool over;
    DWORD code;                              /* Once it is over. */
    char path[PROCESS_PATH_BYTES], word[64]; /* By which it is found in the system below Wine; */
    bool sought;
    uint32_t below; /* its id there; 0 where it has none. */
    struct said said;
};

static bool process_join_job(void)
{
    static HANDLE job; /* Never closed by us. */
    HANDLE made;
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limit = {
        .BasicLimitInformation = {.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE}};

    if (job != NULL) {
        return true;
    }
    made = CreateJobObjectW(NULL, NULL);
    if (made == NULL) {
        return false;
    }
    if (!SetInformationJobObject(made, JobObjectExtendedLimitInformation, &limit, sizeof limit) ||
        !AssignProcessToJobObject(made, GetCurrentProcess())) {
        CloseHandle(made); /* Nobody is in it. */
        return false;
    }
    job = made;
    return true;
}

/* Each word in quotation marks; false where there is no room. */
static bool process_command(char *command, size_t room, const struct words *words)
{
    size_t used = 0;

    for (size_t i = 0; i < words->count && used < room; i++) {
        used += (size_t) snprintf(command + used, room - used, "%s\"%s\"", i == 0 ? "" : " ", words->list[i]);
    }
    return !words->failed && words->count > 0 && used < room;
}

/* Our ends into `process`; a child that held them as well would never see its stdin end. */
static bool process_pipes(struct process *process, HANDLE *input, HANDLE *output)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};

    if (!CreatePipe(input, &process->input, &inherited, 0)) {
        return false;
    }
    if (!CreatePipe(&process->output, output, &inherited, 0)) {
        CloseHandle(*input);
        CloseHandle(process->input);
        return false;
    }
    (void) SetHandleInformation(process->input, HANDLE_FLAG_INHERIT, 0);
    (void) SetHandleInformation(process->output, HANDLE_FLAG_INHERIT, 0);
    return true;
}

/* Wine 8 refuses about one in a thousand so, and takes it when asked again (docs/WINDOWS.md). Nothing was begun. */
static bool process_create(char *command, STARTUPINFOA *start, PROCESS_INFORMATION *made)
{
    for (int tries = 1;; tries++) {
        if (CreateProcessA(NULL, command, NULL, NULL, TRUE, CREATE_NEW_PROCESS_GROUP, NULL, NULL, start, made)) {
            return true;
        }
        if (GetLastError() != ERROR_INTERNAL_ERROR || tries == PROCESS_TRIES) {
            return false;
        }
        Sleep(PROCESS_AGAIN_MS);
    }
}

static bool process_spawn(struct process *process, char *command, bool errors_apart, HANDLE input, HANDLE output)
{
    STARTUPINFOA start = {.cb = sizeof start,
                          .dwFlags = STARTF_USESTDHANDLES,
                          .hStdInput = input,
                          .hStdOutput = output,
                          .hStdError = errors_apart ? GetStdHandle(STD_ERROR_HANDLE) : output};
    PROCESS_INFORMATION made;

    if (!process_join_job() || !process_create(command, &start, &made)) {
        return false;
    }
    CloseHandle(made.hThread);
    process->handle = made.hProcess;
    process->id = made.dwProcessId;
    return true;
}

struct process *process_start(const struct words *words, struct process_how how)
{
    struct process *process = calloc(1, sizeof *process);
    char command[PROCESS_COMMAND_BYTES];
    HANDLE input = NULL, output = NULL;
    bool spawned;

    if (process == NULL || !process_command(command, sizeof command, words) ||
        !process_pipes(process, &input, &output)) {
        free(process);
        return NULL;
    }
    snprintf(process->path, sizeof process->path, "%s", words->list[0]);
    snprintf(process->word, sizeof process->word, "%s", words->count > 1 ? words->list[1] : "");
    spawned = process_spawn(process, command, how.errors_apart, input, output);
    CloseHandle(input);
    CloseHandle(output);
    if (!spawned) {
        CloseHandle(process->input);
        CloseHandle(process->output);
        free(process);
        return NULL;
    }
    return process;
}

/* What is there; an anonymous pipe has no wait with an end. False: nothing is. */
static bool process_take(struct process *process)
{
    char bytes[1024];
    DWORD there = 0, came = 0;

    if (!PeekNamedPipe(process->output, NULL, 0, NULL, &there, NULL) || there == 0) {
        return false;
    }
    if (!ReadFile(process->output, bytes, there < sizeof bytes ? there : sizeof bytes, &came, NULL)) {
        return false;
    }
    said_add(&process->said, bytes, came);
    return true;
}

static bool process_ends_within(struct process *process, DWORD wait_ms)
{
    if (!process->over && WaitForSingleObject(process->handle, wait_ms) == WAIT_OBJECT_0) {
        process->over = true;
        (void) GetExitCodeProcess(process->handle, &process->code);
    }
    return process->over;
}

/* Until a moment and not so many times: a millisecond's rest may take ten where others work. */
bool process_runs(struct process *process, uint32_t wait_ms)
{
    ULONGLONG until_ms = GetTickCount64() + wait_ms;

    for (;;) {
        bool over = process_ends_within(process, 0); /* Before the look: what it said last is there then. */

        if (process_take(process)) {
            return true;
        }
        if (over || GetTickCount64() >= until_ms) {
            return !over;
        }
        (void) WaitForSingleObject(process->handle, PROCESS_LOOK_MS);
    }
}

struct said *process_said(struct process *process)
{
    return &process->said;
}

void process_describe_end(const struct process *process, char *text, size_t room)
{
    snprintf(text, room, process->code < 0x10000 ? "exit code %lu" : "exit code 0x%08lx", process->code);
}

bool process_ended_well(const struct process *process)
{
    return process->over && process->code == 0;
}

bool process_ends(struct process *process, uint32_t wait_ms)
{
    if (process->input != NULL) {
        CloseHandle(process->input);
        process->input = NULL;
    }
    return process_ends_within(process, wait_ms);
}

void process_end(struct process *process, uint32_t wait_ms)
{
    if (process == NULL) {
        return;
    }
    if (!process_ends(process, wait_ms)) {
        (void) TerminateProcess(process->handle, 1);
        (void) process_ends_within(process, PROCESS_ENDED_MS);
    }
    CloseHandle(process->handle);
    CloseHandle(process->output);
    free(process);
}

uint32_t process_id(const struct process *process)
{
    return process->id;
}

uint64_t process_cpu_ns(struct process *process)
{
    uint64_t ns = process->over ? 0 : machine_cpu_ns(process->id);

    if (ns != 0 || process->over) {
        return ns;
    }
    if (!process->sought) { /* Not at its start: it is another program still until it runs. */
        process->below = wine_find(process->path, process->word);
        process->sought = true;
    }
    return process->below == 0 ? 0 : wine_cpu_ns(process->below);
}

uint64_t process_memory_bytes(const struct process *process)
{
    return process->over ? 0 : machine_memory_bytes(process->id);
}
