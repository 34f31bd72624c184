/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE 1 /* readlink, isatty, nanosleep. */

#include "bench/generator/machine.h"

#include <dirent.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

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

bool machine_program(char *path, size_t room)
{
    ssize_t length = readlink("/proc/self/exe", path, room);

    if (length <= 0 || (size_t) length >= room) {
        return false;
    }
    path[length] = '\0';
    return true;
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

enum machine_place machine_place(const char *path)
{
    struct stat found;

    if (stat(path, &found) != 0) {
        return MACHINE_NOTHING;
    }
    return S_ISFIFO(found.st_mode) || S_ISCHR(found.st_mode) ? MACHINE_STREAM : MACHINE_FILE;
}

bool machine_may_write(const char *path)
{
    return access(path, W_OK) == 0;
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

void machine_print_as_is(void)
{
}

bool machine_has_terminal(void)
{
    return isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

uint32_t machine_terminal_columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
