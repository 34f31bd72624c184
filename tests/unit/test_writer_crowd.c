/* SPDX-License-Identifier: MIT */
/*
 * test_writer_crowd.c - writers under real threads: whatever the moment at which a writer is stopped, it is sealed
 * once, and every byte that was accepted is written or discarded.
 *
 * The pipe takes everything at once, so all writing is done by the pushing threads. What the fake pipe counts is plain
 * memory: two pumps at once are a data race that TSan sees.
 */
#include "engine/conn/writer.h"
#include "tests/support/fake_port.h"
#include "tests/support/threads.h"

#include <criterion/criterion.h>

TestSuite(writer_crowd, .timeout = 100);

/* Few messages: a stop that was missed is made good by the next push, so the last one must be the one that races. */
enum { ROUNDS = 100000, PUSHERS = 1, MESSAGES = 2, PAYLOAD_BYTES = 8 };

typedef struct crowd {
    pp_writer writer;
    pp_pipe pipe;
    pp_port *port;
    pp_memory memory;
    uint64_t bytes; /* Of the port. */
    _Atomic int pins;
    _Atomic unsigned sealed;
    _Atomic uint64_t accepted, written, discarded;
    _Atomic unsigned round; /* All threads of a round begin when it is raised. */
    _Atomic unsigned ready;
} crowd;

static crowd all;

static void crowd_pin(pp_writer *writer)
{
    (void) writer;
    atomic_fetch_add(&all.pins, 1);
}

static void crowd_unpin(pp_writer *writer, pp_worker *worker)
{
    (void) writer;
    (void) worker;
    cr_assert_gt(atomic_fetch_sub(&all.pins, 1), 0);
}

static void crowd_wrote(pp_writer *writer, uint32_t bytes, pp_worker *worker)
{
    (void) writer;
    (void) worker;
    atomic_fetch_add(&all.written, bytes);
}

static void crowd_tell(pp_writer *writer, pp_worker *worker)
{
    (void) writer;
    (void) worker;
}

static void crowd_stalled(pp_writer *writer, uint64_t since_ms, pp_worker *worker)
{
    (void) since_ms;
    crowd_tell(writer, worker);
}

static void crowd_sealed(pp_writer *writer, pp_worker *worker)
{
    (void) worker;
    atomic_fetch_add(&all.discarded, writer->discarded);
    atomic_fetch_add(&all.sealed, 1);
}

static bool crowd_hands_over(pp_writer *writer)
{
    (void) writer;
    return false;
}

static const pp_writer_up crowd_up = {crowd_pin,  crowd_unpin,  crowd_wrote,     crowd_stalled,
                                      crowd_tell, crowd_sealed, crowd_hands_over};
static const pp_writer_means crowd_means = {&crowd_up, &all.pipe, 1 << 20};

static void crowd_done(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    pp_writer_done(&all.writer, &crowd_means, result, drainer);
}

static void crowd_push(void)
{
    pp_message *message = pp_message_create(&all.memory, &pp_framing_default, PAYLOAD_BYTES, 1);
    bool corked = false;
    if (!pp_sendq_reserve(&all.writer.sendq, message->frame_bytes, crowd_means.queue_bytes_max)) {
        pp_message_release(message, 1);
    } else if (pp_writer_push(&all.writer, &crowd_means, &message->links[0], NULL, &corked) == PIPEPORT_OK) {
        atomic_fetch_add(&all.accepted, PAYLOAD_BYTES + 4);
    } else {
        pp_message_release(message, 1);
    }
}

/* The same begin for all, as nearly as threads can. */
static void crowd_await(unsigned round)
{
    atomic_fetch_add(&all.ready, 1);
    for (unsigned looks = 1; atomic_load(&all.round) != round; ++looks) {
        if (looks % 10000 == 0) { /* Seldom: who is waked late does not race. */
            test_thread_yield();
        }
    }
}

static void crowd_pusher(void *argument)
{
    (void) argument;
    for (unsigned round = 1; round <= ROUNDS; ++round) {
        crowd_await(round);
        for (int i = 0; i < MESSAGES; ++i) {
            crowd_push();
        }
    }
    crowd_await(ROUNDS + 1);
}

static void crowd_begin_round(unsigned round)
{
    while (atomic_load(&all.ready) != PUSHERS) {
        test_thread_yield();
    }
    if (round > 1) {
        cr_assert_eq(all.sealed, 1, "round %u: sealed %u times", round - 1, all.sealed);
        cr_assert_eq(all.pins, 0, "round %u: %d pins left", round - 1, all.pins);
        cr_assert_eq(all.accepted, all.written + all.discarded);
        cr_assert_eq(all.written, fake_newest()->written.length);
        fake_newest()->written.length = 0;
        pp_memory_check(&all.memory);
        cr_assert_eq(all.memory.bytes, all.bytes);
    }
    pp_writer_init(&all.writer, crowd_done);
    all.sealed = 0;
    all.accepted = all.written = all.discarded = 0;
    all.ready = 0;
}

Test(writer_crowd, is_sealed_once_whenever_it_is_stopped)
{
    test_thread threads[PUSHERS];
    fake_reset();
    pp_memory_init(&all.memory, 0);
    cr_assert_eq(pp_port_create(&all.port, &all.memory, &(pp_port_options){.drainers = 1}).status, PIPEPORT_OK);
    all.bytes = all.memory.bytes;
    fake_pipe_open(&all.pipe, all.port);
    for (int i = 0; i < PUSHERS; ++i) {
        test_thread_start(&threads[i], crowd_pusher, NULL);
    }
    for (unsigned round = 1; round <= ROUNDS; ++round) {
        crowd_begin_round(round);
        atomic_store(&all.round, round);
        for (volatile unsigned spin = 0; spin < round % 1000; ++spin) { /* Another moment each time. */
        }
        pp_writer_stop(&all.writer, &crowd_means, NULL);
    }
    crowd_begin_round(ROUNDS + 1);
    atomic_store(&all.round, ROUNDS + 1);
    for (int i = 0; i < PUSHERS; ++i) {
        test_thread_join(&threads[i]);
    }
    pp_pipe_close(&all.pipe);
    pp_port_destroy(all.port);
    cr_assert_eq(all.memory.bytes, 0);
}
