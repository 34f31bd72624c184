/* SPDX-License-Identifier: MIT */
/*
 * test_backlog.c - how many the kernel lets into the queue of a listening socket, against how many there is room for.
 */
#define _GNU_SOURCE
#include "engine/port/linux/backlog.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MANY = 600 };

static pp_backlog backlog;
static char address[64];
static int clients[MANY], taken[MANY];
static uint32_t clients_count, taken_count;

static void backlog_setup(void)
{
    snprintf(address, sizeof address, "/tmp/pipeport-backlog-%ld", (long) getpid());
    cr_assert_eq(pp_backlog_open(&backlog, address, &(pp_plan){.in_bytes = 4096, .out_bytes = 4096}).status,
                 PIPEPORT_OK);
}

static void backlog_teardown(void)
{
    while (clients_count > 0) {
        close(clients[--clients_count]);
    }
    while (taken_count > 0) {
        close(taken[--taken_count]);
    }
    pp_backlog_close(&backlog);
    unlink(address);
}

TestSuite(backlog, .init = backlog_setup, .fini = backlog_teardown, .timeout = 100);

/* A client's socket, or -1: there is no room in the queue. */
static int backlog_connect(int flags)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strcpy(to.sun_path, address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    cr_assert_geq(fd, 0);
    if (connect(fd, (const struct sockaddr *) &to, sizeof to) != 0) {
        cr_assert_eq(errno, EAGAIN);
        close(fd);
        return -1;
    }
    return fd;
}

static bool backlog_come(void)
{
    int fd = backlog_connect(SOCK_NONBLOCK);
    if (fd >= 0) {
        clients[clients_count++] = fd;
    }
    return fd >= 0;
}

/* As many as are let in. */
static uint32_t backlog_fill(void)
{
    uint32_t before = clients_count;
    for (int fd; (fd = backlog_connect(SOCK_NONBLOCK)) >= 0; clients_count++) {
        cr_assert_lt(clients_count, MANY - 1);
        clients[clients_count] = fd;
    }
    return clients_count - before;
}

/* The oldest, who must be there, and who is the client of this number. */
static void backlog_take(uint32_t number)
{
    pp_fault fault;
    char sent = (char) number, got = 0;
    int fd = pp_backlog_take(&backlog, SOCK_CLOEXEC, &fault);
    cr_assert_geq(fd, 0, "client %u: status %d, system code %d", number, fault.status, fault.system_code);
    taken[taken_count++] = fd;
    cr_assert_eq(write(clients[number], &sent, 1), 1);
    cr_assert_eq(read(fd, &got, 1), 1);
    cr_assert_eq(got, sent);
}

static void backlog_finds_nobody(void)
{
    pp_fault fault;
    cr_assert_eq(pp_backlog_take(&backlog, SOCK_CLOEXEC, &fault), -1);
    cr_assert_eq(fault.status, PIPEPORT_BUSY);
}

static void backlog_leave_all_files(void)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* So many descriptors are to be had. */
static void backlog_leave_files(uint32_t count)
{
    struct rlimit limit;
    backlog_leave_all_files();
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int next = fcntl(backlog.fd, F_DUPFD_CLOEXEC, 0);
    cr_assert_geq(next, 0);
    close(next);
    limit.rlim_cur = (rlim_t) next + count;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

Test(backlog, lets_nobody_in_for_whom_there_is_no_room)
{
    static const uint32_t rooms[] = {1, 2, 3, 4, 5, 8, 100, 255};
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        uint32_t room = rooms[i], in = 0, first = clients_count = 0;
        pp_backlog_make_room(&backlog, room);
        for (uint32_t served = 0; served < room; served++) {
            in += backlog_fill();
            cr_assert_gt(in, served, "room for %u: somebody comes as long as there is room", room);
            cr_assert_leq(in, room);
            backlog_take(first + served);
        }
        cr_assert_eq(in, room);
        cr_assert_eq(backlog_fill(), 0, "room for %u", room);
        while (clients_count > 0) {
            close(clients[--clients_count]);
            close(taken[--taken_count]);
        }
    }
}

Test(backlog, keeps_its_length_below_the_room_whatever_comes)
{
    uint32_t dice = 7, served = 0;
    for (int i = 0; i < 3000; i++) {
        dice = dice * 1664525u + 1013904223u;
        switch ((dice >> 24) % 4) {
        case 0:
            if (backlog.room < 40 && served + backlog.room < MANY - 50) {
                pp_backlog_make_room(&backlog, 1 + (dice >> 16) % 3);
            }
            break;
        case 1:
            if (clients_count < MANY - 50) {
                (void) backlog_come();
            }
            break;
        default:
            if (backlog.room > 0 && served < clients_count) {
                backlog_take(served++);
            } else if (backlog.room > 0) {
                backlog_finds_nobody();
            }
        }
        cr_assert(backlog.length == 1 || backlog.length < backlog.room);
        cr_assert_leq(clients_count - served, backlog.room > 1 ? backlog.room : 1, "at %d", i);
        cr_assert(backlog.room > 0 || backlog.plugged || clients_count - served == 1);
        cr_assert(backlog.room < 2 || (backlog.plug < 0 && !backlog.plugged));
    }
    cr_assert_gt(served, 200);
}

Test(backlog, asks_the_system_for_nothing_far_from_its_bound)
{
    pp_backlog_make_room(&backlog, 1000);
    uint32_t length = backlog.length;
    cr_assert_geq(length, 750);
    for (uint32_t i = 0; i < 200; i++) {
        cr_assert(backlog_come());
        backlog_take(i);
        cr_assert_eq(backlog.length, length);
        cr_assert_eq(backlog.plug, -1);
    }
    pp_backlog_make_room(&backlog, 200);
    cr_assert_eq(backlog.length, length);
}

/* The plug that cannot be made stands for a client that is faster than it. */
Test(backlog, has_in_one_who_slips_through_the_plug_that_keeps_out_the_next)
{
    cr_assert(backlog.room == 0 && !backlog.plugged);
    pp_backlog_make_room(&backlog, 1);
    cr_assert(backlog_come());
    backlog_leave_files(1);
    backlog_take(0);
    backlog_leave_all_files();
    cr_assert_not(backlog.plugged);
    cr_assert_eq(backlog_fill(), 1);
    for (uint32_t i = 1; i < 20; i++) {
        pp_backlog_make_room(&backlog, 1);
        cr_assert_eq(backlog_fill(), 0);
        backlog_take(i);
        cr_assert(backlog.plugged);
        cr_assert_eq(backlog_fill(), 0);
        pp_backlog_make_room(&backlog, 1);
        cr_assert(backlog_come());
        backlog_leave_files(1);
        backlog_take(++i);
        backlog_leave_all_files();
        cr_assert_eq(backlog_fill(), 1);
    }
}

Test(backlog, has_no_plug_at_hand_where_it_needs_none)
{
    pp_backlog_make_room(&backlog, 1);
    backlog_finds_nobody();
    cr_assert_geq(backlog.plug, 0);
    pp_backlog_make_room(&backlog, 1);
    cr_assert_eq(backlog.plug, -1);
    for (uint32_t i = 0; i < 2; i++) {
        cr_assert(backlog_come());
        backlog_take(i);
    }
    cr_assert(backlog.room == 0 && backlog.plugged);
    pp_backlog_make_room(&backlog, 2);
    cr_assert_eq(backlog.plug, -1);
    cr_assert(backlog_come());
    backlog_take(2);
    cr_assert(backlog_come());
    backlog_leave_files(1);
    backlog_take(3); /* As if somebody were faster than the plug; who comes is the one that slips through. */
    backlog_leave_all_files();
    cr_assert_eq(backlog_fill(), 1);
    pp_backlog_make_room(&backlog, 2);
    cr_assert_eq(backlog.plug, -1);
    backlog_take(4);
}

Test(backlog, gives_the_last_descriptor_to_a_client_rather_than_to_a_plug)
{
    pp_fault fault;
    pp_backlog_make_room(&backlog, 1);
    cr_assert(backlog_come());
    backlog_leave_files(0);
    cr_assert_eq(pp_backlog_take(&backlog, SOCK_CLOEXEC, &fault), -1);
    cr_assert_eq(fault.system_code, EMFILE);
    cr_assert_eq(backlog.room, 1);
    backlog_leave_files(1);
    backlog_take(0);
    cr_assert_eq(backlog.room, 0);
}

Test(backlog, pulls_the_plug_though_there_are_no_descriptors)
{
    pp_backlog_make_room(&backlog, 1);
    cr_assert(backlog_come());
    backlog_take(0);
    cr_assert(backlog.plugged);
    backlog_leave_files(0); /* What our end of it had is enough for the other. */
    pp_backlog_make_room(&backlog, 1);
    cr_assert_not(backlog.plugged);
    backlog_leave_all_files();
    cr_assert_eq(backlog_fill(), 1);
    backlog_take(1);
}

Test(backlog, tries_again_to_pull_a_plug)
{
    pp_fault fault;
    pp_backlog_make_room(&backlog, 1);
    cr_assert(backlog_come());
    backlog_take(0);
    struct rlimit none, before;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    pp_backlog_make_room(&backlog, 1);
    cr_assert(backlog.plugged);
    cr_assert_eq(pp_backlog_take(&backlog, SOCK_CLOEXEC, &fault), -1);
    cr_assert_eq(fault.system_code, EMFILE);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_assert_eq(backlog_fill(), 0);
    backlog_finds_nobody();
    cr_assert_not(backlog.plugged);
    cr_assert_eq(backlog_fill(), 1);
    backlog_take(1);
}

static atomic_int blocked_in;

static void *backlog_block(void *argument)
{
    *(int *) argument = backlog_connect(0);
    atomic_fetch_add(&blocked_in, 1);
    return NULL;
}

/* A stranger's connect() may block: it is woken when there is room. */
Test(backlog, wakes_who_waits_inside_of_connect)
{
    enum { WAITING = 6 };
    pthread_t threads[WAITING];
    int fds[WAITING];
    pp_fault fault;
    pp_backlog_make_room(&backlog, 1);
    cr_assert(backlog_come());
    backlog_take(0);
    for (int i = 0; i < WAITING; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, backlog_block, &fds[i]), 0);
    }
    for (int served = 0; served < WAITING; served++) {
        pp_backlog_make_room(&backlog, 1);
        int fd;
        while ((fd = pp_backlog_take(&backlog, SOCK_CLOEXEC, &fault)) < 0) {
            cr_assert_eq(fault.status, PIPEPORT_BUSY);
            sched_yield();
        }
        taken[taken_count++] = fd;
        cr_assert_leq(atomic_load(&blocked_in), served + 2);
    }
    for (int i = 0; i < WAITING; i++) {
        pthread_join(threads[i], NULL);
        cr_assert_geq(fds[i], 0);
        close(fds[i]);
    }
}
