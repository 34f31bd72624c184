/* SPDX-License-Identifier: MIT */
/*
 * test_laws_traffic.c - the laws under load: many connections, several drainers, foreign threads that cancel and close.
 *
 * A talker is one end that reads and writes a stamped stream in pieces of random size. Its `reading` and `writing` are
 * true exactly from arming to done, so that a second completion, or one that comes inside the call that armed, is seen.
 */
#include "tests/laws/bed.h"
#include "tests/support/random.h"

#include <criterion/criterion.h>

#include <string.h>

enum { PAIRS = 8, PIECE_MAX = 20000, GOAL_BYTES = 1024 * 1024 };

typedef struct talker {
    bed_end end;
    uint64_t random;
    uint64_t sent;
    uint64_t got;
    atomic_bool reading;
    atomic_bool writing;
    atomic_uint later; /* Operations that answered PP_LATER, */
    atomic_uint done;  /* and completions. */
    char out[PIECE_MAX];
    char in[PIECE_MAX];
} talker;

static test_bed traffic_bed;
static talker talkers[2 * PAIRS];
static pp_gate traffic_gate, stopped_gate;
static atomic_bool traffic_over;
static atomic_uint traffic_stopped, traffic_now;
static _Thread_local bool inside_arming;

TestSuite(laws_traffic, .timeout = 100);

static talker *talker_of_read(pp_op *op)
{
    return (talker *) (void *) ((char *) op - offsetof(talker, end.read));
}

static talker *talker_of_write(pp_op *op)
{
    return (talker *) (void *) ((char *) op - offsetof(talker, end.write));
}

/* Half of them small. */
static uint32_t talker_piece(talker *who)
{
    uint32_t max = test_random_below(&who->random, 2) ? 100 : PIECE_MAX;
    return 1 + test_random_below(&who->random, max);
}

static void talker_take_read(talker *who, pp_result result)
{
    if (result.fault.status == PIPEPORT_STOPPED) {
        LAW(result.bytes == 0);
        if (atomic_fetch_add(&traffic_stopped, 1) == 0) {
            pp_gate_leave(&stopped_gate);
        }
        return;
    }
    LAW(result.fault.status == PIPEPORT_OK && result.bytes <= PIECE_MAX);
    LAW(bed_is_stamped(who->in, result.bytes, who->got));
    who->got += result.bytes;
    LAW(who->got <= GOAL_BYTES);
}

/* Reads until one is pending or all is read. Once it pends, `who` may be in another thread's hands. */
static void talker_read(talker *who)
{
    while (who->got < GOAL_BYTES) {
        pp_result now;
        LAW(!atomic_exchange(&who->reading, true));
        atomic_fetch_add(&who->later, 1);
        inside_arming = true;
        pp_armed armed = bed_arm_read(&who->end, who->in, PIECE_MAX, &now);
        inside_arming = false;
        if (armed == PP_LATER) {
            return;
        }
        atomic_fetch_sub(&who->later, 1);
        atomic_fetch_add(&traffic_now, 1);
        LAW(atomic_exchange(&who->reading, false));
        talker_take_read(who, now);
    }
    pp_gate_leave(&traffic_gate);
}

static void talker_read_done(pp_op *op, pp_result result, void *drainer)
{
    talker *who = talker_of_read(op);
    LAW(drainer != NULL && !inside_arming);
    LAW(atomic_exchange(&who->reading, false));
    atomic_fetch_add(&who->done, 1);
    talker_take_read(who, result);
    talker_read(who);
}

static void talker_take_write(talker *who, pp_result result)
{
    LAW(result.fault.status == PIPEPORT_OK && result.bytes >= 1);
    who->sent += result.bytes;
}

static void talker_write(talker *who)
{
    while (who->sent < GOAL_BYTES) {
        uint32_t bytes = talker_piece(who);
        bytes = bytes < GOAL_BYTES - who->sent ? bytes : (uint32_t) (GOAL_BYTES - who->sent);
        bed_stamp(who->out, bytes, who->sent);
        pp_result now;
        LAW(!atomic_exchange(&who->writing, true));
        atomic_fetch_add(&who->later, 1);
        inside_arming = true;
        pp_armed armed = bed_arm_write(&who->end, who->out, bytes, &now);
        inside_arming = false;
        if (armed == PP_LATER) {
            return;
        }
        atomic_fetch_sub(&who->later, 1);
        atomic_fetch_add(&traffic_now, 1);
        LAW(atomic_exchange(&who->writing, false));
        talker_take_write(who, now);
    }
    pp_gate_leave(&traffic_gate);
}

static void talker_write_done(pp_op *op, pp_result result, void *drainer)
{
    talker *who = talker_of_write(op);
    LAW(drainer != NULL && !inside_arming);
    LAW(atomic_exchange(&who->writing, false));
    atomic_fetch_add(&who->done, 1);
    talker_take_write(who, result);
    memset(who->out, 0xEE, sizeof who->out); /* Ours again: whoever still reads it sends this. */
    talker_write(who);
}

static void traffic_accepted(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    LAW(drainer != NULL && result.fault.status == PIPEPORT_OK);
    pp_gate_leave(&traffic_gate);
}

/* Connects two ends, while drainers run. */
static void traffic_connect(bed_end *server, bed_end *client, uint32_t number)
{
    uint32_t count = traffic_bed.drainers_count;
    bed_end_init(&traffic_bed, server, number % count);
    bed_end_init(&traffic_bed, client, 0);
    pp_gate_init(&traffic_gate, 1);
    server->accept.done = traffic_accepted;
    pp_result now;
    LAW(pp_pipe_accept(&server->pipe, traffic_bed.ear, &server->accept, &now) == PP_LATER);
    LAW(bed_dial(client, traffic_bed.name, (number + 1) % count).status == PIPEPORT_OK);
    LAW(pp_gate_wait(&traffic_gate, BED_PATIENCE_MS));
}

static void traffic_open(uint32_t drainers, bool own)
{
    if (own) {
        bed_open_own(&traffic_bed, drainers);
    } else {
        bed_open(&traffic_bed, drainers);
    }
}

static void traffic_begin(uint32_t drainers, bool own, uint64_t seed)
{
    traffic_open(drainers, own);
    bed_listen(&traffic_bed);
    bed_start(&traffic_bed);
    for (uint32_t i = 0; i < 2 * PAIRS; i += 2) {
        traffic_connect(&talkers[i].end, &talkers[i + 1].end, i / 2);
    }
    for (uint32_t i = 0; i < 2 * PAIRS; i++) {
        talkers[i].random = seed + i;
        talkers[i].end.read.done = talker_read_done;
        talkers[i].end.write.done = talker_write_done;
    }
    pp_gate_init(&traffic_gate, 4 * PAIRS);
    pp_gate_init(&stopped_gate, 1);
}

static void traffic_end(void)
{
    cr_assert(pp_gate_wait(&traffic_gate, 60000), "%u streams did not end", atomic_load(&traffic_gate.count));
    atomic_store(&traffic_over, true);
    bed_stop(&traffic_bed);
    uint32_t later = 0;
    for (uint32_t i = 0; i < 2 * PAIRS; i++) {
        cr_assert(talkers[i].sent == GOAL_BYTES && talkers[i].got == GOAL_BYTES);
        cr_assert_eq(atomic_load(&talkers[i].later), atomic_load(&talkers[i].done));
        later += atomic_load(&talkers[i].later);
    }
    if (traffic_bed.lent) {
        bed_hears_nothing(&traffic_bed);
    }
    uint64_t armed, done;
    pp_port_count(traffic_bed.port, &armed, &done);
    cr_assert_eq(armed, later + PAIRS, "the port counts as we do, and each accept besides");
    cr_log_info("%u operations later, %u now, %u stopped", later, atomic_load(&traffic_now),
                atomic_load(&traffic_stopped));
}

static void traffic_close(void)
{
    for (uint32_t i = 0; i < 2 * PAIRS; i++) {
        bed_end_close(&talkers[i].end);
    }
    bed_close(&traffic_bed);
}

static void traffic_run(uint32_t drainers, bool own)
{
    uint64_t seed = test_seed();
    cr_log_info("PIPEPORT_TEST_SEED=%llu", (unsigned long long) seed);
    traffic_begin(drainers, own, seed);
    for (uint32_t i = 0; i < 2 * PAIRS; i++) {
        talker_read(&talkers[i]);
        talker_write(&talkers[i]);
    }
    traffic_end();
    traffic_close();
}

Test(laws_traffic, ends_every_operation_now_or_later_and_never_both_with_one_drainer)
{
    traffic_run(1, false);
}

Test(laws_traffic, ends_every_operation_now_or_later_and_never_both_with_two_drainers)
{
    traffic_run(2, false);
}

Test(laws_traffic, ends_every_operation_now_or_later_and_never_both_with_four_drainers)
{
    traffic_run(4, false);
}

Test(laws_traffic, ends_every_operation_now_or_later_where_each_drainer_has_a_thread_for_good)
{
    traffic_run(3, true);
}

static void cancel_all(void *argument)
{
    uint64_t random = *(uint64_t *) argument;
    while (!atomic_load(&traffic_over)) {
        talker *who = &talkers[test_random_below(&random, 2 * PAIRS)];
        pp_pipe_cancel(&who->end.pipe, &who->end.read);
    }
}

static void traffic_cancel(bool own)
{
    pp_thread cancellers[2];
    uint64_t seeds[2] = {test_seed(), test_seed() + 99};
    cr_log_info("PIPEPORT_TEST_SEED=%llu", (unsigned long long) seeds[0]);
    traffic_begin(3, own, seeds[0]);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(pp_os_thread_start(&cancellers[i], cancel_all, &seeds[i]).status, PIPEPORT_OK);
    }
    for (uint32_t i = 0; i < 2 * PAIRS; i++) {
        talker_read(&talkers[i]);
    }
    /* Before anything is written: on a busy machine all may be over before they have their turn. */
    (void) pp_gate_wait(&stopped_gate, BED_PATIENCE_MS);
    for (uint32_t i = 0; i < 2 * PAIRS; i++) {
        talker_write(&talkers[i]);
    }
    traffic_end();
    for (int i = 0; i < 2; i++) {
        pp_os_thread_join(&cancellers[i]);
    }
    cr_assert_gt(atomic_load(&traffic_stopped), 0, "no cancel ever won: the test tests nothing");
    traffic_close();
}

Test(laws_traffic, loses_no_byte_to_foreign_threads_that_cancel_reads_all_the_time)
{
    traffic_cancel(false);
}

Test(laws_traffic, loses_no_byte_to_them_where_each_drainer_has_a_thread_for_good)
{
    traffic_cancel(true);
}

enum { VICTIMS = 16, VICTIM_BLOCK = 32768 };

typedef struct victim {
    bed_end end;
    bed_end peer;
    atomic_uint busy; /* The two operations, and the test while it calls upon the pipe. */
    char block[VICTIM_BLOCK];
} victim;

static victim victims[VICTIMS];

static void victim_release(victim *who)
{
    if (atomic_fetch_sub(&who->busy, 1) == 1) {
        bed_end_close(&who->end);
        pp_gate_leave(&traffic_gate);
    }
}

static void victim_came_home(victim *who, pp_result result, void *drainer)
{
    LAW(drainer != NULL);
    LAW(result.fault.status == PIPEPORT_GONE || result.fault.status == PIPEPORT_STOPPED);
    victim_release(who);
}

static void victim_read_done(pp_op *op, pp_result result, void *drainer)
{
    victim_came_home((victim *) (void *) ((char *) op - offsetof(victim, end.read)), result, drainer);
}

static void victim_write_done(pp_op *op, pp_result result, void *drainer)
{
    victim_came_home((victim *) (void *) ((char *) op - offsetof(victim, end.write)), result, drainer);
}

/* Each has a read and a write pending when its peer closes, or when both are cancelled at the same time. */
static void victims_run(bool own, bool cancel, bool hang_up)
{
    static char byte;
    traffic_open(4, own);
    bed_listen(&traffic_bed);
    bed_start(&traffic_bed);
    for (int round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < VICTIMS; i++) {
            victim *who = &victims[i];
            traffic_connect(&who->end, &who->peer, i);
            atomic_store(&who->busy, 3);
            who->end.read.done = victim_read_done;
            who->end.write.done = victim_write_done;
        }
        pp_gate_init(&traffic_gate, VICTIMS);
        pp_result now;
        for (uint32_t i = 0; i < VICTIMS; i++) {
            cr_assert_eq(bed_arm_read(&victims[i].end, &byte, 1, &now), PP_LATER);
            (void) bed_fill(&traffic_bed, &victims[i].end, victims[i].block, VICTIM_BLOCK);
        }
        for (uint32_t i = 0; i < VICTIMS; i++) {
            if (cancel) {
                pp_pipe_cancel(&victims[i].end.pipe, &victims[i].end.read);
            }
            if (hang_up) {
                bed_end_close(&victims[i].peer);
            } else {
                pp_pipe_cancel(&victims[i].end.pipe, &victims[i].end.write);
            }
            victim_release(&victims[i]);
        }
        cr_assert(pp_gate_wait(&traffic_gate, BED_PATIENCE_MS), "%u hang", atomic_load(&traffic_gate.count));
        for (uint32_t i = 0; !hang_up && i < VICTIMS; i++) {
            bed_end_close(&victims[i].peer);
        }
    }
    bed_close(&traffic_bed);
}

Test(laws_traffic, brings_both_operations_home_when_the_peer_closes)
{
    victims_run(false, false, true);
}

Test(laws_traffic, brings_both_operations_home_when_both_are_cancelled)
{
    victims_run(false, true, false);
}

Test(laws_traffic, brings_both_operations_home_when_a_cancel_races_with_the_peers_close)
{
    victims_run(false, true, true);
}

Test(laws_traffic, brings_both_operations_home_to_drainers_that_have_a_thread_for_good)
{
    victims_run(true, false, true);
    victims_run(true, true, false);
    victims_run(true, true, true);
}
