/* SPDX-License-Identifier: MIT */
/*
 * test_port_uring_watch.c - the poll that stays with a pipe on which much comes at a time (intake.h): that it is fair,
 * that it misses nothing, and how it ends.
 */
#define _GNU_SOURCE
#include "tests/support/linux/rings.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stddef.h>

enum { BURST = 6000, CROWD = 120, ROOM_BYTES = 100000 };

static test_bed watch_bed;
static bed_end server, client;
static char burst[BURST], room[ROOM_BYTES];

TestSuite(port_uring_watch, .timeout = 100);

/* A bed of one's own on a ring, or a skip. */
static pp_ring *watch_open(bool whole)
{
    pp_ring *ring = rings_open(&watch_bed, false);
    watch_bed.plan = whole ? bed_whole_plan : bed_plan;
    bed_listen(&watch_bed);
    bed_stamp(burst, BURST, 0);
    return ring;
}

static pp_armed watch_await(bed_end *end)
{
    pp_result now;
    return bed_arm_await(end, &now);
}

/* All that is there, in as many reads as it takes. */
static void watch_hear(bed_end *end, uint32_t bytes)
{
    uint32_t got = 0;
    pp_result now;
    do {
        cr_assert_eq(pp_pipe_read(&end->pipe, room + got, ROOM_BYTES - got, NULL, &now), PP_NOW);
        got += now.bytes;
    } while (now.bytes > 0);
    cr_assert_eq(got, bytes);
    cr_assert(bed_is_stamped(room, bytes, 0));
}

static void watch_wait(bed_end *end)
{
    cr_assert_eq(watch_await(end), PP_LATER);
    cr_assert_eq(bed_await(&watch_bed, &end->read).fault.status, PIPEPORT_OK);
}

/* A pair of which the server's end has a watch with the kernel. */
static pp_ring *watch_begin(void)
{
    pp_ring *ring = watch_open(false);
    bed_pair(&watch_bed, &server, &client);
    for (int i = 0; i < 2; i++) {
        rings_talk(&client, burst, BURST);
        watch_wait(&server);
        watch_hear(&server, BURST);
    }
    return ring;
}

/* ---- Many ---- */

static bed_end listeners[CROWD], talkers[CROWD];

static void crowd_open(bool whole)
{
    (void) watch_open(whole);
    for (uint32_t i = 0; i < CROWD; i++) {
        bed_pair(&watch_bed, &listeners[i], &talkers[i]);
    }
    for (uint32_t i = 0; i < CROWD; i++) {
        cr_assert_eq(watch_await(&listeners[i]), PP_LATER);
    }
    rings_take_nothing(&watch_bed); /* So each is with the kernel before it is said. */
    for (uint32_t i = 0; i < CROWD; i++) {
        rings_talk(&talkers[i], burst, BURST);
    }
}

static void crowd_settle(void)
{
    pp_completion batch[PP_BATCH_MAX];
    for (uint32_t i = 0; i < CROWD; i++) {
        pp_pipe_cancel(&listeners[i].pipe, &listeners[i].read);
    }
    for (uint32_t home = 0; home < CROWD;) {
        home += pp_port_take(watch_bed.port, 0, 1000, batch, PP_BATCH_MAX);
    }
    for (uint32_t i = 0; i < CROWD; i++) {
        bed_end_close(&listeners[i]);
        bed_end_close(&talkers[i]);
    }
    bed_close(&watch_bed);
}

/* Reads so often in all; who is read says it anew at once. Answers how often he was read who was read least, and the
 * other in *most. */
static uint32_t crowd_read(uint32_t reads, uint32_t *most)
{
    uint32_t times[CROWD] = {0}, least = UINT32_MAX;
    pp_completion batch[PP_BATCH_MAX];
    for (uint32_t all = 0; all < reads;) {
        uint32_t count = pp_port_take(watch_bed.port, 0, 1000, batch, PP_BATCH_MAX);
        for (uint32_t i = 0; i < count; i++, all++) {
            bed_end *end = (bed_end *) (void *) ((char *) batch[i].op - offsetof(bed_end, read));
            watch_hear(end, BURST);
            rings_talk(&talkers[end - listeners], burst, BURST);
            times[end - listeners]++;
            cr_assert_eq(watch_await(end), PP_LATER);
        }
    }
    *most = 0;
    for (uint32_t i = 0; i < CROWD; i++) {
        least = times[i] < least ? times[i] : least;
        *most = times[i] > *most ? times[i] : *most;
    }
    return least;
}

Test(port_uring_watch, is_fair_to_all_that_have_much_to_say)
{
    uint32_t most;
    crowd_open(false);
    uint32_t least = crowd_read(20 * CROWD, &most);
    cr_assert(most - least <= 2, "one was read %u times and another %u", least, most);
    crowd_settle();
}

/* Whole messages are polled for anew after each read, and a poll that is answered at once comes first: but not for
 * ever. */
Test(port_uring_watch, forgets_nobody_where_polls_do_not_stay)
{
    uint32_t most;
    crowd_open(true);
    uint32_t least = crowd_read(40 * CROWD, &most);
    cr_assert_gt(least, 0, "one was not read at all, and another %u times", most);
    crowd_settle();
}

/* ---- One ---- */

Test(port_uring_watch, tells_of_what_a_read_has_left)
{
    (void) watch_begin();
    rings_talk(&client, burst, BURST);
    watch_wait(&server);
    cr_assert_eq(bed_read(&watch_bed, &server, room, 100).bytes, 100);
    cr_assert_eq(watch_await(&server), PP_NOW, "it was told once, and is still true");
    cr_assert_eq(bed_read(&watch_bed, &server, room + 100, ROOM_BYTES).bytes, BURST - 100);
    cr_assert(bed_is_stamped(room, BURST, 0));
    cr_assert_eq(watch_await(&server), PP_LATER);
    bed_hears_nothing(&watch_bed);
    rings_talk(&client, burst, 1);
    cr_assert_eq(bed_await(&watch_bed, &server.read).fault.status, PIPEPORT_OK);
    watch_hear(&server, 1);
    bed_settle(&watch_bed, &server, &client);
}

/* The end is told once as well, together with the bytes before it. */
Test(port_uring_watch, tells_of_the_end_behind_the_last_bytes)
{
    (void) watch_begin();
    rings_talk(&client, burst, BURST);
    bed_end_close(&client);
    watch_wait(&server);
    cr_assert_eq(bed_read(&watch_bed, &server, room, ROOM_BYTES).bytes, BURST);
    if (watch_await(&server) == PP_LATER) {
        (void) bed_await(&watch_bed, &server.read);
    }
    cr_assert_eq(bed_read(&watch_bed, &server, room, ROOM_BYTES).fault.status, PIPEPORT_GONE);
    bed_settle(&watch_bed, &server, NULL);
}

/* An armed read that lends a block waits for what the watch says, and can be stopped meanwhile. */
Test(port_uring_watch, serves_a_read_that_lends_a_block)
{
    pp_result now;
    (void) watch_begin();
    cr_assert_eq(bed_arm_read(&server, room, ROOM_BYTES, &now), PP_LATER);
    bed_hears_nothing(&watch_bed);
    pp_pipe_cancel(&server.pipe, &server.read);
    cr_assert_eq(bed_await(&watch_bed, &server.read).fault.status, PIPEPORT_STOPPED);
    cr_assert_eq(bed_arm_read(&server, room, ROOM_BYTES, &now), PP_LATER);
    rings_talk(&client, burst, BURST);
    cr_assert_eq(bed_await(&watch_bed, &server.read).bytes, BURST);
    cr_assert(bed_is_stamped(room, BURST, 0));
    bed_settle(&watch_bed, &server, &client);
}

Test(port_uring_watch, gives_way_to_a_stream_where_receives_are_short_again)
{
    enum { SHORT = 10 };
    rings_need_streams(watch_begin());
    for (int i = 0; i < SHORT; i++) {
        cr_assert_eq(watch_await(&server), PP_LATER);
        rings_talk(&client, burst, 1);
        cr_assert_eq(bed_await(&watch_bed, &server.read).fault.status, PIPEPORT_OK);
        watch_hear(&server, 1);
    }
    rings_talk(&client, burst, 1);
    rings_take_nothing(&watch_bed);
    cr_assert_eq(rings_left(&server), 0, "which receives unasked");
    watch_hear(&server, 1);
    bed_settle(&watch_bed, &server, &client);
}

Test(port_uring_watch, leaves_with_its_pipe)
{
    pp_completion none[PP_BATCH_MAX];
    (void) watch_begin();
    int fd = (int) server.pipe.handle;
    bed_end_close(&server);
    for (int i = 0; i < 2; i++) { /* Asks for its end; hears of it. */
        cr_assert_eq(pp_port_take(watch_bed.port, 0, 0, none, PP_BATCH_MAX), 0);
    }
    cr_assert_eq(fcntl(fd, F_GETFD), -1, "the socket is closed when the kernel has let go of it");
    bed_settle(&watch_bed, NULL, &client);
}
