/* SPDX-License-Identifier: MIT */
/*
 * test_idle.c - what thousands of connections cost that do nothing, and whether they are still there afterwards.
 *
 * The clients are another process (victim.c), so that the engine's memory is the server's alone and each process has
 * one end of each pipe. It is measured at rest: every connection has its read armed, and nothing else is under way.
 */
#include "tests/support/expect.h"
#include "tests/support/limits.h"
#include "tests/support/peer.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(idle, .timeout = 110);

enum {
    IDLE_EPOLL_BYTES_MAX = 365, /* Of the engine's memory, a connection at rest. */
    IDLE_URING_BYTES_MAX = 387,
    IDLE_IOCP_BYTES_MAX = 655, /* A read is pending, and has a block. */
    IDLE_OTHER_HANDLES = 100
};

static struct {
    test_rig rig;
    test_peer server;
    system_child clients;
} idle;

static uint32_t idle_bytes_max(void)
{
    const char *driver = pipeport_engine_driver(idle.rig.engine);
    if (strcmp(driver, "epoll") == 0) {
        return IDLE_EPOLL_BYTES_MAX;
    }
    return strcmp(driver, "io_uring") == 0 ? IDLE_URING_BYTES_MAX : IDLE_IOCP_BYTES_MAX;
}

static bool idle_at_rest(uint32_t count)
{
    pipeport_engine_figures figures = rig_figures(&idle.rig);
    return idle.server.opened == count && figures.operations_armed - figures.operations_done == count;
}

/* The end of one of their processes must be all their ends. */
static void idle_leave(uint32_t count)
{
    system_kill(&idle.clients);
    AWAIT(idle.server.closed == count);
    EXPECT(idle.server.ended[PIPEPORT_GONE] == count);
    EXPECT(idle.server.messages == 0);
    peer_stop(&idle.server, 0);
}

static void idle_try(uint32_t count)
{
    pipeport_options options = {.size = sizeof options, .connections_max = count};
    char name[RIG_NAME_BYTES], verb[16];
    uint32_t reached = 0;
    if (!limits_allow_handles(count + IDLE_OTHER_HANDLES)) {
        cr_skip_test("this system allows too few open files for %u pipes", count);
    }
    rig_name(name);
    rig_open(&idle.rig, 2);
    peer_serve(&idle.server, &idle.rig, name, &options);
    uint64_t before = rig_figures(&idle.rig).memory_bytes;
    (void) snprintf(verb, sizeof verb, "idle%u", count);
    cr_assert(system_spawn_victim(&idle.clients, verb, pipeport_server_address(idle.server.server)));
    AWAIT(idle_at_rest(count));
    uint64_t each = (rig_figures(&idle.rig).memory_bytes - before) / count;
    cr_log_info("%u connections at rest: %llu bytes each", count, (unsigned long long) each);
    EXPECT(each <= idle_bytes_max());
    EXPECT(each > 0);
    EXPECT(pipeport_broadcast(idle.server.server, "still there", 11, &reached) == PIPEPORT_OK);
    EXPECT(reached == count);
    AWAIT(peer_stats(&idle.server).bytes_sent == 15 * (uint64_t) count);
    AWAIT(rig_figures(&idle.rig).memory_bytes - before <= (uint64_t) count * idle_bytes_max());
    idle_leave(count);
    rig_close(&idle.rig);
}

Test(idle, a_thousand_connections_cost_little)
{
    idle_try(1000);
}

Test(idle, ten_thousand_connections_cost_little)
{
    idle_try(10000);
}
