/* SPDX-License-Identifier: MIT */
/*
 * limits.h - what a test with thousands of pipes must be allowed first.
 */
#ifndef TESTS_SUPPORT_LIMITS_H
#define TESTS_SUPPORT_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef _WIN32
/* Windows sets no bound that a test could meet. Under Wine its server keeps a descriptor for each end of each pipe of
 * all processes, and has no more of them than the system allows it (often 20000 or fewer). */
static inline bool limits_allow_handles(uint32_t count)
{
    return count <= 5000;
}
#else
#include <sys/resource.h>

/* Raises this process's own bound on open files. False: the system will not have it. */
static inline bool limits_allow_handles(uint32_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return false;
    }
    if (limit.rlim_cur >= count) {
        return true;
    }
    limit.rlim_cur = count;
    return count <= limit.rlim_max && setrlimit(RLIMIT_NOFILE, &limit) == 0;
}
#endif

#endif
