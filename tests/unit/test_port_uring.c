/* SPDX-License-Identifier: MIT */
/*
 * test_port_uring.c - what only the ring driver has: how it is chosen and what happens where the kernel refuses it,
 * what a ring holds for a pipe, threads that leave a lent ring. What every backend must do is in tests/laws.
 */
#define _GNU_SOURCE
#include "engine/port/linux/port.h"
#include "engine/port/linux/uring/probe.h"
#include "tests/support/linux/rings.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum { BIG = 100000 };

static test_bed uring_bed;
static bed_end server, client;
static char block[BIG], room[BIG];
static char said[400];
static int lines_said;

TestSuite(port_uring, .timeout = 100);

static void uring_hear(void *user, const char *line)
{
    cr_assert_eq(user, said);
    snprintf(said, sizeof said, "%s", line);
    lines_said++;
}

/* What a port answers where the environment asks for `driver` (NULL: for nothing); its name, or NULL. */
static const char *uring_ask(const char *driver, pipeport_status *status)
{
    pp_memory memory;
    pp_port *port = NULL;
    const char *name = NULL;
    pp_memory_init(&memory, 0);
    if (driver != NULL) {
        setenv("PIPEPORT_LINUX_DRIVER", driver, 1);
    } else {
        unsetenv("PIPEPORT_LINUX_DRIVER");
    }
    lines_said = 0;
    *status = pp_port_create(&port, &memory, &(pp_port_options){.drainers = 2, .say = uring_hear, .say_user = said})
                  .status;
    if (*status == PIPEPORT_OK) {
        name = pp_port_driver(port);
        pp_port_destroy(port);
    }
    cr_assert_eq(atomic_load(&memory.bytes), 0);
    return name;
}

/* A pair on a ring, or a skip. */
static pp_ring *uring_open(bool own)
{
    pp_ring *ring = rings_open(&uring_bed, !own);
    bed_listen(&uring_bed);
    bed_pair(&uring_bed, &server, &client);
    return ring;
}

static void uring_settle(void)
{
    bed_end_close(&server);
    bed_end_close(&client);
    bed_close(&uring_bed);
}

/* ---- The choice ---- */

Test(port_uring, is_taken_where_it_is_asked_for_and_nothing_is_said)
{
    pipeport_status status;
    const char *driver = uring_ask("uring", &status);
    cr_assert_eq(status, PIPEPORT_OK);
    if (strcmp(driver, "io_uring") != 0) {
        cr_skip_test("the kernel refuses io_uring");
    }
    cr_assert_eq(lines_said, 0);
}

Test(port_uring, leaves_epoll_where_epoll_or_nothing_is_asked_for)
{
    static const char *const asked[] = {NULL, "auto", "epoll"};
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        pipeport_status status;
        cr_assert_str_eq(uring_ask(asked[i], &status), "epoll");
        cr_assert_eq(lines_said, 0);
    }
}

Test(port_uring, is_not_guessed_from_another_word)
{
    static const char *const asked[] = {"", "io_uring", "URING", "epoll ", "kqueue"};
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        pipeport_status status;
        cr_assert_null(uring_ask(asked[i], &status));
        cr_assert_eq(status, PIPEPORT_INVALID);
        cr_assert_eq(lines_said, 1);
        char quoted[20];
        snprintf(quoted, sizeof quoted, "\"%s\"", asked[i]);
        cr_assert_not_null(strstr(said, quoted), "what: %s", said);
        cr_assert_not_null(strstr(said, "PIPEPORT_LINUX_DRIVER"), "where: %s", said);
        cr_assert_not_null(strstr(said, "epoll, uring or auto"), "what is allowed: %s", said);
    }
}

/* From now on the kernel answers `code` to the system call `number`, in this process: it is the test's own. */
static void uring_refuse(uint32_t number, uint32_t code)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | code),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof steps / sizeof steps[0], .filter = steps};
    cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        cr_skip_test("this system has no seccomp filters");
    }
}

/* Epoll drains, and one line says what was refused, and why. */
static void uring_expect_refusal(const char *what, int code)
{
    pipeport_status status;
    cr_assert_str_eq(uring_ask("uring", &status), "epoll");
    cr_assert_eq(status, PIPEPORT_OK);
    cr_assert_eq(lines_said, 1);
    cr_assert_not_null(strstr(said, what), "%s", said);
    cr_assert_not_null(strstr(said, strerror(code)), "%s", said);
}

Test(port_uring, gives_way_to_epoll_where_rings_are_forbidden)
{
    uring_refuse(SYS_io_uring_setup, EPERM);
    uring_expect_refusal("a ring", EPERM);
}

Test(port_uring, gives_way_to_epoll_where_there_are_none)
{
    uring_refuse(SYS_io_uring_setup, ENOSYS);
    uring_expect_refusal("a ring", ENOSYS);
}

Test(port_uring, gives_way_to_epoll_where_no_memory_may_be_locked)
{
    uring_refuse(SYS_io_uring_setup, ENOMEM);
    uring_expect_refusal("a ring", ENOMEM);
}

Test(port_uring, gives_way_to_epoll_where_the_ring_cannot_be_asked_what_it_can)
{
    pipeport_status status;
    if (strcmp(uring_ask("uring", &status), "io_uring") != 0) {
        cr_skip_test("the kernel refuses io_uring");
    }
    uring_refuse(SYS_io_uring_register, EINVAL);
    uring_expect_refusal("an operation", EOPNOTSUPP);
}

Test(port_uring, does_without_streams_where_they_cannot_be_tried)
{
    uring_refuse(SYS_socketpair, EMFILE);
    cr_assert_not(pp_probe_streams());
    cr_assert_not(uring_open(true)->streams);
    uring_settle();
}

/* ---- What a ring holds ---- */

/* What an await has brought, the read after it is given at once. */
static void uring_read_what_an_await_has_brought(bool own)
{
    pp_result now;
    (void) uring_open(own);
    cr_assert_eq(bed_arm_await(&server, &now), PP_LATER);
    cr_assert_eq(bed_write(&uring_bed, &client, "abc", 3).bytes, 3);
    cr_assert_eq(bed_await(&uring_bed, &server.read).fault.status, PIPEPORT_OK);
    cr_assert_eq(bed_arm_read(&server, room, BIG, &now), PP_NOW);
    cr_assert(now.bytes == 3 && memcmp(room, "abc", 3) == 0);
    uring_settle();
}

Test(port_uring, gives_a_read_at_home_what_an_await_has_brought)
{
    uring_read_what_an_await_has_brought(true);
}

/* Elsewhere, where nothing that is held can be read: arms another await, which is answered at home. */
static void uring_await_elsewhere(void *argument)
{
    pp_result now;
    LAW(pp_pipe_read(&server.pipe, room, BIG, NULL, &now) == PP_NOW && now.bytes == 0);
    *(pp_armed *) argument = bed_arm_await(&server, &now);
}

Test(port_uring, says_of_an_await_that_what_is_held_answers_it)
{
    pp_result now;
    pp_thread thread;
    pp_armed armed = PP_NOW;
    (void) uring_open(true);
    cr_assert_eq(bed_arm_await(&server, &now), PP_LATER);
    cr_assert_not(pp_pipe_is_answered(&server.pipe, &server.read));
    cr_assert_eq(bed_write(&uring_bed, &client, "abc", 3).bytes, 3);
    cr_assert_eq(bed_await(&uring_bed, &server.read).fault.status, PIPEPORT_OK);
    cr_assert_eq(pp_os_thread_start(&thread, uring_await_elsewhere, &armed).status, PIPEPORT_OK);
    pp_os_thread_join(&thread);
    cr_assert_eq(armed, PP_LATER);
    cr_assert(pp_pipe_is_answered(&server.pipe, &server.read), "the socket is empty, but three bytes are held");
    cr_assert_eq(bed_await(&uring_bed, &server.read).fault.status, PIPEPORT_OK);
    cr_assert_eq(bed_arm_read(&server, room, BIG, &now), PP_NOW);
    cr_assert(now.bytes == 3 && memcmp(room, "abc", 3) == 0);
    uring_settle();
}

/* The client may have very much under way. */
static void uring_widen(void)
{
    int much = 4 * BIG;
    cr_assert_eq(setsockopt((int) client.pipe.handle, SOL_SOCKET, SO_SNDBUF, &much, sizeof much), 0);
}

Test(port_uring, fills_a_large_block_past_the_pool_and_in_order)
{
    pp_result now;
    (void) uring_open(true);
    bed_stamp(block, BIG, 0);
    uring_widen();
    cr_assert_eq(bed_arm_await(&server, &now), PP_LATER);
    uint32_t sent = bed_write(&uring_bed, &client, block, BIG).bytes;
    cr_assert_gt(sent, 8192);
    cr_assert_eq(bed_await(&uring_bed, &server.read).fault.status, PIPEPORT_OK);
    uint32_t got = bed_read(&uring_bed, &server, room, 100).bytes; /* A part of what the pool holds, */
    got += bed_read(&uring_bed, &server, room + got, BIG).bytes;   /* the rest of it, */
    cr_assert(got > 100 && got < sent);
    while (got < sent) { /* and what the kernel has. */
        cr_assert_eq(bed_arm_read(&server, room + got, BIG - got, &now), PP_NOW);
        cr_assert(now.fault.status == PIPEPORT_OK && now.bytes > 0);
        got += now.bytes;
    }
    cr_assert(bed_is_stamped(room, got, 0));
    uring_settle();
}

/* A burst longer than a buffer of the pool comes in two parts once. From then on it is read as it was sent, until one
 * comes that is short. */
Test(port_uring, reads_together_what_comes_together)
{
    enum { BURST = 6800 };
    pp_result now;
    (void) uring_open(true);
    bed_stamp(block, BURST, 0);
    for (int i = 0; i < 4; i++) {
        uint32_t size = i < 3 ? BURST : 1;
        uint32_t got = 0;
        uint32_t reads = 0;
        cr_assert_eq(bed_arm_await(&server, &now), PP_LATER);
        cr_assert_eq(bed_write(&uring_bed, &client, block, size).bytes, size);
        cr_assert_eq(bed_await(&uring_bed, &server.read).fault.status, PIPEPORT_OK);
        while (got < size) {
            got += bed_read(&uring_bed, &server, room + got, BIG - got).bytes;
            reads++;
        }
        cr_assert_eq(reads, i == 0 ? 2 : 1, "burst %d came in %u parts", i, reads);
        cr_assert(bed_is_stamped(room, size, 0));
    }
    uring_settle();
}

Test(port_uring, frees_with_the_port_what_the_kernel_still_held)
{
    for (int own = 0; own < 2; own++) {
        pp_result now;
        (void) uring_open(own != 0);
        cr_assert_eq(bed_arm_await(&server, &now), PP_LATER);
        cr_assert_eq(bed_arm_await(&client, &now), PP_LATER);
        bed_hears_nothing(&uring_bed); /* Both are with the kernel. */
        pp_pipe_cancel(&server.pipe, &server.read);
        pp_pipe_cancel(&client.pipe, &client.read);
        cr_assert_eq(bed_await(&uring_bed, &server.read).fault.status, PIPEPORT_STOPPED);
        cr_assert_eq(bed_await(&uring_bed, &client.read).fault.status, PIPEPORT_STOPPED);
        uring_settle(); /* Nobody takes any more; it looks whether all memory was given back. */
    }
}

/* Very much is ready, and what handles it is slow, so it asks for one at a time. */
Test(port_uring, does_not_keep_a_write_back_behind_what_is_ready)
{
    enum { MANY = 2 * PP_BATCH_MAX };
    static pp_op ready[MANY];
    pp_completion batch[PP_BATCH_MAX];
    pp_result now;
    (void) uring_open(true);
    for (int i = 0; i < MANY; i++) {
        pp_port_post(uring_bed.port, &ready[i]);
    }
    cr_assert_eq(pp_port_take(uring_bed.port, 0, 0, batch, PP_BATCH_MAX), PP_BATCH_MAX);
    cr_assert_eq(bed_arm_write(&server, "abc", 3, &now), PP_LATER, "it is put off");
    cr_assert_eq(pp_port_take(uring_bed.port, 0, 0, batch, 1), 1);
    cr_assert_eq(recv((int) client.pipe.handle, room, BIG, MSG_DONTWAIT), 3, "and not for longer than that take");
    for (int left = MANY - PP_BATCH_MAX - 1; left > 0; left--) {
        cr_assert_eq(pp_port_take(uring_bed.port, 0, 0, batch, 1), 1);
        cr_assert_neq(batch[0].op, &server.write);
    }
    cr_assert_eq(bed_await(&uring_bed, &server.write).bytes, 3);
    uring_settle();
}

/* ---- A lent ring ---- */

/* Arms a read of the server's and a write of the client's that has to wait, and is gone. */
static void visitor_main(void *argument)
{
    pp_result now;
    pp_completion none;
    LAW(bed_arm_read(&server, room, BIG, &now) == PP_LATER);
    *(uint64_t *) argument = bed_fill(&uring_bed, &server, block, 32768);
    LAW(pp_port_take(uring_bed.port, 0, 0, &none, 1) == 0); /* Now both are with the kernel, in our name. */
}

Test(port_uring, goes_on_with_what_a_thread_had_armed_that_has_ended)
{
    pp_thread visitor;
    uint64_t taken = 0;
    static char other[BIG];
    (void) uring_open(false);
    cr_assert_eq(pp_os_thread_start(&visitor, visitor_main, &taken).status, PIPEPORT_OK);
    pp_os_thread_join(&visitor);
    bed_hears_nothing(&uring_bed); /* The kernel ends its requests with it, and the ring asks again. */
    cr_assert_eq(bed_write(&uring_bed, &client, "abc", 3).bytes, 3);
    pp_result result = bed_await(&uring_bed, &server.read);
    cr_assert(result.fault.status == PIPEPORT_OK && result.bytes == 3 && memcmp(room, "abc", 3) == 0);
    uint64_t got = 0;
    while (!bed_poll(&uring_bed, &server.write, &result)) {
        pp_result read = bed_read(&uring_bed, &client, other, BIG);
        cr_assert(read.fault.status == PIPEPORT_OK && bed_is_stamped(other, read.bytes, got));
        got += read.bytes;
    }
    cr_assert(result.fault.status == PIPEPORT_OK && result.bytes > 0);
    while (got < taken + result.bytes) {
        pp_result read = bed_read(&uring_bed, &client, other, BIG);
        cr_assert(read.fault.status == PIPEPORT_OK && bed_is_stamped(other, read.bytes, got));
        got += read.bytes;
    }
    cr_assert_eq(got, taken + result.bytes);
    uring_settle();
}

Test(port_uring, shows_what_it_holds_to_whoever_runs_what_a_lent_take_brought)
{
    uring_read_what_an_await_has_brought(false);
}
