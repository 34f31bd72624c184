/* SPDX-License-Identifier: MIT */
#include "tests/support/talker.h"

#include "tests/support/expect.h"
#include "tests/support/pattern.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const uint32_t talker_small_sizes[] = {0, 1, 3, 4, 5, 64, 100, 512, 4, 16, 3000, 17};

const talker_plan talker_small = {talker_small_sizes, 12, 2, 0, NULL};

static uint32_t talker_size(const test_talker *talker, uint64_t number)
{
    return talker->plan.sizes[number % talker->plan.sizes_count];
}

static uint64_t talker_seed(const test_talker *talker, uint64_t number)
{
    return talker->seed + number * 1000003;
}

static void talker_send(test_talker *talker, pipeport_conn conn)
{
    uint64_t number = talker->next++;
    uint32_t size = talker_size(talker, number);
    pattern_fill(talker->buffer, size, talker_seed(talker, number));
    EXPECT(pipeport_send(talker->peer.rig->engine, conn, talker->buffer, size) == PIPEPORT_OK);
}

static void talker_opened(test_peer *peer, pipeport_conn conn)
{
    test_talker *who = (test_talker *) peer;
    for (uint32_t i = 0; i < who->plan.window; ++i) {
        talker_send(who, conn);
    }
}

static void talker_message(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    test_talker *who = (test_talker *) peer;
    uint64_t number = atomic_load(&who->heard);
    EXPECT(length == talker_size(who, number));
    EXPECT(pattern_is(data, length, talker_seed(who, number)));
    atomic_store(&who->heard, number + 1);
    bool goes_on = who->plan.messages ? who->next < who->plan.messages : !atomic_load(&who->quiet);
    if (goes_on) {
        talker_send(who, conn);
    }
    if (!goes_on && number + 1 == who->next) {
        atomic_store(&who->done, true);
    }
}

static void talker_closed(test_peer *peer, pipeport_conn conn, const pipeport_end *end)
{
    test_talker *who = (test_talker *) peer;
    (void) conn;
    (void) end;
    EXPECT(atomic_load(&who->done)); /* Nobody ends a good client before it has had its say. */
}

static void talker_failed(test_peer *peer, pipeport_status why)
{
    const test_talker *who = (const test_talker *) peer;
    char text[100];
    (void) snprintf(text, sizeof text, "a good client connects within %" PRIu32 " ms: %s", who->options.connect_ms,
                    pipeport_status_text(why));
    expect_failed(text, __FILE__, __LINE__);
}

void talker_start(test_talker *talkers, uint32_t count, test_rig *rig, const char *name, const talker_plan *plan)
{
    uint32_t largest = 1;
    for (uint32_t i = 0; i < plan->sizes_count; ++i) {
        largest = plan->sizes[i] > largest ? plan->sizes[i] : largest;
    }
    for (uint32_t i = 0; i < count; ++i) {
        test_talker *who = &talkers[i];
        who->plan = *plan;
        who->seed = (i + 1) * UINT64_C(0x100000001);
        who->buffer = malloc(largest);
        cr_assert(who->buffer);
        who->peer.does = (peer_does){
            .opened = talker_opened, .message = talker_message, .closed = talker_closed, .failed = talker_failed};
        who->options = plan->options ? *plan->options : (pipeport_options){.size = sizeof who->options};
        if (who->options.connect_ms == 0) {
            who->options.connect_ms = EXPECT_PATIENCE_MS;
        }
        peer_dial(&who->peer, rig, name, &who->options);
    }
}

void talker_await(test_talker *talkers, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        AWAIT(atomic_load(&talkers[i].done));
    }
}

void talker_hush(test_talker *talkers, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        atomic_store(&talkers[i].quiet, true);
    }
    talker_await(talkers, count);
}

void talker_stop(test_talker *talkers, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        peer_stop(&talkers[i].peer, 0);
        EXPECT(talkers[i].peer.closed == talkers[i].peer.opened);
        free(talkers[i].buffer);
    }
}

void talker_still_talks(test_talker *talkers, uint32_t count, uint32_t more)
{
    for (uint32_t i = 0; i < count; ++i) {
        uint64_t before = atomic_load(&talkers[i].heard);
        AWAIT(atomic_load(&talkers[i].heard) >= before + more);
    }
}
