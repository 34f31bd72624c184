/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE 1 /* pipe2, sched_setaffinity. */

#include "bench/generator/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/generator/machine.h"

#define PROCESS_LOOK_US 1000
#define PROCESS_ASKED_MS 1000 /* From SIGTERM to SIGKILL. */

struct process {
    pid_t id;
    int input;  /* The writing end of its stdin, */
    int output; /* and the reading one of what comes here. -1: closed. */
    bool over;
    int status; /* Once it is over. */
    struct said said;
};

/* In the child, between fork and exec: async-signal-safe functions only. */
static _Noreturn void process_become(const struct words *words, struct process_how how, const int *ends, pid_t parent)
{
    static const char lost[] = "it cannot be run by the system\n";
    cpu_set_t set;
    ssize_t told;

    (void) setpgid(0, 0);
    if (how.processor != PROCESS_ANY_PROCESSOR) {
        CPU_ZERO(&set);
        CPU_SET((size_t) how.processor, &set);
        (void) sched_setaffinity(0, sizeof set, &set);
    }
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) { /* It may have ended before. */
        _exit(127);
    }
    if (dup2(ends[0], STDIN_FILENO) < 0 || dup2(ends[3], STDOUT_FILENO) < 0 ||
        (!how.errors_apart && dup2(ends[3], STDERR_FILENO) < 0)) {
        _exit(127);
    }
    (void) execv(words->list[0], words->list);
    told = write(STDERR_FILENO, lost, sizeof lost - 1);
    _exit(told < 0 ? 126 : 127);
}

/* ends: of its stdin, then of its stdout, the reading one first. */
static bool process_fork(struct process *process, const struct words *words, struct process_how how, const int *ends)
{
    pid_t parent = getpid();

    process->id = fork();
    if (process->id == 0) {
        process_become(words, how, ends, parent);
    }
    return process->id > 0;
}

struct process *process_start(const struct words *words, struct process_how how)
{
    struct process *process = calloc(1, sizeof *process);
    int ends[4];

    if (process == NULL || words->failed || words->count == 0 || pipe2(ends, O_CLOEXEC) != 0) {
        free(process);
        return NULL;
    }
    if (pipe2(ends + 2, O_CLOEXEC) != 0) {
        (void) close(ends[0]);
        (void) close(ends[1]);
        free(process);
        return NULL;
    }
    process->input = ends[1];
    process->output = ends[2];
    if (!process_fork(process, words, how, ends)) {
        (void) close(ends[1]);
        (void) close(ends[2]);
        free(process);
        process = NULL;
    }
    (void) close(ends[0]);
    (void) close(ends[3]);
    return process;
}

static void process_take(struct process *process, uint32_t wait_ms)
{
    struct pollfd output = {.fd = process->output, .events = POLLIN};
    char bytes[1024];
    ssize_t came;

    if (poll(&output, 1, (int) wait_ms) != 1) { /* A Ctrl-C cuts the waiting short. */
        return;
    }
    came = read(process->output, bytes, sizeof bytes);
    if (came > 0) {
        said_add(&process->said, bytes, (size_t) came);
    } else if (came == 0 || errno != EINTR) {
        (void) close(process->output);
        process->output = -1;
    }
}

static void process_look(struct process *process)
{
    if (!process->over) {
        process->over = waitpid(process->id, &process->status, WNOHANG) == process->id;
    }
}

bool process_runs(struct process *process, uint32_t wait_ms)
{
    if (process->output >= 0) {
        process_take(process, wait_ms);
        return true;
    }
    process_look(process); /* Its stdout ends a moment before it does. */
    for (uint32_t waited_ms = 0; !process->over && waited_ms < wait_ms; waited_ms++) {
        machine_pause_us(PROCESS_LOOK_US);
        process_look(process);
    }
    return !process->over;
}

struct said *process_said(struct process *process)
{
    return &process->said;
}

void process_describe_end(const struct process *process, char *text, size_t room)
{
    if (WIFSIGNALED(process->status)) {
        snprintf(text, room, "signal %d (%s)", WTERMSIG(process->status), strsignal(WTERMSIG(process->status)));
    } else {
        snprintf(text, room, "exit code %d", WEXITSTATUS(process->status));
    }
}

bool process_ended_well(const struct process *process)
{
    return process->over && WIFEXITED(process->status) && WEXITSTATUS(process->status) == 0;
}

/* Takes what it says meanwhile, so that it is not held up. */
static bool process_ends_within(struct process *process, uint32_t wait_ms)
{
    process_look(process);
    for (uint32_t waited_ms = 0; !process->over && waited_ms < wait_ms; waited_ms++) {
        machine_pause_us(PROCESS_LOOK_US);
        if (process->output >= 0) {
            process_take(process, 0);
        }
        process_look(process);
    }
    return process->over;
}

bool process_ends(struct process *process, uint32_t wait_ms)
{
    if (process->input >= 0) {
        (void) close(process->input);
        process->input = -1;
    }
    return process_ends_within(process, wait_ms);
}

void process_end(struct process *process, uint32_t wait_ms)
{
    if (process == NULL) {
        return;
    }
    if (!process_ends(process, wait_ms)) {
        (void) kill(process->id, SIGTERM);
        if (!process_ends_within(process, PROCESS_ASKED_MS)) {
            (void) kill(process->id, SIGKILL);
            (void) waitpid(process->id, &process->status, 0);
        }
    }
    if (process->output >= 0) {
        (void) close(process->output);
    }
    free(process);
}

uint32_t process_id(const struct process *process)
{
    return (uint32_t) process->id;
}

uint64_t process_cpu_ns(struct process *process)
{
    struct timespec spent;
    clockid_t clock;

    if (process->over || clock_getcpuclockid(process->id, &clock) != 0 || clock_gettime(clock, &spent) != 0) {
        return 0;
    }
    return (uint64_t) spent.tv_sec * UINT64_C(1000000000) + (uint64_t) spent.tv_nsec;
}

uint64_t process_memory_bytes(const struct process *process)
{
    return process->over ? 0 : machine_memory_bytes((uint32_t) process->id);
}
