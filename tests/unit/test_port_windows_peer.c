/* SPDX-License-Identifier: MIT */
/*
 * test_port_windows_peer.c - who is at the other end, and the demand to be served by somebody.
 *
 * Both ends are this process's, or one a child's; Wine has one user and one session, so that other users are shown by
 * demands that are not met.
 */
#include "engine/port/windows/peer.h"
#include "engine/port/windows/sid.h"
#include "tests/support/windows/planned.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

static const pp_plan plain_plan = {.in_bytes = 4096, .out_bytes = 4096};
static test_bed peer_bed;
static bed_end server, client;
static char own_sid[PIPEPORT_USER_BYTES];
static DWORD own_session;

static void peer_setup(void)
{
    pp_sid sid;
    char *text;
    cr_assert_eq(pp_sid_of_process(&sid, GetCurrentProcess()), ERROR_SUCCESS);
    cr_assert(ConvertSidToStringSidA(sid.user.User.Sid, &text));
    snprintf(own_sid, sizeof own_sid, "%s", text);
    LocalFree(text);
    cr_assert_eq(strncmp(own_sid, "S-1-5-", 6), 0);
    cr_assert(ProcessIdToSessionId(GetCurrentProcessId(), &own_session));
    planned_open(&peer_bed, &plain_plan);
}

TestSuite(port_windows_peer, .init = peer_setup, .timeout = 100);

static void peer_settle(void)
{
    bed_end_close(&server);
    bed_end_close(&client);
    planned_settle(&peer_bed);
}

static void peer_expect_self(const bed_end *end, bool accepted)
{
    pipeport_peer peer;
    memset(&peer, 0xA5, sizeof peer);
    pp_fault fault = pp_pipe_peer(&end->pipe, accepted, &peer);
    cr_assert_eq(fault.status, PIPEPORT_OK, "code %ld", fault.system_code);
    cr_assert_eq(peer.process_id, GetCurrentProcessId());
    cr_assert_eq(peer.session_id, own_session);
    cr_assert_str_eq(peer.user, own_sid);
}

Test(port_windows_peer, knows_both_ends_before_a_byte_is_read)
{
    planned_pair(&peer_bed, &plain_plan, &server, &client);
    peer_expect_self(&server, true);
    peer_expect_self(&client, false);
    peer_settle();
}

/* One way only: the rights that remain are enough. */
Test(port_windows_peer, knows_both_ends_on_each_way)
{
    planned_settle(&peer_bed);
    for (uint8_t way = PP_WAY_TO_SERVER; way <= PP_WAY_TO_CLIENT; way++) {
        pp_plan plan = {.way = way, .server_user = own_sid, .server_process = GetCurrentProcessId()};
        planned_open(&peer_bed, &plan);
        planned_pair(&peer_bed, &plan, &server, &client);
        peer_expect_self(&server, true);
        peer_expect_self(&client, false);
        peer_settle();
    }
}

/* A child of this program's that does nothing but live, suspended, for it never runs. */
static PROCESS_INFORMATION peer_child(void)
{
    wchar_t path[MAX_PATH];
    STARTUPINFOW start = {.cb = sizeof start};
    PROCESS_INFORMATION child;
    cr_assert(GetModuleFileNameW(NULL, path, MAX_PATH) > 0);
    cr_assert(CreateProcessW(path, NULL, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &start, &child));
    return child;
}

Test(port_windows_peer, demands_a_process_and_a_user_and_gets_them)
{
    pp_plan plan = plain_plan;
    plan.server_process = GetCurrentProcessId();
    planned_pair(&peer_bed, &plan, &server, &client);
    bed_end_close(&server);
    bed_end_close(&client);
    plan.server_user = own_sid;
    planned_pair(&peer_bed, &plan, &server, &client);
    bed_end_close(&server);
    bed_end_close(&client);
    plan.server_process = 0;
    planned_pair(&peer_bed, &plan, &server, &client);
    bed_stream(&peer_bed, &client, &server, 1000, 100);
    peer_settle();
}

/* The server's end hears that somebody came, and then the end, and not a byte. */
static void peer_refuses(const pp_plan *plan)
{
    pp_result now;
    char byte;
    bed_end_init(&peer_bed, &server, 0);
    bed_end_init(&peer_bed, &client, 0);
    cr_assert_eq(pp_pipe_accept(&server.pipe, peer_bed.ear, &server.accept, &now), PP_LATER);
    pp_fault fault = pp_pipe_dial(&client.pipe, peer_bed.name, plan, 0);
    cr_assert_eq(fault.status, PIPEPORT_DENIED);
    cr_assert_eq(fault.system_code, ERROR_ACCESS_DENIED);
    cr_assert_eq(client.pipe.handle, PP_PIPE_CLOSED);
    cr_assert_eq(bed_await(&peer_bed, &server.accept).fault.status, PIPEPORT_OK);
    now = bed_read(&peer_bed, &server, &byte, 1);
    cr_assert(now.fault.status == PIPEPORT_GONE && now.bytes == 0);
    bed_end_close(&server);
}

Test(port_windows_peer, turns_away_from_another_process_and_another_user)
{
    PROCESS_INFORMATION child = peer_child();
    pp_plan plan = plain_plan;
    plan.server_process = child.dwProcessId;
    peer_refuses(&plan);
    plan.server_user = own_sid; /* One of two is not enough, */
    peer_refuses(&plan);
    plan.server_process = GetCurrentProcessId();
    plan.server_user = "S-1-5-18"; /* neither the one nor the other. */
    peer_refuses(&plan);
    plan.server_process = 0;
    peer_refuses(&plan);
    plan.server_user = "S-1-5-32-544";
    peer_refuses(&plan);
    cr_assert(TerminateProcess(child.hProcess, 0));
    CloseHandle(child.hThread);
    CloseHandle(child.hProcess);
    planned_settle(&peer_bed);
}

/* The owner is whom the first instance's descriptor names, not who runs the process. */
Test(port_windows_peer, asks_for_the_owner_of_the_pipe)
{
    static const wchar_t descriptor_text[] = L"O:BAD:P(A;;FA;;;WD)";
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes};
    char name[80], address[PP_ADDRESS_BYTES_MAX];
    cr_assert(ConvertStringSecurityDescriptorToSecurityDescriptorW(descriptor_text, SDDL_REVISION_1,
                                                                   &attributes.lpSecurityDescriptor, NULL));
    bed_name(name);
    cr_assert_eq(pp_pipe_address(name, address), PIPEPORT_OK);
    HANDLE instance = CreateNamedPipeA(address, PIPE_ACCESS_DUPLEX, 0, 1, 4096, 4096, 50, &attributes);
    LocalFree(attributes.lpSecurityDescriptor);
    if (instance == INVALID_HANDLE_VALUE) {
        cr_skip_test("this account may not give a pipe to the Administrators");
    }
    bed_end_init(&peer_bed, &client, 0);
    pp_plan plan = plain_plan;
    plan.server_user = own_sid;
    cr_assert_eq(pp_pipe_dial(&client.pipe, name, &plan, 0).status, PIPEPORT_DENIED);
    cr_assert(DisconnectNamedPipe(instance));
    CloseHandle(instance);
    planned_settle(&peer_bed);
}

Test(port_windows_peer, refuses_a_demand_that_is_no_user_before_it_dials)
{
    static const char *const users[] = {"", "S-1-", "root", "0", "S-1-5-18x"};
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        pp_plan plan = plain_plan;
        plan.server_user = users[i];
        bed_end_init(&peer_bed, &client, 0);
        cr_assert_eq(pp_pipe_dial(&client.pipe, "pipeport-nobody-serves-this", &plan, 0).status, PIPEPORT_INVALID,
                     "user \"%s\"", users[i]);
    }
    planned_settle(&peer_bed);
}

Test(port_windows_peer, knows_who_has_left_or_says_that_he_has_gone)
{
    planned_pair(&peer_bed, &plain_plan, &server, &client);
    bed_end_close(&client);
    pipeport_peer peer;
    memset(&peer, 0, sizeof peer);
    pp_fault fault = pp_pipe_peer(&server.pipe, true, &peer); /* Windows still knows him, Wine does not. */
    cr_assert(fault.status == PIPEPORT_GONE ||
                  (fault.status == PIPEPORT_OK && peer.process_id == GetCurrentProcessId()),
              "status %d, code %ld", fault.status, fault.system_code);
    bed_end_close(&server);
    planned_settle(&peer_bed);
}
