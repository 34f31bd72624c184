/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include "tools/pipeport/system.h"

#include "tools/pipeport/say.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* Beside a descriptor for each connection: the listening socket, its lock, stdin to stderr, and a few a thread. */
#define SYSTEM_OTHER_FILES 64u
#define SYSTEM_RAISE "nofile in /etc/security/limits.conf, LimitNOFILE= of a service"

/* That it wants `wanted` files and may have `limit` of them, and what to do. */
static void system_say_too_few(const char *who, uint32_t connections, uint64_t wanted, uint64_t limit)
{
    if (limit <= SYSTEM_OTHER_FILES) {
        say_error(who,
                  "--connections %" PRIu32 " takes %" PRIu64 " open files, and this process may have %" PRIu64
                  ", which is its hard limit (ulimit -Hn), and too few for a single connection; raise the limit to "
                  "%" PRIu64 " or more (" SYSTEM_RAISE ")",
                  connections, wanted, limit, wanted);
        return;
    }
    say_error(who,
              "--connections %" PRIu32 " takes %" PRIu64 " open files, and this process may have %" PRIu64
              ", which is its hard limit (ulimit -Hn); give %" PRIu64 " or less, or raise the limit (" SYSTEM_RAISE ")",
              connections, wanted, limit, limit - SYSTEM_OTHER_FILES);
}

bool system_allows(const char *who, uint32_t connections)
{
    struct rlimit limit;
    uint64_t wanted = (uint64_t) connections + SYSTEM_OTHER_FILES;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return true; /* What is wrong then the first connection that fails will tell. */
    }
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
        (void) getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted) {
        return true;
    }
    system_say_too_few(who, connections, wanted, limit.rlim_cur);
    return false;
}

const char *system_code_text(struct system_room *room, long code)
{
    if (strerror_r((int) code, room->text, sizeof(room->text)) != 0) {
        snprintf(room->text, sizeof(room->text), "no text");
    }
    return room->text;
}

uint32_t system_main_drains(void)
{
    return 0;
}

static pthread_mutex_t system_mutex = PTHREAD_MUTEX_INITIALIZER;

void system_lock_take(void)
{
    pthread_mutex_lock(&system_mutex);
}

void system_lock_give(void)
{
    pthread_mutex_unlock(&system_mutex);
}
