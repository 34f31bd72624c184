/* SPDX-License-Identifier: MIT */
/*
 * test_laws_ear.c - the laws of names, ears, accepting and dialling.
 */
#include "tests/laws/bed.h"
#include "tests/support/limits.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

static test_bed ear_bed;
static bed_end server, client;

static void ear_setup(void)
{
    bed_open_own(&ear_bed, 1);
    bed_end_init(&ear_bed, &server, 0);
    bed_end_init(&ear_bed, &client, 0);
}

static void ear_settle(void)
{
    bed_settle(&ear_bed, NULL, NULL);
}

TestSuite(laws_ear, .init = ear_setup, .timeout = 100);

static pipeport_status ear_open_status(const char *name)
{
    pp_ear *ear = NULL;
    pp_fault fault = pp_ear_open(&ear, ear_bed.port, &ear_bed.memory, name, &bed_plan);
    if (fault.status == PIPEPORT_OK) {
        pp_ear_close(ear);
    }
    return fault.status;
}

/* Whether it ends now or later. */
static pp_result ear_accept(bed_end *end)
{
    pp_result result;
    if (pp_pipe_accept(&end->pipe, ear_bed.ear, &end->accept, &result) == PP_LATER) {
        result = bed_await(&ear_bed, &end->accept);
    }
    cr_assert_eq(result.bytes, 0);
    cr_assert_eq(result.fault.status == PIPEPORT_OK, end->pipe.handle != PP_PIPE_CLOSED);
    return result;
}

Test(laws_ear, refuses_malformed_names_everywhere)
{
    static const char *const names[] = {
        "",           "\\",         "a\\b", "a/b",      "/",           "\\\\.\\pipe\\", "\\\\.\\pipe\\a\\b", "bell\a",
        "line\nfeed", "delete\x7f", "\xff", "\xc0\xaf", "cut\xe2\x82", "\xed\xa0\x80",  "\xf4\x90\x80\x80",  ".",
        "..",
    };
    char address[PP_ADDRESS_BYTES_MAX];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cr_assert_eq(pp_pipe_address(names[i], address), PIPEPORT_INVALID, "name %zu", i);
        cr_assert_eq(ear_open_status(names[i]), PIPEPORT_INVALID, "name %zu", i);
        cr_assert_eq(pp_pipe_dial(&client.pipe, names[i], &bed_plan, 0).status, PIPEPORT_INVALID, "name %zu", i);
        cr_assert_eq(client.pipe.handle, PP_PIPE_CLOSED);
    }
    ear_settle();
}

Test(laws_ear, refuses_a_name_of_201_bytes_and_takes_one_of_1)
{
    char name[PP_NAME_BYTES_MAX + 2], address[PP_ADDRESS_BYTES_MAX];
    memset(name, 'x', sizeof name);
    name[PP_NAME_BYTES_MAX + 1] = '\0';
    cr_assert_eq(pp_pipe_address(name, address), PIPEPORT_INVALID);
    cr_assert_eq(ear_open_status(name), PIPEPORT_INVALID);
    cr_assert_eq(pp_pipe_address("x", address), PIPEPORT_OK);
    cr_assert_lt(strnlen(address, sizeof address), sizeof address);
    cr_assert_neq(strchr(address, 'x'), NULL);
    ear_settle();
}

Test(laws_ear, serves_a_name_of_many_letters)
{
    /* Greek, Chinese, and a letter of four bytes. */
    char name[120], unique[80];
    bed_name(unique);
    snprintf(name, sizeof name, "%.60s-\xce\xb1\xe4\xb8\xad\xf0\x9f\x90\xa7 x", unique);
    pp_fault fault = pp_ear_open(&ear_bed.ear, ear_bed.port, &ear_bed.memory, name, &bed_plan);
    cr_assert_eq(fault.status, PIPEPORT_OK, "status %d, system code %d", fault.status, fault.system_code);
    pp_ear_make_room(ear_bed.ear, 1);
    pp_result now;
    cr_assert_eq(pp_pipe_accept(&server.pipe, ear_bed.ear, &server.accept, &now), PP_LATER);
    cr_assert_eq(bed_dial(&client, name, 0).status, PIPEPORT_OK);
    cr_assert_eq(bed_await(&ear_bed, &server.accept).fault.status, PIPEPORT_OK);
    bed_end_close(&client);
    bed_end_close(&server);
    ear_settle();
}

Test(laws_ear, hears_no_server_where_nobody_serves)
{
    char name[80];
    bed_name(name);
    pp_fault fault = pp_pipe_dial(&client.pipe, name, &bed_plan, 0);
    cr_assert_eq(fault.status, PIPEPORT_NO_SERVER);
    cr_assert_neq(fault.system_code, 0);
    cr_assert_eq(client.pipe.handle, PP_PIPE_CLOSED);
    ear_settle();
}

Test(laws_ear, gives_a_name_to_one_ear_at_a_time_and_again_when_it_is_closed)
{
    for (int i = 0; i < 10; i++) {
        bed_listen(&ear_bed);
        cr_assert_eq(ear_open_status(ear_bed.name), PIPEPORT_NAME_TAKEN);
        pp_ear_close(ear_bed.ear);
        ear_bed.ear = NULL;
        cr_assert_eq(pp_pipe_dial(&client.pipe, ear_bed.name, &bed_plan, 0).status, PIPEPORT_NO_SERVER);
        cr_assert_eq(ear_open_status(ear_bed.name), PIPEPORT_OK);
    }
    ear_settle();
}

Test(laws_ear, refuses_a_served_name_while_connections_live_and_frees_it_with_the_last)
{
    bed_listen(&ear_bed);
    bed_pair(&ear_bed, &server, &client);
    cr_assert_eq(ear_open_status(ear_bed.name), PIPEPORT_NAME_TAKEN);
    bed_stream(&ear_bed, &client, &server, 100, 10);
    bed_end_close(&client);
    bed_end_close(&server);
    cr_assert_eq(ear_open_status(ear_bed.name), PIPEPORT_NAME_TAKEN);
    pp_ear_close(ear_bed.ear);
    ear_bed.ear = NULL;
    cr_assert_eq(ear_open_status(ear_bed.name), PIPEPORT_OK);
    ear_settle();
}

Test(laws_ear, is_busy_or_patient_but_never_absent_while_nobody_accepts)
{
    bed_listen(&ear_bed);
    for (int i = 0; i < 3; i++) {
        pp_fault fault = pp_pipe_dial(&client.pipe, ear_bed.name, &bed_plan, 0);
        cr_assert(fault.status == PIPEPORT_BUSY || fault.status == PIPEPORT_OK, "status %d", fault.status);
        if (fault.status == PIPEPORT_OK) { /* The system keeps who comes in a queue of its own. */
            cr_assert_eq(ear_accept(&server).fault.status, PIPEPORT_OK);
            bed_stream(&ear_bed, &client, &server, 10, 10);
            bed_end_close(&client);
            bed_end_close(&server);
        } else {
            cr_assert_eq(client.pipe.handle, PP_PIPE_CLOSED);
            bed_pair(&ear_bed, &server, &client);
            bed_end_close(&client); /* Came and went; and the server's instance goes too. */
            bed_end_close(&server);
        }
    }
    ear_settle();
}

/* Each drainer sees an ear by itself, and one that is busy elsewhere must not keep the ear alive for its callers. */
Test(laws_ear, ends_with_its_queue_though_a_drainer_does_not_look)
{
    pp_completion none;
    bed_close(&ear_bed);
    bed_open_own(&ear_bed, 2);
    bed_end_init(&ear_bed, &client, 0);
    bed_listen(&ear_bed);
    for (int i = 0; i < 2; i++) { /* Both know of the ear; from now on nobody takes from the second. */
        cr_assert_eq(pp_port_take(ear_bed.port, 0, 0, &none, 1), 0);
        cr_assert_eq(pp_port_take(ear_bed.port, 1, 0, &none, 1), 0);
    }
    pp_fault fault = pp_pipe_dial(&client.pipe, ear_bed.name, &bed_plan, 0);
    cr_assert(fault.status == PIPEPORT_BUSY || fault.status == PIPEPORT_OK, "status %d", fault.status);
    pp_ear_close(ear_bed.ear);
    ear_bed.ear = NULL;
    if (fault.status == PIPEPORT_OK) { /* The system had it in a queue of its own. */
        char byte;
        cr_assert_eq(bed_read(&ear_bed, &client, &byte, 1).fault.status, PIPEPORT_GONE);
        bed_end_close(&client);
    }
    ear_settle();
}

Test(laws_ear, stops_a_cancelled_accept_exactly_once_and_closes_its_pipe)
{
    bed_listen(&ear_bed);
    for (int i = 0; i < 20; i++) {
        pp_result now;
        cr_assert_eq(pp_pipe_accept(&server.pipe, ear_bed.ear, &server.accept, &now), PP_LATER);
        pp_pipe_cancel(&server.pipe, &server.accept);
        pp_pipe_cancel(&server.pipe, &server.accept);
        pp_result result = bed_await(&ear_bed, &server.accept);
        cr_assert_eq(result.fault.status, PIPEPORT_STOPPED, "status %d, system code %d", result.fault.status,
                     result.fault.system_code);
        cr_assert_eq(server.pipe.handle, PP_PIPE_CLOSED);
        pp_pipe_cancel(&server.pipe, &server.accept); /* Late, and of a closed pipe: nothing. */
    }
    bed_hears_nothing(&ear_bed);
    bed_pair(&ear_bed, &server, &client);
    bed_stream(&ear_bed, &client, &server, 100, 10);
    bed_end_close(&client);
    bed_end_close(&server);
    ear_settle();
}

Test(laws_ear, cancels_one_accept_of_many)
{
    enum { MANY = 8 };
    static bed_end ends[MANY];
    bed_listen(&ear_bed);
    pp_result now;
    for (int i = 0; i < MANY; i++) {
        bed_end_init(&ear_bed, &ends[i], 0);
        cr_assert_eq(pp_pipe_accept(&ends[i].pipe, ear_bed.ear, &ends[i].accept, &now), PP_LATER);
    }
    pp_pipe_cancel(&ends[3].pipe, &ends[3].accept);
    cr_assert_eq(bed_await(&ear_bed, &ends[3].accept).fault.status, PIPEPORT_STOPPED);
    bed_hears_nothing(&ear_bed);
    for (int i = 0; i < MANY; i++) {
        if (i != 3) {
            pp_pipe_cancel(&ends[i].pipe, &ends[i].accept);
            cr_assert_eq(bed_await(&ear_bed, &ends[i].accept).fault.status, PIPEPORT_STOPPED);
        }
    }
    ear_settle();
}

Test(laws_ear, lets_one_client_in_for_each_accept)
{
    enum { MANY = 6 };
    static bed_end ends[MANY], clients[MANY];
    bed_listen(&ear_bed);
    pp_result now;
    for (int i = 0; i < MANY; i++) {
        bed_end_init(&ear_bed, &ends[i], 0);
        bed_end_init(&ear_bed, &clients[i], 0);
        cr_assert_eq(pp_pipe_accept(&ends[i].pipe, ear_bed.ear, &ends[i].accept, &now), PP_LATER);
    }
    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(pp_pipe_dial(&clients[i].pipe, ear_bed.name, &bed_plan, 0).status, PIPEPORT_OK);
        char own = (char) ('a' + i);
        cr_assert_eq(bed_write(&ear_bed, &clients[i], &own, 1).bytes, 1);
    }
    char seen[MANY + 1] = "";
    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(bed_await(&ear_bed, &ends[i].accept).fault.status, PIPEPORT_OK);
        cr_assert_eq(bed_read(&ear_bed, &ends[i], &seen[i], 1).bytes, 1);
        cr_assert_eq(memchr(seen, seen[i], (size_t) i), NULL, "%s", seen);
        bed_end_close(&ends[i]);
    }
    for (int i = 0; i < MANY; i++) {
        bed_end_close(&clients[i]);
    }
    ear_settle();
}

Test(laws_ear, survives_clients_that_come_and_go_at_once)
{
    bed_listen(&ear_bed);
    for (int i = 0; i < 200; i++) {
        pp_result now;
        cr_assert_eq(pp_pipe_accept(&server.pipe, ear_bed.ear, &server.accept, &now), PP_LATER);
        cr_assert_eq(pp_pipe_dial(&client.pipe, ear_bed.name, &bed_plan, 0).status, PIPEPORT_OK);
        bed_end_close(&client);
        pp_result result = bed_await(&ear_bed, &server.accept);
        cr_assert(result.fault.status == PIPEPORT_OK || result.fault.status == PIPEPORT_GONE);
        if (result.fault.status == PIPEPORT_OK) {
            char byte;
            cr_assert_eq(bed_read(&ear_bed, &server, &byte, 1).fault.status, PIPEPORT_GONE);
            bed_end_close(&server);
        }
        cr_assert_eq(server.pipe.handle, PP_PIPE_CLOSED);
    }
    ear_settle();
}

enum { STORM = 300 };

/* Comes as often as it is let in, sends its number, and stays until it hears the end. */
static void storm_dial(void *argument)
{
    bed_end *end = argument;
    for (uint32_t i = 0; i < STORM; i++) {
        LAW(bed_dial(end, ear_bed.name, 0).status == PIPEPORT_OK);
        pp_result now;
        LAW(bed_arm_write(end, &i, sizeof i, &now) == PP_NOW && now.bytes == sizeof i);
        bed_end_close(end);
    }
}

Test(laws_ear, accepts_who_is_there_already_as_well_as_who_comes_later)
{
    pp_thread dialler;
    int now_count = 0;
    bed_listen(&ear_bed);
    cr_assert_eq(pp_os_thread_start(&dialler, storm_dial, &client).status, PIPEPORT_OK);
    for (uint32_t i = 0; i < STORM;) {
        pp_result result;
        pp_armed armed = pp_pipe_accept(&server.pipe, ear_bed.ear, &server.accept, &result);
        now_count += armed == PP_NOW;
        if (armed == PP_LATER) {
            result = bed_await(&ear_bed, &server.accept);
        }
        /* Nobody goes before his number is written, so nobody came and went for nothing: it is delivered. */
        cr_assert_eq(result.fault.status, PIPEPORT_OK, "status %d, system code %d", result.fault.status,
                     result.fault.system_code);
        uint32_t number = UINT32_MAX;
        cr_assert_eq(bed_read(&ear_bed, &server, &number, sizeof number).bytes, sizeof number);
        cr_assert_eq(number, i++);
        bed_end_close(&server);
    }
    pp_os_thread_join(&dialler);
    cr_log_info("%d of %d were there already", now_count, STORM);
    ear_settle();
}

static void crowd_connect(uint32_t count)
{
    static bed_end servers[1000], clients[1000];
    bed_listen(&ear_bed);
    for (uint32_t i = 0; i < count; i++) {
        bed_pair(&ear_bed, &servers[i], &clients[i]);
    }
    char byte = 0;
    pp_result now;
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_eq(bed_arm_read(&servers[i], &byte, 1, &now), PP_LATER);
    }
    for (uint32_t i = count; i-- > 0;) {
        char sent = (char) i;
        cr_assert_eq(bed_write(&ear_bed, &clients[i], &sent, 1).bytes, 1);
        cr_assert_eq(bed_await(&ear_bed, &servers[i].read).bytes, 1);
        cr_assert_eq(byte, sent);
    }
    for (uint32_t i = 0; i < count; i++) {
        bed_end_close(&clients[i]);
        bed_end_close(&servers[i]);
    }
}

Test(laws_ear, holds_255_connections_on_one_port)
{
    crowd_connect(255);
    ear_settle();
}

Test(laws_ear, holds_1000_connections_on_one_port)
{
    if (!limits_allow_handles(2100)) {
        cr_skip_test("this system allows too few open files");
    }
    crowd_connect(1000);
    ear_settle();
}

Test(laws_ear, leaves_no_handle_behind)
{
    uint32_t before = 0;
    for (int round = 0; round < 60; round++) {
        if (round == 10) {
            before = system_handles();
        }
        bed_listen(&ear_bed);
        bed_pair(&ear_bed, &server, &client);
        bed_end_close(&client);
        bed_end_close(&server);
        pp_result now;
        cr_assert_eq(pp_pipe_accept(&server.pipe, ear_bed.ear, &server.accept, &now), PP_LATER);
        pp_pipe_cancel(&server.pipe, &server.accept);
        cr_assert_eq(bed_await(&ear_bed, &server.accept).fault.status, PIPEPORT_STOPPED);
        cr_assert_eq(ear_open_status(ear_bed.name), PIPEPORT_NAME_TAKEN);
        pp_ear_close(ear_bed.ear);
        ear_bed.ear = NULL;
        cr_assert_eq(pp_pipe_dial(&client.pipe, ear_bed.name, &bed_plan, 0).status, PIPEPORT_NO_SERVER);
    }
    cr_assert_eq(system_handles(), before);
    ear_settle();
}

Test(laws_ear, fails_for_want_of_memory_and_leaves_the_name_free)
{
    char name[80];
    bed_name(name);
    uint64_t takes = 0;
    for (;; takes++) {
        cr_assert_lt(takes, 100);
        atomic_store(&ear_bed.memory.fail_after, takes);
        pipeport_status status = ear_open_status(name);
        atomic_store(&ear_bed.memory.fail_after, UINT64_MAX);
        if (status == PIPEPORT_OK) {
            break;
        }
        cr_assert_eq(status, PIPEPORT_NO_MEMORY);
        cr_assert_eq(ear_open_status(name), PIPEPORT_OK);
    }
    cr_assert_gt(takes, 0);
    ear_settle();
}

enum { EAR_KEPT = 3 };

/* Clients that keep their ends are nobody's any more. */
Test(laws_ear, has_the_instance_of_an_aborted_pipe_again_though_its_client_keeps_its_end)
{
    static bed_end kept[EAR_KEPT];
    char byte;
    ear_bed.plan.instances_max = 1;
    bed_listen(&ear_bed);
    for (int i = 0; i < EAR_KEPT; i++) {
        bed_pair(&ear_bed, &server, &kept[i]);
        bed_end_abort(&server);
    }
    for (int i = 0; i < EAR_KEPT; i++) {
        cr_assert_eq(bed_read(&ear_bed, &kept[i], &byte, 1).fault.status, PIPEPORT_GONE);
        bed_end_close(&kept[i]);
    }
    ear_settle();
}

Test(laws_ear, gives_a_name_again_when_its_pipes_are_aborted_though_their_clients_keep_their_ends)
{
    for (int i = 0; i < 2; i++) { /* Whichever is closed first. */
        bed_listen(&ear_bed);
        bed_pair(&ear_bed, &server, &client);
        if (i == 0) {
            bed_end_abort(&server);
        }
        pp_ear_close(ear_bed.ear);
        if (i == 1) {
            bed_end_abort(&server);
        }
        ear_bed.ear = NULL;
        cr_assert_eq(ear_open_status(ear_bed.name), PIPEPORT_OK);
        bed_end_close(&client);
    }
    ear_settle();
}
