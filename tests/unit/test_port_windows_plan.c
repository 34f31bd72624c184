/* SPDX-License-Identifier: MIT */
/*
 * test_port_windows_plan.c - what becomes of a plan on Windows: way, type, buffers, instances, time-out, names of other
 * machines. That remote clients are kept out Wine cannot show; here is what the system is asked for.
 */
#include "engine/port/windows/ear.h"
#include "engine/port/windows/modes.h"
#include "tests/support/windows/planned.h"

#include <criterion/criterion.h>

#include <string.h>

enum { IN_BYTES = 4096, OUT_BYTES = 8192 };

static test_bed plan_bed;
static bed_end server, client;

static pp_plan plan_of(pp_way way)
{
    return (pp_plan){.in_bytes = IN_BYTES, .out_bytes = OUT_BYTES, .way = (uint8_t) way};
}

static void plan_close_ends(void)
{
    bed_end_close(&server);
    bed_end_close(&client);
    planned_settle(&plan_bed);
}

static ACCESS_MASK plan_granted(HANDLE handle)
{
    PUBLIC_OBJECT_BASIC_INFORMATION info;
    ULONG bytes;
    cr_assert_eq(NtQueryObject(handle, ObjectBasicInformation, &info, sizeof info, &bytes), 0);
    return info.GrantedAccess;
}

/* Writes on one end, and reads on the other, what is stamped. */
static void plan_send(bed_end *from, bed_end *to)
{
    char out[100], in[200];
    bed_stamp(out, sizeof out, 0);
    cr_assert_eq(bed_write(&plan_bed, from, out, sizeof out).bytes, sizeof out);
    cr_assert_eq(bed_read(&plan_bed, to, in, sizeof in).bytes, sizeof out);
    cr_assert(bed_is_stamped(in, sizeof out, 0));
}

/* A dial by another way is refused, whose rights the pipe does not give. */
static void plan_refuses(pp_way way)
{
    bed_end stranger;
    bed_end_init(&plan_bed, &stranger, 0);
    pp_plan plan = plan_of(way);
    pp_fault fault = pp_pipe_dial(&stranger.pipe, plan_bed.name, &plan, 0);
    cr_assert(fault.status == PIPEPORT_DENIED && fault.system_code == ERROR_ACCESS_DENIED, "way %d", way);
    cr_assert_eq(stranger.pipe.handle, PP_PIPE_CLOSED);
}

Test(port_windows_plan, opens_duplex_both_ways, .timeout = 100)
{
    pp_plan plan = plan_of(PP_WAY_BOTH);
    planned_open(&plan_bed, &plan);
    planned_pair(&plan_bed, &plan, &server, &client);
    plan_send(&server, &client);
    plan_send(&client, &server);
    ACCESS_MASK granted = plan_granted(planned_handle(&client));
    const ACCESS_MASK wanted = FILE_READ_DATA | FILE_WRITE_DATA | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES;
    cr_assert_eq(granted & wanted, wanted);
    cr_assert_eq(granted & FILE_CREATE_PIPE_INSTANCE, 0);
    plan_close_ends();
}

Test(port_windows_plan, goes_to_the_server_only, .timeout = 100)
{
    pp_plan plan = plan_of(PP_WAY_TO_SERVER);
    planned_open(&plan_bed, &plan);
    planned_pair(&plan_bed, &plan, &server, &client);
    plan_send(&client, &server);
    ACCESS_MASK granted = plan_granted(planned_handle(&client));
    cr_assert_eq(granted & (FILE_READ_DATA | FILE_WRITE_DATA | FILE_CREATE_PIPE_INSTANCE), FILE_WRITE_DATA);
    cr_assert_eq(plan_granted(planned_handle(&server)) & (FILE_READ_DATA | FILE_WRITE_DATA), FILE_READ_DATA);
    plan_close_ends();
}

Test(port_windows_plan, goes_to_the_client_only, .timeout = 100)
{
    pp_plan plan = plan_of(PP_WAY_TO_CLIENT);
    planned_open(&plan_bed, &plan);
    planned_pair(&plan_bed, &plan, &server, &client);
    plan_send(&server, &client);
    ACCESS_MASK granted = plan_granted(planned_handle(&client));
    cr_assert_eq(granted & (FILE_READ_DATA | FILE_WRITE_DATA), FILE_READ_DATA);
    cr_assert_eq(plan_granted(planned_handle(&server)) & (FILE_READ_DATA | FILE_WRITE_DATA), FILE_WRITE_DATA);
    bed_end_close(&client);
    pp_result result = bed_write(&plan_bed, &server, "x", 1); /* The only way it hears of the end. */
    cr_assert_eq(result.fault.status, PIPEPORT_GONE);
    bed_end_close(&server);
    planned_settle(&plan_bed);
}

/* An accept of a pipe of `way` waits, and is nobody's. */
static void plan_refuses_all_but(pp_way way)
{
    pp_result now;
    pp_plan plan = plan_of(way);
    planned_open(&plan_bed, &plan);
    bed_end_init(&plan_bed, &server, 0);
    cr_assert_eq(pp_pipe_accept(&server.pipe, plan_bed.ear, &server.accept, &now), PP_LATER);
    plan_refuses(PP_WAY_BOTH);
    plan_refuses(way == PP_WAY_TO_SERVER ? PP_WAY_TO_CLIENT : PP_WAY_TO_SERVER);
    pp_pipe_cancel(&server.pipe, &server.accept);
    cr_assert_eq(bed_await(&plan_bed, &server.accept).fault.status, PIPEPORT_STOPPED);
    planned_settle(&plan_bed);
}

Test(port_windows_plan, refuses_who_would_read_what_goes_to_the_server, .timeout = 100)
{
    plan_refuses_all_but(PP_WAY_TO_SERVER);
}

Test(port_windows_plan, refuses_who_would_write_what_goes_to_the_client, .timeout = 100)
{
    if (planned_is_wine()) {
        cr_skip_test("Wine lets in who asks for FILE_WRITE_DATA of an outbound pipe");
    }
    plan_refuses_all_but(PP_WAY_TO_CLIENT);
}

/* On one way and the other the holder is out of reach, too. */
Test(port_windows_plan, is_busy_on_every_way_while_nobody_accepts, .timeout = 100)
{
    for (int way = PP_WAY_BOTH; way <= PP_WAY_TO_CLIENT; way++) {
        pp_plan plan = plan_of((pp_way) way);
        planned_open(&plan_bed, &plan);
        bed_end_init(&plan_bed, &client, 0);
        cr_assert_eq(pp_pipe_dial(&client.pipe, plan_bed.name, &plan, 0).status, PIPEPORT_BUSY, "way %d", way);
        planned_settle(&plan_bed);
    }
}

static void plan_shows(HANDLE handle, DWORD type, DWORD mode)
{
    DWORD flags, state;
    cr_assert(GetNamedPipeInfo(handle, &flags, NULL, NULL, NULL));
    cr_assert_eq(flags & PIPE_TYPE_MESSAGE, type);
    cr_assert(GetNamedPipeHandleStateW(handle, &state, NULL, NULL, NULL, NULL, 0));
    cr_assert_eq(state & (PIPE_READMODE_MESSAGE | PIPE_NOWAIT), mode);
}

Test(port_windows_plan, shows_its_type_and_mode_on_both_ends, .timeout = 100)
{
    for (int kind = 0; kind < 3; kind++) { /* Bytes; messages read as bytes; messages. */
        pp_plan plan = plan_of(PP_WAY_BOTH);
        plan.typed = kind > 0;
        plan.whole = kind > 1;
        planned_open(&plan_bed, &plan);
        planned_pair(&plan_bed, &plan, &server, &client);
        DWORD type = kind > 0 ? PIPE_TYPE_MESSAGE : 0, mode = kind > 1 ? PIPE_READMODE_MESSAGE : 0;
        plan_shows(planned_handle(&server), type, mode);
        plan_shows(planned_handle(&client), type, mode);
        cr_assert_eq(server.pipe.slices_max, kind > 1 ? 0 : 1);
        cr_assert_eq(client.pipe.slices_max, kind > 1 ? 0 : 1);
        plan_close_ends();
    }
}

Test(port_windows_plan, refuses_a_server_of_bytes_where_messages_are_planned, .timeout = 100)
{
    pp_plan bytes = plan_of(PP_WAY_BOTH), typed = bytes;
    typed.typed = true;
    planned_open(&plan_bed, &bytes);
    for (int whole = 0; whole < 2; whole++) {
        pp_result now;
        bed_end_init(&plan_bed, &server, 0);
        bed_end_init(&plan_bed, &client, 0);
        cr_assert_eq(pp_pipe_accept(&server.pipe, plan_bed.ear, &server.accept, &now), PP_LATER);
        typed.whole = whole > 0;
        pp_fault fault = pp_pipe_dial(&client.pipe, plan_bed.name, &typed, 0);
        cr_assert(fault.status == PIPEPORT_WRONG_TYPE && fault.system_code == ERROR_INVALID_PARAMETER);
        cr_assert_eq(client.pipe.handle, PP_PIPE_CLOSED);
        cr_assert_eq(bed_await(&plan_bed, &server.accept).fault.status, PIPEPORT_OK);
        char byte;
        cr_assert_eq(bed_read(&plan_bed, &server, &byte, 1).fault.status, PIPEPORT_GONE);
        bed_end_close(&server);
    }
    planned_settle(&plan_bed);
}

Test(port_windows_plan, asks_for_the_buffers_of_either_way, .timeout = 100)
{
    pp_plan plan = plan_of(PP_WAY_BOTH);
    plan.instances_max = 5;
    planned_open(&plan_bed, &plan);
    HANDLE instance = pp_ear_instance(plan_bed.ear, 0);
    DWORD out, in, most;
    cr_assert(GetNamedPipeInfo(instance, NULL, &out, &in, &most));
    cr_assert_eq(out, OUT_BYTES);
    cr_assert_eq(in, IN_BYTES);
    cr_assert_eq(most, 6); /* And the ear's own. */
    CloseHandle(instance);
    planned_settle(&plan_bed);
}

/* `most` instances for clients, and then no more until one is closed. */
static void plan_counts(uint32_t most)
{
    static HANDLE instances[253];
    pp_plan plan = plan_of(PP_WAY_BOTH);
    plan.instances_max = most;
    planned_open(&plan_bed, &plan);
    for (uint32_t i = 0; i < most; i++) {
        instances[i] = pp_ear_instance(plan_bed.ear, 0);
        cr_assert_neq(instances[i], INVALID_HANDLE_VALUE, "number %u of %u", i + 1, most);
    }
    for (int i = 0; i < 2; i++) {
        pp_result now;
        bed_end_init(&plan_bed, &server, 0);
        cr_assert_eq(pp_pipe_accept(&server.pipe, plan_bed.ear, &server.accept, &now), PP_NOW);
        cr_assert_eq(now.fault.status, PIPEPORT_BUSY);
        cr_assert_eq(now.fault.system_code, ERROR_PIPE_BUSY);
        cr_assert_eq(server.pipe.handle, PP_PIPE_CLOSED);
        CloseHandle(instances[0]);
        instances[0] = pp_ear_instance(plan_bed.ear, 0);
        cr_assert_neq(instances[0], INVALID_HANDLE_VALUE);
    }
    for (uint32_t i = 0; i < most; i++) {
        CloseHandle(instances[i]);
    }
    planned_settle(&plan_bed);
}

Test(port_windows_plan, has_as_many_instances_as_it_says, .timeout = 100)
{
    plan_counts(1);
    plan_counts(3);
    plan_counts(253); /* With the ear's own one less than 255, which the system takes for no bound. */
}

Test(port_windows_plan, tells_the_default_time_of_waiting, .timeout = 100)
{
    enum { WAIT_MS = 400, CLOCKS_MS = 40 /* How much earlier a wait may end by another clock. */ };
    pp_plan plan = plan_of(PP_WAY_BOTH);
    plan.wait_ms = WAIT_MS;
    planned_open(&plan_bed, &plan);
    char address[PP_ADDRESS_BYTES_MAX];
    cr_assert_eq(pp_pipe_address(plan_bed.name, address), PIPEPORT_OK);
    uint64_t begin_ms = pp_os_now_ms();
    cr_assert_not(WaitNamedPipeA(address, NMPWAIT_USE_DEFAULT_WAIT));
    cr_assert_eq(GetLastError(), ERROR_SEM_TIMEOUT);
    cr_assert_geq(pp_os_now_ms() - begin_ms, WAIT_MS - CLOCKS_MS);
    planned_settle(&plan_bed);
}

Test(port_windows_plan, keeps_clients_of_other_machines_out_unless_told)
{
    pp_plan plan = plan_of(PP_WAY_BOTH);
    cr_assert_eq(pp_modes_pipe(&plan), PIPE_REJECT_REMOTE_CLIENTS);
    plan.remote = true;
    cr_assert_eq(pp_modes_pipe(&plan), PIPE_ACCEPT_REMOTE_CLIENTS);
    plan.typed = plan.whole = true;
    cr_assert_eq(pp_modes_pipe(&plan), PIPE_ACCEPT_REMOTE_CLIENTS | PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE);
    planned_open(&plan_bed, &plan);
    planned_pair(&plan_bed, &plan, &server, &client);
    plan_send(&client, &server);
    plan_close_ends();
}

Test(port_windows_plan, dials_other_machines_and_listens_on_none, .timeout = 120)
{
    static const char other[] = "\\\\pipeport-no-such-host\\pipe\\x";
    char address[PP_ADDRESS_BYTES_MAX], longest[PP_ADDRESS_BYTES_MAX + 8];
    pp_plan plan = plan_of(PP_WAY_BOTH);
    planned_open(&plan_bed, &plan);
    bed_end_init(&plan_bed, &client, 0);
    cr_assert_eq(pp_pipe_address(other, address), PIPEPORT_OK);
    cr_assert_str_eq(address, other);
    pp_ear *ear;
    cr_assert_eq(pp_ear_open(&ear, plan_bed.port, &plan_bed.memory, other, &plan).status, PIPEPORT_INVALID);
    pp_fault fault = pp_pipe_dial(&client.pipe, other, &plan, 0);
    cr_assert_eq(fault.status, PIPEPORT_NO_SERVER, "code %d", (int) fault.system_code);
    cr_assert_neq(fault.system_code, 0); /* It was the system that did not find it: 3 in Wine, 53 on Windows. */
    memset(longest, 'h', sizeof longest);
    memcpy(longest, "\\\\", 2);
    memcpy(longest + PP_ADDRESS_BYTES_MAX - 8, "\\pipe\\x", 8);            /* With its end it just does not fit. */
    cr_assert_eq(pp_pipe_address(longest + 1, address), PIPEPORT_INVALID); /* One backslash is none. */
    cr_assert_eq(pp_pipe_address(longest, address), PIPEPORT_OK);
    memset(longest + 2, 'h', sizeof longest - 2);
    memcpy(longest + PP_ADDRESS_BYTES_MAX - 7, "\\pipe\\x", 8);
    cr_assert_eq(pp_pipe_address(longest, address), PIPEPORT_INVALID);
    planned_settle(&plan_bed);
}

Test(port_windows_plan, says_what_windows_lacks)
{
    pp_plan plan = plan_of(PP_WAY_TO_CLIENT);
    static const pp_access there[] = {PP_ACCESS_OWNER, PP_ACCESS_LOCAL_USERS, PP_ACCESS_SDDL, PP_ACCESS_APP_CONTAINERS};
    plan.typed = plan.whole = plan.remote = true;
    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++) {
        plan.access = (uint8_t) there[i];
        cr_assert_null(pp_plan_lacks(&plan));
        cr_assert_eq(pp_plan_message_bytes_max(&plan), 1u << 30);
    }
    plan.access = PP_ACCESS_GROUP;
    cr_assert_str_eq(
        pp_plan_lacks(&plan),
        "access: not GROUP on this system, which knows no group ids; give SDDL, and the group's SID in access_sddl");
}
