/* SPDX-License-Identifier: MIT */
#include "bench/linux/gnu.h"

#include "bench/linux/machine.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

_Noreturn void machine_die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

void machine_pin(uint32_t cpu)
{
    cpu_set_t set;

    if (cpu == MACHINE_ANY_CPU) {
        return;
    }
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        machine_die("this processor cannot be had");
    }
}

void machine_allow_files(uint32_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        machine_die("getrlimit");
    }
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        machine_die("setrlimit");
    }
    if (limit.rlim_max < (rlim_t) wanted + 16) { /* Some are open already. */
        fprintf(stderr, "%" PRIu32 " files are needed, and this process may open %" PRIu64 "\n", wanted,
                (uint64_t) limit.rlim_max);
        exit(1);
    }
}

uint64_t machine_own_cpu_ns(void)
{
    struct timespec spent;

    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent) != 0) {
        return 0;
    }
    return (uint64_t) spent.tv_sec * UINT64_C(1000000000) + (uint64_t) spent.tv_nsec;
}

static uint64_t machine_task_ns(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[64] = "";
    uint64_t ns = 0;

    if (file != NULL) {
        if (fgets(line, sizeof line, file) != NULL) {
            ns = strtoull(line, NULL, 10);
        }
        fclose(file);
    }
    return ns;
}

uint64_t machine_process_cpu_ns(uint32_t pid)
{
    char path[64];
    const struct dirent *task;
    uint64_t ns = 0;
    DIR *tasks;

    snprintf(path, sizeof path, "/proc/%" PRIu32 "/task", pid);
    tasks = opendir(path);
    if (tasks == NULL) {
        return 0;
    }
    while ((task = readdir(tasks)) != NULL) {
        if (task->d_name[0] != '.') {
            snprintf(path, sizeof path, "/proc/%" PRIu32 "/task/%.12s/schedstat", pid, task->d_name);
            ns += machine_task_ns(path);
        }
    }
    closedir(tasks);
    return ns;
}
