/* SPDX-License-Identifier: MIT */
/*
 * test_laws_await.c - the laws of waiting without a lent buffer: a hint that loses nothing.
 */
#include "tests/laws/bed.h"
#include "tests/support/limits.h"
#include "tests/support/random.h"

#include <criterion/criterion.h>

#include <string.h>

enum { BLOCK = 32 * 1024, STREAM_BYTES = 400000, CROWD = 1100 };

static test_bed await_bed;
static bed_end server, client;
static char block[BLOCK], room[BLOCK];
static pp_gate stream_home; /* Open: the write that pended is home. */

static void await_setup(void)
{
    bed_open_own(&await_bed, 1);
    if (!pp_port_can_await(await_bed.port)) {
        cr_skip_test("this system's pipes cannot wait without a buffer");
    }
    bed_listen(&await_bed);
    bed_pair(&await_bed, &server, &client);
}

static void await_settle(void)
{
    bed_settle(&await_bed, &server, &client);
}

TestSuite(laws_await, .init = await_setup, .timeout = 100);

/* Waits for a word of the system's that there is something to read. */
static pp_result await_word(bed_end *end)
{
    pp_result result;
    if (bed_arm_await(end, &result) == PP_LATER) {
        result = bed_await(&await_bed, &end->read);
    }
    LAW(result.bytes == 0);
    return result;
}

/* A word may come for nothing: then the read after it pends until bytes come. */
static void await_and_expect(bed_end *end, uint32_t bytes, uint64_t at)
{
    for (uint32_t got = 0; got < bytes;) {
        cr_assert_eq(await_word(end).fault.status, PIPEPORT_OK);
        pp_result result = bed_read(&await_bed, end, room, bytes - got);
        cr_assert(result.fault.status == PIPEPORT_OK && result.bytes > 0);
        cr_assert(bed_is_stamped(room, result.bytes, at + got));
        got += result.bytes;
    }
}

/* The one byte that was written, number `at`, asked for with room for more: then all know that no other is there. */
static void await_byte(bed_end *end, uint64_t at)
{
    cr_assert_eq(await_word(end).fault.status, PIPEPORT_OK);
    cr_assert_eq(bed_read(&await_bed, end, room, BLOCK).bytes, 1);
    cr_assert_eq((unsigned char) room[0], bed_byte(at));
}

Test(laws_await, answers_where_something_is_there_and_takes_none_of_it)
{
    bed_stamp(block, 100, 0);
    cr_assert_eq(bed_write(&await_bed, &client, block, 100).bytes, 100);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(await_word(&server).fault.status, PIPEPORT_OK);
    }
    cr_assert_eq(bed_read(&await_bed, &server, room, BLOCK).bytes, 100);
    cr_assert(bed_is_stamped(room, 100, 0));
    await_settle();
}

Test(laws_await, pends_where_nothing_is_there_and_ends_when_something_comes)
{
    bed_stamp(block, 300, 0);
    for (uint32_t i = 0; i < 3; i++) {
        pp_result now;
        cr_assert_eq(bed_arm_await(&server, &now), PP_LATER);
        bed_hears_nothing(&await_bed);
        cr_assert_eq(bed_write(&await_bed, &client, block + i * 100, 100).bytes, 100);
        now = bed_await(&await_bed, &server.read);
        cr_assert(now.fault.status == PIPEPORT_OK && now.bytes == 0);
        cr_assert_eq(bed_read(&await_bed, &server, room, BLOCK).bytes, 100);
        cr_assert(bed_is_stamped(room, 100, i * 100));
    }
    await_settle();
}

Test(laws_await, answers_again_for_what_a_short_read_left)
{
    bed_stamp(block, 100, 0);
    cr_assert_eq(bed_write(&await_bed, &client, block, 100).bytes, 100);
    for (uint32_t at = 0; at < 100; at += 20) {
        await_and_expect(&server, 20, at);
    }
    pp_result now;
    cr_assert_eq(bed_arm_read(&server, room, BLOCK, &now), PP_LATER, "there was no more");
    cr_assert_eq(bed_write(&await_bed, &client, "x", 1).bytes, 1);
    cr_assert_eq(bed_await(&await_bed, &server.read).bytes, 1);
    await_settle();
}

Test(laws_await, is_told_of_the_end_after_the_last_bytes_and_again)
{
    pp_result now;
    cr_assert_eq(bed_arm_await(&server, &now), PP_LATER);
    bed_stamp(block, 100, 0);
    cr_assert_eq(bed_write(&await_bed, &client, block, 100).bytes, 100);
    bed_end_close(&client);
    cr_assert_eq(bed_await(&await_bed, &server.read).fault.status, PIPEPORT_OK);
    pp_result result = bed_read(&await_bed, &server, room, BLOCK);
    cr_assert(result.bytes == 100 && bed_is_stamped(room, 100, 0));
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(await_word(&server).fault.status, PIPEPORT_OK);
        cr_assert_eq(bed_read(&await_bed, &server, room, BLOCK).fault.status, PIPEPORT_GONE);
    }
    await_settle();
}

/* A talker's last byte, and its end behind it: there before anybody waits, or while somebody does. A system that is
 * woken once for both must not stop at the byte. Talkers of each length up to the one after which a backend may have
 * changed how it waits. */
Test(laws_await, is_told_of_the_end_however_near_it_comes_to_the_last_byte)
{
    enum { TALKERS = 20 };
    for (int talker = 0; talker < TALKERS; talker++) {
        pp_result now;
        uint64_t talk = (uint64_t) talker / 2;
        bool waits_before = talker % 2 == 1;
        for (uint64_t i = 0; i < talk; i++) {
            char byte = (char) bed_byte(i);
            cr_assert_eq(bed_write(&await_bed, &client, &byte, 1).bytes, 1);
            await_byte(&server, i);
        }
        if (waits_before) {
            cr_assert_eq(bed_arm_await(&server, &now), PP_LATER);
            bed_hears_nothing(&await_bed);
        }
        char last = (char) bed_byte(talk);
        cr_assert_eq(bed_write(&await_bed, &client, &last, 1).bytes, 1);
        bed_end_close(&client);
        if (waits_before) {
            cr_assert_eq(bed_await(&await_bed, &server.read).fault.status, PIPEPORT_OK);
            cr_assert_eq(bed_read(&await_bed, &server, room, BLOCK).bytes, 1);
        } else {
            await_byte(&server, talk);
        }
        now = await_word(&server); /* A word for nothing, or of the end. */
        if (now.fault.status == PIPEPORT_OK) {
            now = bed_read(&await_bed, &server, room, BLOCK);
        }
        cr_assert_eq(now.fault.status, PIPEPORT_GONE);
        bed_end_close(&server);
        bed_pair(&await_bed, &server, &client);
    }
    await_settle();
}

Test(laws_await, ends_when_the_peer_does_though_it_sent_nothing)
{
    pp_result now;
    cr_assert_eq(bed_arm_await(&server, &now), PP_LATER);
    bed_end_close(&client);
    cr_assert_eq(bed_await(&await_bed, &server.read).fault.status, PIPEPORT_OK);
    cr_assert_eq(bed_read(&await_bed, &server, room, BLOCK).fault.status, PIPEPORT_GONE);
    await_settle();
}

Test(laws_await, is_stopped_exactly_once_and_loses_nothing_to_it)
{
    for (uint32_t i = 0; i < 50; i++) {
        pp_result now;
        char byte = (char) bed_byte(i);
        cr_assert_eq(bed_arm_await(&server, &now), PP_LATER);
        pp_pipe_cancel(&server.pipe, &server.read);
        pp_pipe_cancel(&server.pipe, &server.read);
        cr_assert_eq(bed_await(&await_bed, &server.read).fault.status, PIPEPORT_STOPPED);
        bed_hears_nothing(&await_bed);
        cr_assert_eq(bed_write(&await_bed, &client, &byte, 1).bytes, 1);
        if (i % 2 == 0) {
            await_byte(&server, i);
        } else { /* A read takes over what the await had begun. */
            cr_assert_eq(bed_read(&await_bed, &server, room, BLOCK).bytes, 1);
            cr_assert_eq((unsigned char) room[0], bed_byte(i));
        }
    }
    await_settle();
}

Test(laws_await, a_read_in_its_place_can_be_stopped_too)
{
    pp_result now;
    cr_assert_eq(bed_arm_await(&server, &now), PP_LATER);
    pp_pipe_cancel(&server.pipe, &server.read);
    cr_assert_eq(bed_await(&await_bed, &server.read).fault.status, PIPEPORT_STOPPED);
    cr_assert_eq(bed_arm_read(&server, room, BLOCK, &now), PP_LATER);
    pp_pipe_cancel(&server.pipe, &server.read);
    cr_assert_eq(bed_await(&await_bed, &server.read).fault.status, PIPEPORT_STOPPED);
    cr_assert_eq(bed_arm_read(&server, room, 1, &now), PP_LATER);
    cr_assert_eq(bed_write(&await_bed, &client, "ab", 2).bytes, 2);
    cr_assert_eq(bed_await(&await_bed, &server.read).bytes, 1);
    cr_assert_eq(bed_read(&await_bed, &server, room + 1, 1).bytes, 1);
    cr_assert_eq(memcmp(room, "ab", 2), 0);
    await_settle();
}

Test(laws_await, may_be_closed_after_a_stop_and_the_peer_hears_of_it)
{
    pp_result now;
    cr_assert_eq(bed_arm_await(&client, &now), PP_LATER);
    pp_pipe_cancel(&client.pipe, &client.read);
    cr_assert_eq(bed_await(&await_bed, &client.read).fault.status, PIPEPORT_STOPPED);
    cr_assert_eq(bed_arm_read(&server, room, BLOCK, &now), PP_LATER);
    bed_end_close(&client);
    cr_assert_eq(bed_await(&await_bed, &server.read).fault.status, PIPEPORT_GONE);
    await_settle();
}

/* Writes from byte `at` of the stream on what there is room for at once: where the stream is then. */
static uint64_t write_at_once(uint64_t at)
{
    uint32_t count = client.pipe.slices_max < 2 ? 1 : 2;
    for (pp_result now = {.bytes = 1}; now.bytes > 0; at += now.bytes) {
        bed_stamp(block, BLOCK, at);
        pp_slice slices[] = {{block, count == 1 ? BLOCK : 5}, {block + 5, BLOCK - 5}};
        cr_assert_eq(pp_pipe_write(&client.pipe, slices, count, NULL, &now), PP_NOW);
        cr_assert_eq(now.fault.status, PIPEPORT_OK);
        cr_assert_lt(at, 1 << 28);
    }
    return at;
}

static void read_stamped(uint64_t from, uint64_t to)
{
    while (from < to) {
        pp_result came = bed_read(&await_bed, &server, room, to - from < BLOCK ? (uint32_t) (to - from) : BLOCK);
        cr_assert(came.fault.status == PIPEPORT_OK && bed_is_stamped(room, came.bytes, from));
        from += came.bytes;
    }
}

/* What it finds no room for leaves nothing behind: no completion comes of it, and a write after it waits as any. */
Test(laws_await, writes_at_once_what_there_is_room_for_and_never_pends)
{
    pp_result now;
    uint64_t sent = write_at_once(0);
    cr_assert_gt(sent, 0);
    bed_hears_nothing(&await_bed);
    bed_stamp(block, BLOCK, sent);
    cr_assert_eq(bed_arm_write(&client, block, BLOCK, &now), PP_LATER);
    read_stamped(0, sent);
    now = bed_await(&await_bed, &client.write);
    cr_assert(now.fault.status == PIPEPORT_OK && now.bytes > 0);
    read_stamped(sent, sent + now.bytes);
    sent += now.bytes;
    uint64_t more = write_at_once(sent);
    cr_assert_gt(more, sent);
    read_stamped(sent, more);
    bed_end_close(&server);
    cr_assert_eq(pp_pipe_write(&client.pipe, &(pp_slice){block, 1}, 1, NULL, &now), PP_NOW);
    cr_assert_eq(now.fault.status, PIPEPORT_GONE);
    await_settle();
}

/* A stream, by a thread of its own: from elsewhere a write is full or it is done. */
static void stream_write(void *argument)
{
    uint64_t random = *(uint64_t *) argument;
    static char out[20000];
    for (uint64_t sent = 0; sent < STREAM_BYTES;) {
        uint32_t bytes = 1 + test_random_below(&random, test_random_below(&random, 4) ? 100 : sizeof out);
        bytes = bytes < STREAM_BYTES - sent ? bytes : (uint32_t) (STREAM_BYTES - sent);
        bed_stamp(out, bytes, sent);
        pp_result now;
        pp_slice slice = {out, bytes};
        client.write.home = client.pipe.home;
        pp_gate_init(&stream_home, 1);
        if (pp_pipe_write(&client.pipe, &slice, 1, &client.write, &now) == PP_LATER) {
            LAW(pp_gate_wait(&stream_home, BED_PATIENCE_MS));
            now = (pp_result){{PIPEPORT_OK, 0}, (uint32_t) client.write.room.words[0], 0};
        }
        LAW(now.fault.status == PIPEPORT_OK && now.bytes >= 1);
        sent += now.bytes;
    }
}

/* The completion `op` of a batch of its own, and the writer's on the way. */
static pp_result stream_take(const pp_op *op)
{
    pp_result result = {{PIPEPORT_OK, 0}, 0, 0};
    for (bool found = false; !found;) {
        pp_completion batch[PP_BATCH_MAX];
        uint32_t count = pp_port_take(await_bed.port, 0, 1000, batch, PP_BATCH_MAX);
        for (uint32_t i = 0; i < count; i++) {
            if (batch[i].op == op) {
                found = true;
                result = batch[i].result;
            } else {
                LAW(batch[i].op == &client.write && batch[i].result.fault.status == PIPEPORT_OK);
                client.write.room.words[0] = batch[i].result.bytes;
                pp_gate_leave(&stream_home);
            }
        }
    }
    return result;
}

Test(laws_await, loses_no_byte_between_words_reads_and_stops)
{
    pp_thread writer;
    uint64_t random = test_seed(), seed = random + 1;
    cr_log_info("PIPEPORT_TEST_SEED=%llu", (unsigned long long) random);
    cr_assert_eq(pp_os_thread_start(&writer, stream_write, &seed).status, PIPEPORT_OK);
    for (uint64_t got = 0; got < STREAM_BYTES;) {
        pp_result result;
        if (bed_arm_await(&server, &result) == PP_LATER) {
            if (test_random_below(&random, 3) == 0) {
                pp_pipe_cancel(&server.pipe, &server.read);
            }
            result = stream_take(&server.read);
            cr_assert(result.fault.status == PIPEPORT_OK || result.fault.status == PIPEPORT_STOPPED);
        }
        uint32_t bytes = 1 + test_random_below(&random, test_random_below(&random, 2) ? 50 : sizeof room);
        bytes = bytes < sizeof room ? bytes : sizeof room;
        if (bed_arm_read(&server, room, bytes, &result) == PP_LATER) {
            result = stream_take(&server.read);
        }
        cr_assert_eq(result.fault.status, PIPEPORT_OK);
        cr_assert(bed_is_stamped(room, result.bytes, got));
        got += result.bytes;
    }
    pp_os_thread_join(&writer);
    await_settle();
}

Test(laws_await, races_with_a_stop_and_ends_once_either_way)
{
    static bed_race race;
    int won = 0;
    bed_race_open(&race, &client);
    for (uint32_t i = 0; i < BED_RACES; i++) {
        pp_result now;
        cr_assert_eq(bed_arm_await(&server, &now), PP_LATER);
        bed_race_begin(&race, i);
        pp_pipe_cancel(&server.pipe, &server.read);
        now = bed_await(&await_bed, &server.read);
        won += now.fault.status == PIPEPORT_STOPPED;
        cr_assert(now.fault.status == PIPEPORT_STOPPED || now.fault.status == PIPEPORT_OK);
        await_byte(&server, i);
    }
    bed_race_close(&race);
    cr_log_info("the stop won %d of %d races", won, BED_RACES);
    await_settle();
}

/* More at once than any backend has buffers for in store. */
Test(laws_await, tells_of_each_of_very_many_pipes_that_nobody_reads)
{
    static bed_end ends[CROWD], peers[CROWD];
    if (!limits_allow_handles(2 * CROWD + 100)) {
        cr_skip_test("this system allows too few open files");
    }
    uint32_t told = 0;
    for (uint32_t i = 0; i < CROWD; i++) {
        pp_result now;
        bed_pair(&await_bed, &ends[i], &peers[i]);
        cr_assert_eq(bed_arm_await(&ends[i], &now), PP_LATER);
    }
    for (uint32_t i = 0; i < CROWD; i++) {
        bed_stamp(block, 2, i);
        pp_slice slice = {block, 2};
        pp_result now;
        if (pp_pipe_write(&peers[i].pipe, &slice, 1, &peers[i].write, &now) == PP_LATER) {
            now.bytes = 0;
            while (now.bytes == 0) {
                pp_completion one;
                if (pp_port_take(await_bed.port, 0, 1000, &one, 1) == 1) {
                    now.bytes = one.op == &peers[i].write ? one.result.bytes : 0;
                    told += one.op != &peers[i].write;
                }
            }
        }
        cr_assert_eq(now.bytes, 2);
    }
    while (told < CROWD) {
        pp_completion batch[PP_BATCH_MAX];
        told += pp_port_take(await_bed.port, 0, 1000, batch, PP_BATCH_MAX);
    }
    for (uint32_t i = 0; i < CROWD; i++) {
        cr_assert_eq(bed_read(&await_bed, &ends[i], room, BLOCK).bytes, 2);
        cr_assert(bed_is_stamped(room, 2, i));
        bed_end_close(&ends[i]);
        bed_end_close(&peers[i]);
    }
    await_settle();
}
