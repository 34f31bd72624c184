/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE 1 /* pipe2, strdup, posix_spawn's attributes. */

#include "bench/generator/machine.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILD_ARGUMENTS_MAX 32
#define CHILD_LOOK_US 1000

/* The first number in a file of /proc; 0 where there is none. */
static uint64_t machine_number_in(const char *path, int skip)
{
    FILE *file = fopen(path, "r");
    uint64_t number = 0;

    if (file != NULL) {
        for (int i = 0; i <= skip; i++) {
            if (fscanf(file, "%" SCNu64, &number) != 1) {
                number = 0;
            }
        }
        fclose(file);
    }
    return number;
}

/* A process' own clock is in steps of 10 ms; the scheduler's accounts of its threads are exact. */
uint64_t machine_cpu_ns(uint32_t process)
{
    struct timespec spent;
    char path[64];
    const struct dirent *task;
    uint64_t ns = 0;
    DIR *tasks;

    if (process == 0 || process == machine_process()) {
        return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent) != 0
                   ? 0
                   : (uint64_t) spent.tv_sec * UINT64_C(1000000000) + (uint64_t) spent.tv_nsec;
    }
    snprintf(path, sizeof path, "/proc/%" PRIu32 "/task", process);
    tasks = opendir(path);
    if (tasks == NULL) {
        return 0;
    }
    while ((task = readdir(tasks)) != NULL) {
        if (task->d_name[0] != '.') {
            snprintf(path, sizeof path, "/proc/%" PRIu32 "/task/%.12s/schedstat", process, task->d_name);
            ns += machine_number_in(path, 0);
        }
    }
    closedir(tasks);
    return ns;
}

uint64_t machine_memory_bytes(uint32_t process)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%" PRIu32 "/statm", process == 0 ? machine_process() : process);
    return machine_number_in(path, 1) * (uint64_t) sysconf(_SC_PAGESIZE);
}

uint32_t machine_process(void)
{
    return (uint32_t) getpid();
}

uint32_t machine_processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : (uint32_t) count;
}

void machine_describe(char *text, size_t text_bytes)
{
    char line[256], model[128] = "processor";
    struct utsname name;
    FILE *file = fopen("/proc/cpuinfo", "r");

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *value = strstr(line, ": ");

        if (strncmp(line, "model name", 10) == 0 && value != NULL) {
            snprintf(model, sizeof model, "%.*s", (int) strcspn(value + 2, "\n"), value + 2);
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    if (uname(&name) != 0) {
        snprintf(name.sysname, sizeof name.sysname, "Linux");
        name.release[0] = '\0';
    }
    snprintf(text, text_bytes, "%s, %" PRIu32 " processors, %s %s", model, machine_processors(), name.sysname,
             name.release);
}

void machine_pause_us(uint32_t us)
{
    struct timespec rest = {us / 1000000, (long) (us % 1000000) * 1000};

    (void) nanosleep(&rest, NULL); /* Cut short by a signal: whoever waits looks again. */
}

void machine_yield(void)
{
    (void) sched_yield();
}

bool machine_has_terminal(void)
{
    return isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

struct machine_child {
    pid_t process;
    int input;  /* The writing end of its stdin, */
    int output; /* and the reading one of its stdout. */
    bool over;
    int status; /* Once it is over. */
};

/* ends: of its stdin, then of its stdout, the reading one first. False where the system refuses. A Ctrl-C goes to this
 * process alone: it ends the child in its turn. */
static bool machine_child_spawn(struct machine_child *child, char **arguments, const int *ends)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    bool spawned;

    if (posix_spawn_file_actions_init(&actions) != 0) {
        return false;
    }
    if (posix_spawnattr_init(&attributes) != 0) {
        (void) posix_spawn_file_actions_destroy(&actions);
        return false;
    }
    (void) posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    spawned = posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO) == 0 &&
              posix_spawn_file_actions_adddup2(&actions, ends[3], STDOUT_FILENO) == 0 &&
              posix_spawn(&child->process, "/proc/self/exe", &actions, &attributes, arguments, environ) == 0;
    (void) posix_spawnattr_destroy(&attributes);
    (void) posix_spawn_file_actions_destroy(&actions);
    return spawned;
}

struct machine_child *machine_child_start(const char *const *arguments)
{
    struct machine_child *child = calloc(1, sizeof *child);
    char *copy[CHILD_ARGUMENTS_MAX + 2] = {NULL};
    int ends[4];
    bool spawned = false;

    if (child == NULL || pipe2(ends, O_CLOEXEC) != 0) {
        free(child);
        return NULL;
    }
    if (pipe2(ends + 2, O_CLOEXEC) != 0) {
        (void) close(ends[0]);
        (void) close(ends[1]);
        free(child);
        return NULL;
    }
    copy[0] = strdup("pipeport-bench");
    for (size_t i = 0; i < CHILD_ARGUMENTS_MAX && arguments[i] != NULL; i++) {
        copy[i + 1] = strdup(arguments[i]);
    }
    spawned = copy[0] != NULL && machine_child_spawn(child, copy, ends);
    for (size_t i = 0; i < CHILD_ARGUMENTS_MAX + 2; i++) {
        free(copy[i]);
    }
    (void) close(ends[0]);
    (void) close(ends[3]);
    child->input = ends[1];
    child->output = ends[2];
    if (!spawned) {
        (void) close(ends[1]);
        (void) close(ends[2]);
        free(child);
        return NULL;
    }
    return child;
}

uint32_t machine_child_process(const struct machine_child *child)
{
    return (uint32_t) child->process;
}

static bool machine_child_runs(struct machine_child *child)
{
    if (!child->over) {
        child->over = waitpid(child->process, &child->status, WNOHANG) == child->process;
    }
    return !child->over;
}

bool machine_child_speaks(struct machine_child *child, uint32_t wait_ms)
{
    struct pollfd output = {.fd = child->output, .events = POLLIN};

    return poll(&output, 1, (int) wait_ms) == 1 && (output.revents & POLLIN) != 0;
}

bool machine_child_end(struct machine_child *child, uint32_t wait_ms)
{
    bool fine;

    if (child == NULL) {
        return true;
    }
    (void) close(child->input);
    for (uint32_t waited_us = 0; machine_child_runs(child) && waited_us / 1000 < wait_ms; waited_us += CHILD_LOOK_US) {
        machine_pause_us(CHILD_LOOK_US);
    }
    if (!child->over) {
        (void) kill(child->process, SIGKILL);
        (void) waitpid(child->process, &child->status, 0);
    }
    (void) close(child->output);
    fine = child->over && WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0;
    free(child);
    return fine;
}
