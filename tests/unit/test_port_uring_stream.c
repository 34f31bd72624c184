/* SPDX-License-Identifier: MIT */
/*
 * test_port_uring_stream.c - receives that go on, of a pipe on which little comes at a time (intake.h): where they are
 * used, what they may hold, and how they end. That they miss no end is a law (test_laws_await.c).
 */
#define _GNU_SOURCE
#include "tests/support/linux/rings.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/utsname.h>

enum {
    SHORTS = 4, /* Receives that are short, one after the other, become a stream. */
    MANY = 40
};

static test_bed stream_bed;
static bed_end server, client;
static char block[MANY], room[MANY];

TestSuite(port_uring_stream, .timeout = 100);

/* A pair on a ring with streams, the server's end of which is about to have one; or a skip. */
static void stream_begin(void)
{
    pp_result now;
    rings_need_streams(rings_open(&stream_bed, false));
    bed_listen(&stream_bed);
    bed_pair(&stream_bed, &server, &client);
    for (int i = 0; i < SHORTS; i++) {
        cr_assert_eq(bed_arm_await(&server, &now), PP_LATER);
        cr_assert_eq(bed_write(&stream_bed, &client, "x", 1).bytes, 1);
        cr_assert_eq(bed_await(&stream_bed, &server.read).fault.status, PIPEPORT_OK);
        cr_assert_eq(bed_read(&stream_bed, &server, room, MANY).bytes, 1);
    }
}

/* Else all that holds streams would be skipped, and nobody would miss them. Of 6.17 and 6.18 some have no cure. */
Test(port_uring_stream, is_used_where_the_kernel_is_known_to_tell_of_ends)
{
    struct utsname about;
    unsigned major = 0, minor = 0, patch = 0;
    cr_assert_eq(uname(&about), 0);
    cr_assert_geq(sscanf(about.release, "%u.%u.%u", &major, &minor, &patch), 2, "%s", about.release);
    if (major == 6 && (minor == 17 || (minor == 18 && patch < 44) || minor == 19)) {
        cr_skip_test("it is not known of Linux %s", about.release);
    }
    cr_assert(rings_open(&stream_bed, false)->streams);
    bed_close(&stream_bed);
}

Test(port_uring_stream, does_not_let_one_who_is_not_read_take_the_pool)
{
    pp_result now;
    int much = 100000;
    stream_begin();
    cr_assert_eq(setsockopt((int) client.pipe.handle, SOL_SOCKET, SO_SNDBUF, &much, sizeof much), 0);
    bed_stamp(block, MANY, 0);
    cr_assert_eq(bed_arm_await(&server, &now), PP_LATER);
    cr_assert_eq(bed_write(&stream_bed, &client, block, 1).bytes, 1);
    cr_assert_eq(bed_await(&stream_bed, &server.read).fault.status, PIPEPORT_OK);
    cr_assert_eq(bed_write(&stream_bed, &client, block + 1, 1).bytes, 1);
    rings_take_nothing(&stream_bed);
    cr_assert_eq(rings_left(&server), 0, "which receives unasked");
    for (int i = 2; i < MANY; i++) {
        cr_assert_eq(bed_write(&stream_bed, &client, block + i, 1).bytes, 1);
        rings_take_nothing(&stream_bed);
    }
    cr_assert_gt(rings_left(&server), MANY / 2, "it ended long ago");
    for (uint32_t got = 0; got < MANY;) {
        now = bed_read(&stream_bed, &server, room, MANY);
        cr_assert(now.fault.status == PIPEPORT_OK && bed_is_stamped(room, now.bytes, got));
        got += now.bytes;
    }
    bed_settle(&stream_bed, &server, &client);
}

/* One that was to be asked for, and is only when its pipe has been closed: the byte and the end are there, and nobody
 * looks at the socket any more. */
Test(port_uring_stream, leaves_with_its_pipe)
{
    pp_result now;
    pp_completion stopped[2];
    stream_begin();
    int fd = (int) server.pipe.handle;
    cr_assert_eq(bed_write(&stream_bed, &client, "x", 1).bytes, 1);
    cr_assert_eq(bed_arm_await(&client, &now), PP_LATER);
    cr_assert_eq(bed_arm_await(&server, &now), PP_LATER);
    pp_pipe_cancel(&client.pipe, &client.read);
    pp_pipe_cancel(&server.pipe, &server.read);
    cr_assert_eq(pp_port_take(stream_bed.port, 0, 0, stopped, 2), 2,
                 "as many as there is room for, so nothing is asked");
    bed_end_close(&server);
    for (int i = 0; i < 3; i++) { /* Asks for the stream, and for its end; hears of both. */
        rings_take_nothing(&stream_bed);
    }
    cr_assert_eq(fcntl(fd, F_GETFD), -1, "the socket is closed when the kernel has let go of it");
    bed_settle(&stream_bed, NULL, &client);
}
