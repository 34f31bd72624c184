/* SPDX-License-Identifier: MIT */
/*
 * test_port_uring_lent.c - a ring whose threads are lent, to which the kernel adds at any return to user mode: what one
 * peer can put into it before anybody takes, and how long a request may wait to be asked for.
 */
#define _GNU_SOURCE
#include "tests/support/linux/rings.h"

#include <criterion/criterion.h>

#include <sys/socket.h>

enum {
    BURST = 6000, /* More than a buffer of the pool. */
    SHORTS = 4,   /* So many short receives in a row would become a stream. */
    SENDS = 40,
    CROWD = 160,
    BOUND = 64, /* Completions handed out, after which the next take asks for what was prepared. */
    STEP = 4,
    ROOM_BYTES = 100000
};

static test_bed lent_bed;
static bed_end server, client;
static bed_end listeners[CROWD], talkers[CROWD];
static char burst[BURST], room[ROOM_BYTES];

TestSuite(port_uring_lent, .timeout = 100);

/* A lent bed on rings with one pair, or a skip. */
static pp_ring *lent_open(const pp_plan *plan)
{
    pp_ring *ring = rings_open(&lent_bed, true);
    lent_bed.plan = *plan;
    bed_listen(&lent_bed);
    bed_pair(&lent_bed, &server, &client);
    bed_stamp(burst, BURST, 0);
    return ring;
}

static void lent_await(bed_end *end)
{
    pp_result now;
    cr_assert_eq(bed_arm_await(end, &now), PP_LATER);
}

/* The armed await ends, and all that was said is read. */
static void lent_hear(bed_end *end, uint32_t bytes)
{
    cr_assert_eq(bed_await(&lent_bed, &end->read).fault.status, PIPEPORT_OK);
    for (uint32_t got = 0; got < bytes;) {
        pp_result now = bed_read(&lent_bed, end, room, ROOM_BYTES);
        cr_assert(now.fault.status == PIPEPORT_OK && now.bytes > 0);
        got += now.bytes;
    }
}

/* The peer says so much `before` times and is heard; then a byte at a time, while nobody takes. */
static pp_ring *lent_let_speak(uint32_t bytes, int before)
{
    pp_ring *ring = lent_open(&bed_plan);
    int much = ROOM_BYTES;
    cr_assert_eq(setsockopt((int) client.pipe.handle, SOL_SOCKET, SO_SNDBUF, &much, sizeof much), 0);
    for (int i = 0; i < before; i++) {
        lent_await(&server);
        rings_talk(&client, burst, bytes);
        lent_hear(&server, bytes);
    }
    lent_await(&server);
    rings_take_nothing(&lent_bed);
    for (int i = 0; i < SENDS; i++) {
        rings_talk(&client, burst, 1);
    }
    return ring;
}

Test(port_uring_lent, has_one_word_of_a_pipe_on_which_much_comes)
{
    pp_ring *ring = lent_let_speak(BURST, 2);
    cr_assert_eq(io_uring_cq_ready(&ring->uring), 1, "one turn is enough for %d sends, not %u", SENDS,
                 io_uring_cq_ready(&ring->uring));
    lent_hear(&server, SENDS);
    bed_settle(&lent_bed, &server, &client);
}

Test(port_uring_lent, lets_nobody_take_the_pool_while_a_handler_runs)
{
    (void) lent_let_speak(1, SHORTS);
    cr_assert_eq(rings_left(&server), SENDS - 1, "a receive that goes on takes a buffer a send");
    lent_hear(&server, SENDS);
    bed_settle(&lent_bed, &server, &client);
}

/* ---- Requests ---- */

static void crowd_open(pp_ring *ring)
{
    for (uint32_t i = 0; i < CROWD; i++) {
        bed_pair(&lent_bed, &listeners[i], &talkers[i]);
    }
    for (uint32_t i = 0; i < CROWD; i++) {
        lent_await(&listeners[i]);
    }
    rings_take_nothing(&lent_bed);
    for (uint32_t i = 0; i < CROWD; i++) {
        rings_talk(&talkers[i], burst, 1);
    }
    cr_assert_eq(io_uring_cq_ready(&ring->uring), CROWD);
}

/* One await stands behind a crowd that is ready: too few to be worth a call, and the crowd may never end. All are
 * polls, so the pool has no part in it. */
Test(port_uring_lent, asks_for_what_is_prepared_though_completions_never_end)
{
    pp_completion batch[STEP];
    pp_ring *ring = lent_open(&bed_whole_plan);
    uint32_t handed = 0;
    crowd_open(ring);
    lent_await(&server);
    rings_talk(&client, burst, 1);
    do {
        handed += pp_port_take(lent_bed.port, 0, 0, batch, STEP);
    } while (io_uring_sq_ready(&ring->uring) > 0 && handed < CROWD);
    cr_assert_leq(handed, BOUND + STEP, "it was asked for after %u others", handed);
    while (handed < CROWD + 1) {
        handed += pp_port_take(lent_bed.port, 0, 1000, batch, STEP);
    }
    for (uint32_t i = 0; i < CROWD; i++) {
        bed_end_close(&listeners[i]);
        bed_end_close(&talkers[i]);
    }
    bed_settle(&lent_bed, &server, &client);
}
