/* SPDX-License-Identifier: MIT */
/*
 * test_comers.c - clients that come and leave at once, thousands of them: they leave nothing behind.
 *
 * While 50 good clients talk: half of them from before the first comer, half dial while the comers take each instance
 * as soon as there is one, and get in at last. Handles and memory are measured when these are silent and gone, before
 * and after.
 */
#include "tests/support/expect.h"
#include "tests/support/system.h"
#include "tests/support/talker.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(comers, .timeout = 110);

/* CONNECTIONS: with the talkers' own ends they fit into one chunk of seats, so that memory is to be the same again. */
enum { GOOD = 50, EARLY = GOOD / 2, COMERS = 10000, WARM = 500, CONNECTIONS = 150 };

static struct {
    test_rig rig;
    test_peer server;
    char name[RIG_NAME_BYTES];
    test_talker *good;
} comers;

/* `count` clients: some leave at once, some after a byte or a message, some while the answer is on its way. */
static void comers_come(uint32_t count)
{
    static const char part[] = {3, 0, 0, 0, 'a', 'b', 'c'};
    const char *address = pipeport_server_address(comers.server.server);
    for (uint32_t i = 0; i < count; ++i) {
        raw_client client;
        cr_assert(raw_connect(&client, address));
        if (i % 4 == 3) {
            (void) raw_write(&client, part, 1 + i % sizeof part);
        }
        raw_close(&client);
    }
}

static void comers_message(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    (void) pipeport_send(peer->rig->engine, conn, data, length); /* Perhaps GONE: he may have left. */
}

/* Every comer is accounted for: opened and closed, or met by an accept that failed. */
static bool comers_left(uint64_t came)
{
    pipeport_stats stats = peer_stats(&comers.server);
    return stats.connections_open == 0 && stats.connections_closed + stats.accepts_failed == came;
}

static void comers_round(uint32_t count, uint64_t came_before)
{
    comers.good = calloc(GOOD, sizeof *comers.good);
    cr_assert(comers.good);
    talker_start(comers.good, EARLY, &comers.rig, comers.name, &talker_small);
    talker_still_talks(comers.good, EARLY, 1);
    talker_start(comers.good + EARLY, GOOD - EARLY, &comers.rig, comers.name, &talker_small);
    comers_come(count);
    talker_still_talks(comers.good, GOOD, 2);
    talker_hush(comers.good, GOOD);
    talker_stop(comers.good, GOOD);
    free(comers.good);
    AWAIT(comers_left(came_before + count + GOOD));
}

Test(comers, ten_thousand_that_leave_at_once_leave_nothing_behind)
{
    pipeport_options options = {.size = sizeof options, .connections_max = CONNECTIONS};
    rig_name(comers.name);
    rig_open(&comers.rig, 2);
    comers.server.does.message = comers_message;
    peer_serve(&comers.server, &comers.rig, comers.name, &options);
    comers_round(WARM, 0);
    uint32_t handles = system_handles();
    uint64_t memory_bytes = rig_memory_bytes(&comers.rig);
    comers_round(COMERS, WARM + GOOD);
    AWAIT(rig_memory_bytes(&comers.rig) <= memory_bytes);
    AWAIT(system_handles() <= handles);
    pipeport_stats stats = peer_stats(&comers.server);
    cr_log_info("%llu opened, %llu came and went", (unsigned long long) stats.connections_opened,
                (unsigned long long) stats.accepts_failed);
    peer_stop(&comers.server, 0);
    rig_close(&comers.rig);
}
