/* SPDX-License-Identifier: MIT */
/*
 * test_port_linux_plan.c - what Linux makes of a plan: who may connect, what a peer without the library meets on a pipe
 * that goes one way, sockets of the wrong type, and what a plan lacks here. On both drivers.
 */
#define _GNU_SOURCE
#include "tests/laws/bed.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PLAN_NOBODY = 65534, PLAN_GROUP = 4242 };

static test_bed plan_bed;
static bed_end server;
static raw_client foreign;
static char folder[64], path[PP_NAME_BYTES_MAX];

/* A folder of its own that all may enter, and a name in it. */
static void plan_setup(void)
{
    bed_open_own(&plan_bed, 1);
    snprintf(folder, sizeof folder, "/tmp/pipeport-%ld-%08x", (long) getpid(), (unsigned) pp_os_jitter());
    cr_assert(mkdir(folder, S_IRWXU) == 0 && chmod(folder, 0755) == 0);
    snprintf(path, sizeof path, "%s/pipe", folder);
    bed_end_init(&plan_bed, &server, 0);
}

static void plan_teardown(void)
{
    if (server.pipe.handle != PP_PIPE_CLOSED) {
        bed_end_close(&server);
    }
    bed_close(&plan_bed);
    cr_assert_eq(rmdir(folder), 0, "something was left behind");
}

TestSuite(port_linux_plan, .init = plan_setup, .fini = plan_teardown, .timeout = 100);

static pp_fault plan_listen(const char *name, const pp_plan *plan)
{
    pp_fault fault = pp_ear_open(&plan_bed.ear, plan_bed.port, &plan_bed.memory, name, plan);
    if (fault.status == PIPEPORT_OK) {
        pp_ear_make_room(plan_bed.ear, BED_ROOM);
    }
    return fault;
}

/* What a process of this user and group hears that connects: 0 or an errno. */
static int plan_connect_as(uid_t user, gid_t group, int type)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        raw_client client;
        int code = setgroups(0, NULL) == 0 && setgid(group) == 0 && setuid(user) == 0 ? 0 : 255;
        errno = 0;
        if (code == 0 && !(type == SOCK_STREAM ? raw_connect(&client, path) : raw_connect_whole(&client, path))) {
            code = errno;
        }
        _exit(code);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) != 255);
    return WEXITSTATUS(status);
}

static mode_t plan_mode(struct stat *is)
{
    cr_assert_eq(stat(path, is), 0);
    return is->st_mode & ACCESSPERMS;
}

static void plan_need_root(void)
{
    if (geteuid() != 0) {
        cr_skip_test("only root can be somebody else");
    }
}

Test(port_linux_plan, lets_nobody_else_in_unless_it_says_so)
{
    struct stat is;
    plan_need_root();
    cr_assert_eq(plan_listen(path, &bed_plan).status, PIPEPORT_OK);
    cr_assert_eq(plan_mode(&is), 0600);
    cr_assert_eq(plan_connect_as(PLAN_NOBODY, PLAN_NOBODY, SOCK_STREAM), EACCES);
}

Test(port_linux_plan, lets_local_users_in_whatever_the_umask_is)
{
    struct stat is;
    pp_plan plan = bed_whole_plan;
    plan.access = PP_ACCESS_LOCAL_USERS;
    plan_need_root();
    umask(0077);
    cr_assert_eq(plan_listen(path, &plan).status, PIPEPORT_OK);
    cr_assert_eq(plan_mode(&is), 0666);
    cr_assert_eq(plan_connect_as(PLAN_NOBODY, PLAN_NOBODY, SOCK_SEQPACKET), 0);
}

Test(port_linux_plan, lets_a_group_in_and_nobody_else)
{
    struct stat is;
    pp_plan plan = bed_plan;
    plan.access = PP_ACCESS_GROUP;
    plan.group = PLAN_GROUP;
    plan_need_root();
    cr_assert_eq(plan_listen(path, &plan).status, PIPEPORT_OK);
    cr_assert_eq(plan_mode(&is), 0660);
    cr_assert_eq(is.st_gid, PLAN_GROUP);
    cr_assert_eq(plan_connect_as(PLAN_NOBODY, PLAN_GROUP, SOCK_STREAM), 0);
    cr_assert_eq(plan_connect_as(PLAN_NOBODY, PLAN_NOBODY, SOCK_STREAM), EACCES);
}

Test(port_linux_plan, gives_no_group_of_which_the_server_is_no_member)
{
    int status;
    plan_need_root();
    cr_assert_eq(chmod(folder, 0777), 0);
    pid_t child = fork();
    if (child == 0) {
        pp_plan plan = bed_plan;
        plan.access = PP_ACCESS_GROUP;
        plan.group = PLAN_GROUP;
        bool is_other = setgroups(0, NULL) == 0 && setgid(PLAN_NOBODY) == 0 && setuid(PLAN_NOBODY) == 0;
        pp_fault fault = plan_listen(path, &plan);
        bool is_denied = fault.status == PIPEPORT_DENIED && fault.system_code == EPERM;
        _exit(is_other && is_denied && access(path, F_OK) != 0 ? 0 : 1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

Test(port_linux_plan, lets_others_in_only_where_the_name_is_a_path)
{
    pp_plan plan = bed_plan;
    bed_name(plan_bed.name);
    plan.access = PP_ACCESS_LOCAL_USERS;
    cr_assert_eq(plan_listen(plan_bed.name, &plan).status, PIPEPORT_INVALID);
    plan.access = PP_ACCESS_GROUP;
    plan.group = getegid();
    cr_assert_eq(plan_listen(plan_bed.name, &plan).status, PIPEPORT_INVALID);
    cr_assert_eq(plan_listen(path, &plan).status, PIPEPORT_OK);
}

Test(port_linux_plan, names_a_peer_of_another_user)
{
    char uid[16];
    int to_child[2];
    pp_result now;
    pipeport_peer peer;
    pp_plan plan = bed_plan;
    plan.access = PP_ACCESS_LOCAL_USERS;
    plan_need_root();
    cr_assert_eq(pipe2(to_child, O_CLOEXEC), 0);
    cr_assert_eq(plan_listen(path, &plan).status, PIPEPORT_OK);
    cr_assert_eq(pp_pipe_accept(&server.pipe, plan_bed.ear, &server.accept, &now), PP_LATER);
    pid_t child = fork();
    if (child == 0) { /* It becomes nobody for its connect alone: who it is later does not count. */
        char byte;
        bool connects = seteuid(PLAN_NOBODY) == 0 && raw_connect(&foreign, path) && seteuid(0) == 0;
        _exit(connects && read(to_child[0], &byte, 1) == 1 ? 0 : 1);
    }
    cr_assert_eq(bed_await(&plan_bed, &server.accept).fault.status, PIPEPORT_OK);
    cr_assert_eq(pp_pipe_peer(&server.pipe, true, &peer).status, PIPEPORT_OK);
    cr_assert_eq(peer.process_id, (uint32_t) child);
    cr_assert_eq(peer.session_id, (uint32_t) getsid(0));
    snprintf(uid, sizeof uid, "%d", PLAN_NOBODY);
    cr_assert_str_eq(peer.user, uid);
    int status;
    cr_assert_eq(write(to_child[1], "x", 1), 1);
    cr_assert(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 0);
    cr_assert_eq(pp_pipe_peer(&server.pipe, true, &peer).status, PIPEPORT_OK);
    cr_assert(peer.process_id == (uint32_t) child && peer.session_id == 0 && strcmp(peer.user, uid) == 0);
}

/* A client that knows of no plan, connected with `server`. */
static void plan_meet(const pp_plan *plan)
{
    pp_result now;
    cr_assert_eq(plan_listen(path, plan).status, PIPEPORT_OK);
    cr_assert_eq(pp_pipe_accept(&server.pipe, plan_bed.ear, &server.accept, &now), PP_LATER);
    cr_assert(plan->whole ? raw_connect_whole(&foreign, path) : raw_connect(&foreign, path));
    cr_assert_eq(bed_await(&plan_bed, &server.accept).fault.status, PIPEPORT_OK);
}

static void plan_fails_to_write(bool whole)
{
    pp_plan plan = whole ? bed_whole_plan : bed_plan;
    char byte;
    plan.way = PP_WAY_TO_CLIENT;
    plan_meet(&plan);
    cr_assert(!raw_write_whole(&foreign, "x", 1) && errno == EPIPE);
    cr_assert_eq(bed_write(&plan_bed, &server, "y", 1).bytes, 1);
    cr_assert(raw_read(&foreign, &byte, 1) == 1 && byte == 'y');
    raw_close(&foreign);
}

Test(port_linux_plan, fails_a_foreign_client_that_writes_where_it_only_reads)
{
    plan_fails_to_write(false);
}

Test(port_linux_plan, fails_a_foreign_client_that_writes_messages_where_it_only_reads)
{
    plan_fails_to_write(true);
}

Test(port_linux_plan, ends_what_a_foreign_client_reads_where_it_only_writes)
{
    pp_plan plan = bed_plan;
    char byte;
    plan.way = PP_WAY_TO_SERVER;
    plan_meet(&plan);
    cr_assert_eq(raw_read(&foreign, &byte, 1), 0);
    cr_assert(raw_write(&foreign, "x", 1));
    cr_assert(bed_read(&plan_bed, &server, &byte, 1).bytes == 1 && byte == 'x');
    raw_close(&foreign);
    cr_assert_eq(bed_read(&plan_bed, &server, &byte, 1).fault.status, PIPEPORT_GONE);
}

/* Passes a descriptor along with a byte. What the kernel says: 0 or an errno. */
static int plan_pass_file(int to)
{
    union { /* For the alignment. */
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } along = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    char byte = 'f';
    struct iovec piece = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = along.bytes, .msg_controllen = sizeof along.bytes};
    memcpy(CMSG_DATA(&along.head), &to, sizeof to);
    return sendmsg(to, &message, MSG_NOSIGNAL) == 1 ? 0 : errno;
}

static bool plan_kernel_keeps_files_out(void)
{
    int value;
    socklen_t bytes = sizeof value;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool does = getsockopt(probe, SOL_SOCKET, 83, &value, &bytes) == 0; /* SO_PASSRIGHTS */
    return close(probe) == 0 && does;
}

/* Ours, both ends: the server's since before it accepts, and a dialled one's. */
Test(port_linux_plan, takes_no_files_of_a_peer)
{
    bed_end client;
    pp_result now;
    char byte;
    uint32_t open = system_handles();
    bool keeps_out = plan_kernel_keeps_files_out();
    bed_end_init(&plan_bed, &client, 0);
    for (int whole = 0; whole < 2; whole++) {
        pp_plan plan = whole != 0 ? bed_whole_plan : bed_plan;
        cr_assert_eq(plan_listen(path, &plan).status, PIPEPORT_OK);
        cr_assert_eq(pp_pipe_accept(&server.pipe, plan_bed.ear, &server.accept, &now), PP_LATER);
        cr_assert_eq(pp_pipe_dial(&client.pipe, path, &plan, 0).status, PIPEPORT_OK);
        int early = plan_pass_file(client.pipe.handle);
        cr_assert_eq(bed_await(&plan_bed, &server.accept).fault.status, PIPEPORT_OK);
        int to_client = plan_pass_file(server.pipe.handle);
        cr_assert(early == (keeps_out ? EPERM : 0) && to_client == early, "%d, %d", early, to_client);
        if (!keeps_out) { /* Then they are dropped, and their bytes are bytes. */
            cr_assert_eq(bed_read(&plan_bed, &server, &byte, 1).bytes, 1);
            cr_assert_eq(bed_read(&plan_bed, &client, &byte, 1).bytes, 1);
        }
        bed_end_close(&client);
        bed_end_close(&server);
        pp_ear_close(plan_bed.ear);
        plan_bed.ear = NULL;
        bed_hears_nothing(&plan_bed);
    }
    cr_assert_eq(system_handles(), open);
}

static uint64_t plan_busy_us(void)
{
    struct timespec used;
    cr_assert_eq(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used), 0);
    return (uint64_t) used.tv_sec * 1000000 + (uint64_t) used.tv_nsec / 1000;
}

/* Its socket is ready for reading all that time. */
Test(port_linux_plan, sleeps_while_it_waits_for_nothing_but_the_end)
{
    pp_plan plan = bed_plan;
    pp_result now;
    plan.way = PP_WAY_TO_CLIENT;
    plan_meet(&plan);
    server.read.home = server.pipe.home;
    cr_assert_eq(pp_pipe_await(&server.pipe, &server.read, &now), PP_LATER);
    bed_hears_nothing(&plan_bed);
    uint64_t before_us = plan_busy_us(), begin_ms = pp_os_now_ms();
    while (pp_os_now_ms() < begin_ms + 300) {
        pp_completion none;
        cr_assert_eq(pp_port_take(plan_bed.port, 0, 100, &none, 1), 0);
    }
    cr_assert_lt(plan_busy_us() - before_us, 60000);
    cr_assert(!pp_pipe_is_answered(&server.pipe, &server.read));
    raw_close(&foreign);
    cr_assert_eq(bed_await(&plan_bed, &server.read).fault.status, PIPEPORT_GONE);
}

Test(port_linux_plan, gives_back_the_socket_of_a_pipe_that_is_never_read)
{
    pp_plan plan = bed_plan;
    pp_result now;
    plan.way = PP_WAY_TO_CLIENT;
    plan_meet(&plan);
    uint32_t open = system_handles();
    server.read.home = server.pipe.home;
    cr_assert_eq(pp_pipe_await(&server.pipe, &server.read, &now), PP_LATER);
    bed_hears_nothing(&plan_bed);
    pp_pipe_cancel(&server.pipe, &server.read);
    cr_assert_eq(bed_await(&plan_bed, &server.read).fault.status, PIPEPORT_STOPPED);
    bed_end_close(&server);
    for (uint32_t i = 0; i < 100 && system_handles() != open - 1; i++) {
        pp_completion none;
        cr_assert_eq(pp_port_take(plan_bed.port, 0, 10, &none, 1), 0);
    }
    cr_assert_eq(system_handles(), open - 1, "%u, %u before", system_handles(), open);
    raw_close(&foreign);
}

Test(port_linux_plan, connects_no_stream_with_packets)
{
    pp_plan plan = bed_whole_plan;
    bed_end client;
    bed_end_init(&plan_bed, &client, 0);
    cr_assert_eq(plan_listen(path, &plan).status, PIPEPORT_OK);
    pp_fault fault = pp_pipe_dial(&client.pipe, path, &bed_plan, 0);
    cr_assert(fault.status == PIPEPORT_WRONG_TYPE && fault.system_code == EPROTOTYPE);
    pp_ear *second;
    fault = pp_ear_open(&second, plan_bed.port, &plan_bed.memory, path, &bed_plan);
    cr_assert_eq(fault.status, PIPEPORT_NAME_TAKEN, "a server of packets is a live one for who looks with a stream");
}

static int plan_buffer_of(int socket)
{
    int bytes;
    socklen_t size = sizeof bytes;
    cr_assert_eq(getsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, &size), 0);
    return bytes;
}

static int plan_buffer_where_asked_for(int wished)
{
    pp_plan plan = {.in_bytes = 1u << 20, .out_bytes = (uint32_t) wished};
    plan_meet(&plan);
    int bytes = plan_buffer_of(server.pipe.handle);
    raw_close(&foreign);
    bed_end_close(&server);
    pp_ear_close(plan_bed.ear);
    plan_bed.ear = NULL;
    bed_end_init(&plan_bed, &server, 0);
    return bytes;
}

/* What the kernel doubles. Asked for, it is as wished; what it gives by itself is left where it is near enough. */
Test(port_linux_plan, asks_for_another_buffer_than_the_kernel_gives_by_itself)
{
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int given = plan_buffer_of(probe);
    cr_assert_eq(close(probe), 0);
    cr_assert_eq(plan_buffer_where_asked_for(given / 2), given);
    cr_assert_eq(plan_buffer_where_asked_for(given / 4 + 1), given);
    cr_assert_eq(plan_buffer_where_asked_for(given / 4 - 1), (given / 4 - 1) * 2);
    cr_assert_eq(plan_buffer_where_asked_for(4096), 8192);
    cr_assert_gt(plan_buffer_where_asked_for(given / 2 + 1), given);
}

/* A client writes what the server reads. */
Test(port_linux_plan, asks_for_the_other_buffer_where_it_dials)
{
    pp_plan plan = {.in_bytes = 4096, .out_bytes = 1u << 20};
    pp_result now;
    bed_end client;
    bed_end_init(&plan_bed, &client, 0);
    cr_assert_eq(plan_listen(path, &plan).status, PIPEPORT_OK);
    cr_assert_eq(pp_pipe_accept(&server.pipe, plan_bed.ear, &server.accept, &now), PP_LATER);
    cr_assert_eq(pp_pipe_dial(&client.pipe, path, &plan, 0).status, PIPEPORT_OK);
    cr_assert_eq(plan_buffer_of(client.pipe.handle), 8192);
    cr_assert_eq(bed_await(&plan_bed, &server.accept).fault.status, PIPEPORT_OK);
    cr_assert_gt(plan_buffer_of(server.pipe.handle), 8192);
    bed_end_close(&client);
}

Test(port_linux_plan, refuses_a_message_that_the_buffer_cannot_hold)
{
    static char block[1024 * 1024];
    pp_plan plan = bed_whole_plan;
    plan.message_bytes_max = 1000;
    plan_meet(&plan);
    cr_assert_eq(bed_write(&plan_bed, &server, block, 1000).bytes, 1000);
    pp_result result = bed_write(&plan_bed, &server, block, sizeof block);
    cr_assert(result.fault.status == PIPEPORT_TOO_LARGE && result.fault.system_code == EMSGSIZE);
    raw_close(&foreign);
}

Test(port_linux_plan, takes_the_longest_message_that_it_says_it_takes)
{
    pp_plan plan = bed_whole_plan;
    uint32_t most = plan.message_bytes_max = pp_plan_message_bytes_max(&plan);
    char *block = calloc(1, most);
    pp_result now;
    cr_assert(most >= 100000 && block != NULL && pp_plan_lacks(&plan) == NULL);
    plan_meet(&plan);
    if (bed_arm_write(&server, block, most, &now) == PP_LATER) {
        now = bed_await(&plan_bed, &server.write);
    }
    cr_assert(now.fault.status == PIPEPORT_OK && now.bytes == most, "status %d, %d", now.fault.status,
              now.fault.system_code);
    raw_close(&foreign);
    free(block);
}

static void plan_lacks(pp_plan plan, const char *what)
{
    const char *text = pp_plan_lacks(&plan);
    cr_assert(text != NULL && strcmp(text, what) == 0, "\"%s\"", text == NULL ? "(nothing)" : text);
}

Test(port_linux_plan, says_what_this_system_cannot_do)
{
    pp_plan plan = bed_whole_plan;
    cr_assert(pp_plan_lacks(&(pp_plan){0}) == NULL);
    cr_assert(pp_plan_lacks(&(pp_plan){.instances_max = 7, .wait_ms = 3, .way = PP_WAY_TO_CLIENT}) == NULL);
    cr_assert(pp_plan_lacks(&(pp_plan){.access = PP_ACCESS_LOCAL_USERS, .server_user = "0"}) == NULL);
    cr_assert(pp_plan_lacks(&(pp_plan){.access = PP_ACCESS_GROUP, .group = 1}) == NULL);
    plan_lacks((pp_plan){.typed = true}, "type: BYTE, or 0, in every framing but MESSAGE; a pipe of messages "
                                         "(SOCK_SEQPACKET) is not read as bytes here");
    plan_lacks((pp_plan){.remote = true}, "remote: 0 on this system; a Unix socket has no clients of other machines");
    plan_lacks((pp_plan){.access = PP_ACCESS_SDDL},
               "access: OWNER, LOCAL_USERS or GROUP on this system; a Unix socket has no security descriptor");
    plan_lacks((pp_plan){.access = PP_ACCESS_APP_CONTAINERS},
               "access: OWNER, LOCAL_USERS or GROUP on this system; there are no app packages");
    plan_lacks((pp_plan){.server_user = "S-1-5-18"}, "server_user: a uid in decimal digits on this system");
    plan.message_bytes_max = 1u << 30;
    plan_lacks(plan, "message_bytes_max: at most 4 MiB in framing MESSAGE on this system, which takes a packet "
                     "(SOCK_SEQPACKET) whole");
}
