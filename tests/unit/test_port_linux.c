/* SPDX-License-Identifier: MIT */
/*
 * test_port_linux.c - what only the Linux backend has, seen through its epoll driver: addresses and who owns them, lock
 * files, the peer's end in the edge of its last bytes, a process without descriptors, reads armed by a foreign thread.
 * What every backend must do is in tests/laws.
 */
#define _GNU_SOURCE
#include "engine/port/linux/address.h"
#include "engine/port/linux/epoll/watch.h"
#include "tests/laws/bed.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PORT_PATH_BYTES = PP_ADDRESS_BYTES_MAX + 32 };

static test_bed port_bed;
static bed_end server, client;
static char room[256];
static char folder[64];
static char address[PP_ADDRESS_BYTES_MAX];
static char lock[PORT_PATH_BYTES];

/* Each test has a temporary folder of its own: it is a process of its own. */
static void port_setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/pipeport-%ld-%08x", (long) getpid(), (unsigned) pp_os_jitter());
    cr_assert_eq(mkdir(folder, S_IRWXU), 0);
    cr_assert_eq(setenv("TMPDIR", folder, 1), 0);
    cr_assert_eq(unsetenv("XDG_RUNTIME_DIR"), 0);
    cr_assert_eq(setenv("PIPEPORT_LINUX_DRIVER", "epoll", 1), 0);
    bed_open(&port_bed, 2);
    bed_name(port_bed.name);
    cr_assert_eq(pp_pipe_address(port_bed.name, address), PIPEPORT_OK);
    snprintf(lock, sizeof lock, "%s.lock", address);
    bed_end_init(&port_bed, &server, 0);
    bed_end_init(&port_bed, &client, 0);
}

static void port_teardown(void)
{
    char command[sizeof folder + 16];
    bed_close(&port_bed);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(port_linux, .init = port_setup, .fini = port_teardown, .timeout = 100);

static pp_fault port_listen(pp_ear **ear)
{
    pp_fault fault = pp_ear_open(ear, port_bed.port, &port_bed.memory, port_bed.name, &bed_plan);
    if (fault.status == PIPEPORT_OK) {
        pp_ear_make_room(*ear, BED_ROOM);
    }
    return fault;
}

static bool port_is_there(const char *path, mode_t type, mode_t access)
{
    struct stat is;
    return lstat(path, &is) == 0 && (is.st_mode & S_IFMT) == type && (is.st_mode & ACCESSPERMS) == access;
}

static void port_directory(char directory[PORT_PATH_BYTES])
{
    snprintf(directory, PORT_PATH_BYTES, "%s/pipeport-%lu", folder, (unsigned long) geteuid());
}

/* A socket of somebody who does not know our lock. */
static int port_foreign_socket(int backlog)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, address, strlen(address) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (const struct sockaddr *) &at, sizeof at), 0);
    cr_assert_eq(listen(fd, backlog), 0);
    return fd;
}

/* ---- Addresses -------------------------------------------------------------------------------------------------- */

Test(port_linux, refuses_names_that_are_no_file_names_or_no_utf8)
{
    static const char *const wrong[] = {
        "",     ".",        "..",           "a/b",      "a\\b",     "a\nb",         "\x7f",
        "\xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82", "\xe0\x80", "\xf0\x80\x80", "\xf4\x90\x80\x80",
        "/",    "/tmp/x/"};
    char spelled[PP_ADDRESS_BYTES_MAX];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_assert_eq(pp_pipe_address(wrong[i], spelled), PIPEPORT_INVALID, "name %zu", i);
    }
    cr_assert_eq(pp_pipe_address(NULL, spelled), PIPEPORT_INVALID);
    cr_assert_eq(pp_pipe_address("...", spelled), PIPEPORT_OK);
    cr_assert_eq(pp_pipe_address("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", spelled), PIPEPORT_OK);
}

Test(port_linux, takes_an_absolute_path_as_it_is_up_to_what_a_socket_holds)
{
    char name[109], spelled[PP_ADDRESS_BYTES_MAX];
    memset(name, 'x', sizeof name);
    name[0] = '/';
    name[107] = '\0';
    cr_assert_eq(pp_pipe_address(name, spelled), PIPEPORT_OK);
    cr_assert_str_eq(spelled, name);
    name[107] = 'x';
    name[108] = '\0';
    cr_assert_eq(pp_pipe_address(name, spelled), PIPEPORT_INVALID);
    cr_assert_eq(pp_pipe_address(name + 1, spelled), PIPEPORT_INVALID);
}

Test(port_linux, prefers_the_runtime_folder_if_it_is_there)
{
    char expected[PORT_PATH_BYTES], spelled[PP_ADDRESS_BYTES_MAX];
    setenv("XDG_RUNTIME_DIR", "/nowhere/at/all", 1);
    cr_assert_eq(pp_pipe_address(port_bed.name, spelled), PIPEPORT_OK);
    cr_assert_str_eq(spelled, address);
    setenv("XDG_RUNTIME_DIR", folder, 1);
    snprintf(expected, sizeof expected, "%s/pipeport/%s", folder, port_bed.name);
    cr_assert_eq(pp_pipe_address(port_bed.name, spelled), PIPEPORT_OK);
    cr_assert_str_eq(spelled, expected);
}

Test(port_linux, makes_folder_and_socket_for_the_user_alone)
{
    char directory[PORT_PATH_BYTES];
    port_directory(directory);
    umask(0);
    cr_assert_eq(port_listen(&port_bed.ear).status, PIPEPORT_OK);
    cr_assert(port_is_there(directory, S_IFDIR, S_IRWXU));
    cr_assert(port_is_there(address, S_IFSOCK, S_IRUSR | S_IWUSR));
    cr_assert(port_is_there(lock, S_IFREG, S_IRUSR | S_IWUSR));
}

Test(port_linux, trusts_no_folder_that_others_can_enter)
{
    char directory[PORT_PATH_BYTES];
    pp_ear *ear = NULL;
    port_directory(directory);
    cr_assert_eq(pp_address_secure(port_bed.name, false).status, PIPEPORT_NO_SERVER);
    cr_assert_eq(mkdir(directory, S_IRWXU), 0);
    cr_assert_eq(chmod(directory, S_IRWXU | S_IXGRP), 0);
    cr_assert_eq(port_listen(&ear).status, PIPEPORT_DENIED);
    cr_assert_eq(bed_dial(&client, port_bed.name, 0).status, PIPEPORT_DENIED);
    cr_assert_eq(rmdir(directory), 0);
    cr_assert_eq(symlink("/", directory), 0);
    cr_assert_eq(port_listen(&ear).status, PIPEPORT_DENIED);
    cr_assert_eq(bed_dial(&client, port_bed.name, 0).status, PIPEPORT_DENIED);
}

/* ---- Who serves a name ------------------------------------------------------------------------------------------ */

Test(port_linux, reclaims_the_name_of_a_process_that_died)
{
    pid_t child = fork();
    if (child == 0) {
        _exit((int) port_listen(&port_bed.ear).status);
    }
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    cr_assert(port_is_there(address, S_IFSOCK, S_IRUSR | S_IWUSR));
    cr_assert_eq(bed_dial(&client, port_bed.name, 0).status, PIPEPORT_NO_SERVER);
    cr_assert_eq(port_listen(&port_bed.ear).status, PIPEPORT_OK);
    cr_assert_eq(bed_dial(&client, port_bed.name, 0).status, PIPEPORT_OK);
    bed_end_close(&client);
}

/* Lives on with all that its parent had open but the lock, until the other end is closed: as an io_uring does. It says
 * when it has let go of the lock. */
static void port_hold_the_socket(int end)
{
    char link[32], path[PORT_PATH_BYTES], byte;
    for (int file = 3; file < 256; file++) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t bytes = readlink(link, path, sizeof path - 1);
        path[bytes > 0 ? bytes : 0] = '\0';
        if (strcmp(path, lock) == 0) {
            close(file);
        }
    }
    _exit(write(end, "", 1) == 1 && read(end, &byte, 1) == 0 ? 0 : 1);
}

Test(port_linux, reclaims_the_name_of_a_process_whose_socket_outlives_it)
{
    int ends[2], status = -1;
    char byte;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        pipeport_status listening = port_listen(&port_bed.ear).status;
        if (listening == PIPEPORT_OK && fork() == 0) {
            port_hold_the_socket(ends[0]);
        }
        _exit((int) listening);
    }
    close(ends[0]);
    cr_assert(waitpid(child, &status, 0) == child && status == 0);
    cr_assert_eq(read(ends[1], &byte, 1), 1);
    cr_assert_eq(bed_dial(&client, port_bed.name, 0).status, PIPEPORT_OK, "the socket lives");
    bed_end_close(&client);
    bed_end_init(&port_bed, &client, 0);
    cr_assert_eq(port_listen(&port_bed.ear).status, PIPEPORT_OK);
    close(ends[1]);
}

Test(port_linux, leaves_nothing_behind)
{
    pp_ear *ear = NULL;
    cr_assert_eq(port_listen(&ear).status, PIPEPORT_OK);
    pp_ear_close(ear);
    cr_assert_eq(access(address, F_OK), -1);
    cr_assert_eq(access(lock, F_OK), -1);
}

/* So many more descriptors are to be had. */
static void port_leave_files(uint32_t count)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int next = fcntl(0, F_DUPFD_CLOEXEC, 0);
    cr_assert_geq(next, 0);
    close(next);
    limit.rlim_cur = count < limit.rlim_max - (rlim_t) next ? (rlim_t) next + count : limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Listens with one descriptor more each time, until there are enough. Answers how many times it failed. */
static uint32_t port_listen_at_last(const char *name, const pp_plan *plan, bool stale)
{
    uint32_t handles = system_handles();
    uint64_t memory_bytes = atomic_load(&port_bed.memory.bytes);
    for (uint32_t count = 0; count < 20; count++) {
        if (stale && access(address, F_OK) != 0) {
            close(port_foreign_socket(1));
        }
        port_leave_files(count);
        pp_fault fault = pp_ear_open(&port_bed.ear, port_bed.port, &port_bed.memory, name, plan);
        port_leave_files(UINT32_MAX);
        if (fault.status == PIPEPORT_OK) {
            return count;
        }
        cr_assert_eq(fault.system_code, EMFILE, "%u left: status %d, code %d", count, fault.status, fault.system_code);
        cr_assert_eq(system_handles(), handles, "%u left", count);
        cr_assert_eq(atomic_load(&port_bed.memory.bytes), memory_bytes, "%u left", count);
        cr_assert_neq(access(lock, F_OK), 0, "%u left", count);
        cr_assert(stale || access(address, F_OK) != 0, "%u left", count);
    }
    return 0;
}

Test(port_linux, leaves_nothing_behind_where_it_fails)
{
    cr_assert_eq(pp_address_secure(port_bed.name, true).status, PIPEPORT_OK);
    for (int i = 0; i < 4; i++) {
        pp_plan plan = i % 2 == 0 ? bed_plan : bed_whole_plan;
        plan.access = i < 2 ? PP_ACCESS_OWNER : PP_ACCESS_LOCAL_USERS;
        cr_assert_geq(port_listen_at_last(i < 2 ? port_bed.name : address, &plan, i % 2 == 1), 2);
        pp_ear_close(port_bed.ear);
        port_bed.ear = NULL;
    }
}

Test(port_linux, takes_no_socket_from_a_server_without_a_lock)
{
    pp_ear *ear = NULL;
    cr_assert_eq(pp_address_secure(port_bed.name, true).status, PIPEPORT_OK);
    int foreign = port_foreign_socket(4);
    cr_assert_eq(port_listen(&ear).status, PIPEPORT_NAME_TAKEN);
    cr_assert_eq(access(lock, F_OK), -1);
    close(foreign);
    cr_assert_eq(port_listen(&port_bed.ear).status, PIPEPORT_OK);
}

Test(port_linux, removes_no_socket_that_has_taken_the_place_of_its_own)
{
    pp_ear *ear = NULL;
    cr_assert_eq(port_listen(&ear).status, PIPEPORT_OK);
    cr_assert_eq(unlink(address), 0);
    int foreign = port_foreign_socket(4), file = open(lock, O_RDWR | O_CLOEXEC);
    cr_assert(unlink(lock) == 0 && close(file) == 0);
    file = open(lock, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    pp_ear_close(ear);
    cr_assert(port_is_there(lock, S_IFREG, S_IRUSR | S_IWUSR));
    cr_assert_eq(access(address, F_OK), 0);
    cr_assert_eq(bed_dial(&client, port_bed.name, 0).status, PIPEPORT_OK);
    bed_end_close(&client);
    cr_assert(close(foreign) == 0 && close(file) == 0);
    cr_assert_eq(port_listen(&port_bed.ear).status, PIPEPORT_OK);
}

Test(port_linux, removes_nothing_that_is_no_socket)
{
    pp_ear *ear = NULL;
    cr_assert_eq(pp_address_secure(port_bed.name, true).status, PIPEPORT_OK);
    int file = open(address, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
    cr_assert_geq(file, 0);
    cr_assert_eq(port_listen(&ear).status, PIPEPORT_NAME_TAKEN);
    cr_assert(port_is_there(address, S_IFREG, S_IRUSR | S_IWUSR));
    close(file);
}

Test(port_linux, removes_nothing_that_is_no_lock)
{
    pp_ear *ear = NULL;
    char elsewhere[PORT_PATH_BYTES + 8], text[8] = "";
    cr_assert_eq(pp_address_secure(port_bed.name, true).status, PIPEPORT_OK);
    int file = open(lock, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    cr_assert_eq(write(file, "mine", 4), 4);
    cr_assert_eq(port_listen(&ear).status, PIPEPORT_NAME_TAKEN);
    cr_assert(pread(file, text, sizeof text, 0) == 4 && strcmp(text, "mine") == 0);
    cr_assert(port_is_there(lock, S_IFREG, S_IRUSR | S_IWUSR));
    cr_assert_eq(close(file), 0);
    snprintf(elsewhere, sizeof elsewhere, "%s.file", lock);
    cr_assert_eq(rename(lock, elsewhere), 0);
    cr_assert_eq(symlink(elsewhere, lock), 0);
    cr_assert_eq(port_listen(&ear).status, PIPEPORT_NAME_TAKEN);
    cr_assert(unlink(lock) == 0 && mkdir(lock, S_IRWXU) == 0);
    cr_assert_eq(port_listen(&ear).status, PIPEPORT_NAME_TAKEN);
    cr_assert(rmdir(lock) == 0 && mkfifo(lock, S_IRUSR | S_IWUSR) == 0);
    cr_assert_eq(port_listen(&ear).status, PIPEPORT_NAME_TAKEN);
    cr_assert(port_is_there(lock, S_IFIFO, S_IRUSR | S_IWUSR) && access(address, F_OK) != 0);
    cr_assert(unlink(lock) == 0 && unlink(elsewhere) == 0);
    cr_assert_eq(port_listen(&port_bed.ear).status, PIPEPORT_OK);
}

Test(port_linux, says_busy_when_the_backlog_is_full)
{
    cr_assert_eq(pp_address_secure(port_bed.name, true).status, PIPEPORT_OK);
    int foreign = port_foreign_socket(0);
    cr_assert_eq(pp_pipe_dial(&client.pipe, port_bed.name, &bed_plan, 0).status, PIPEPORT_OK);
    pp_fault fault = pp_pipe_dial(&server.pipe, port_bed.name, &bed_plan, 0);
    cr_assert_eq(fault.status, PIPEPORT_BUSY);
    cr_assert_eq(fault.system_code, EAGAIN);
    bed_end_close(&client);
    close(foreign);
}

Test(port_linux, tells_a_listener_without_a_folder_from_a_client_without_a_server)
{
    pp_ear *ear = NULL;
    pp_fault fault = pp_ear_open(&ear, port_bed.port, &port_bed.memory, "/nowhere/at/all", &bed_plan);
    cr_assert_eq(fault.status, PIPEPORT_SYSTEM);
    cr_assert_eq(fault.system_code, ENOENT);
    cr_assert_eq(bed_dial(&client, "/nowhere/at/all", 0).status, PIPEPORT_NO_SERVER);
}

/* ---- Edges ------------------------------------------------------------------------------------------------------ */

Test(port_linux, hears_of_an_end_that_came_in_one_edge_with_the_last_bytes)
{
    pp_result now;
    pp_completion none;
    cr_assert_eq(port_listen(&port_bed.ear).status, PIPEPORT_OK);
    bed_pair(&port_bed, &server, &client);
    cr_assert_eq(bed_write(&port_bed, &client, "0123456789", 10).bytes, 10);
    bed_end_close(&client);
    while (pp_port_take(port_bed.port, 0, 10, &none, 1) != 0) { /* The edge comes while nothing is armed. */
        cr_assert_fail("nothing is armed");
    }
    cr_assert_eq(bed_arm_read(&server, room, sizeof room, &now), PP_NOW);
    cr_assert_eq(now.bytes, 10);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(bed_arm_read(&server, room, sizeof room, &now), PP_NOW);
        cr_assert_eq(now.fault.status, PIPEPORT_GONE);
    }
    bed_end_close(&server);
}

Test(port_linux, a_write_that_waits_takes_what_an_operation_has_room_for)
{
    enum { PIECE = 8 };
    static unsigned char block[65536];
    pp_slice slices[PP_SLICES_MAX];
    pp_result result;
    cr_assert_eq(port_listen(&port_bed.ear).status, PIPEPORT_OK);
    bed_pair(&port_bed, &server, &client);
    (void) bed_fill(&port_bed, &client, block, sizeof block); /* One write pends. */
    pp_pipe_cancel(&client.pipe, &client.write);
    cr_assert_eq(bed_await(&port_bed, &client.write).fault.status, PIPEPORT_STOPPED);
    for (int i = 0; i < PP_SLICES_MAX; i++) {
        slices[i] = (pp_slice){block, PIECE};
    }
    cr_assert_eq(pp_pipe_write(&client.pipe, slices, PP_SLICES_MAX, &client.write, &result), PP_LATER);
    while (!bed_poll(&port_bed, &client.write, &result)) {
        (void) bed_read(&port_bed, &server, room, sizeof room);
    }
    cr_assert_eq(result.fault.status, PIPEPORT_OK);
    cr_assert_eq(result.bytes, PP_ROOM_SLICES * PIECE);
    bed_end_close(&client);
    bed_end_close(&server);
}

Test(port_linux, an_accept_without_descriptors_fails_alone_and_the_next_finds_the_client)
{
    struct rlimit before, none;
    bed_end other;
    pp_result now;
    cr_assert_eq(port_listen(&port_bed.ear).status, PIPEPORT_OK);
    bed_end_init(&port_bed, &other, 0);
    cr_assert_eq(pp_pipe_accept(&server.pipe, port_bed.ear, &server.accept, &now), PP_LATER);
    cr_assert_eq(pp_pipe_accept(&other.pipe, port_bed.ear, &other.accept, &now), PP_LATER);
    cr_assert_eq(bed_dial(&client, port_bed.name, 0).status, PIPEPORT_OK);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    now = bed_await(&port_bed, &server.accept);
    cr_assert_eq(now.fault.status, PIPEPORT_SYSTEM);
    cr_assert_eq(now.fault.system_code, EMFILE);
    cr_assert_eq(pp_pipe_accept(&server.pipe, port_bed.ear, &server.accept, &now), PP_NOW);
    cr_assert_eq(now.fault.system_code, EMFILE);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_assert_eq(pp_pipe_accept(&server.pipe, port_bed.ear, &server.accept, &now), PP_NOW);
    cr_assert_eq(now.fault.status, PIPEPORT_OK);
    pp_pipe_cancel(&other.pipe, &other.accept);
    cr_assert_eq(bed_await(&port_bed, &other.accept).fault.status, PIPEPORT_STOPPED);
    bed_end_close(&client);
    bed_end_close(&server);
}

/* ---- A foreign thread arms, its home drains, and each read ends once -------------------------------------------- */

static _Atomic uint64_t reads_home, bytes_home;

static void port_read_done(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    (void) drainer;
    atomic_fetch_add(&bytes_home, result.fault.status == PIPEPORT_OK ? result.bytes : 0);
    atomic_fetch_add(&reads_home, 1);
}

Test(port_linux, a_read_armed_by_a_foreign_thread_loses_neither_bytes_nor_a_cancel)
{
    enum { ROUNDS = 20000, WAITING_MAX = 9 }; /* The pipe is never full. */
    uint64_t sent = 0, got = 0;
    uint32_t dice = 5;
    pp_result now;
    cr_assert_eq(port_listen(&port_bed.ear).status, PIPEPORT_OK);
    bed_pair(&port_bed, &server, &client);
    server.read.done = port_read_done;
    bed_start(&port_bed);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        dice = dice * 1664525u + 1013904223u;
        for (uint32_t i = (dice >> 28) % 3; i > 0 && sent < got + atomic_load(&bytes_home) + WAITING_MAX; i--) {
            cr_assert_eq(bed_arm_write(&client, "xyz", 3, &now), PP_NOW);
            sent += now.bytes;
        }
        while (bed_arm_read(&server, room, 1 + (dice >> 20) % 8, &now) == PP_NOW) {
            cr_assert_eq(now.fault.status, PIPEPORT_OK);
            got += now.bytes;
        }
        if (sent == got + atomic_load(&bytes_home) || (dice >> 24) % 2 == 0) { /* Else the bytes end it. */
            pp_pipe_cancel(&server.pipe, &server.read);
        }
        while (atomic_load(&reads_home) == round) { /* A lost one ends by the test's time-out. */
            sched_yield();
        }
    }
    bed_stop(&port_bed);
    while (got + atomic_load(&bytes_home) < sent) {
        now = bed_read(&port_bed, &server, room, sizeof room);
        cr_assert_eq(now.fault.status, PIPEPORT_OK);
        got += now.bytes;
    }
    cr_assert_eq(got + atomic_load(&bytes_home), sent);
    bed_end_close(&client);
    bed_end_close(&server);
}
