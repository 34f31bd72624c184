/* SPDX-License-Identifier: MIT */
/*
 * test_port_windows_guard.c - who may use a pipe, read back from the pipe's own handle and compared entry by entry.
 * That the system keeps the others out Wine cannot show: it keeps the list and never looks at it.
 */
#include "engine/port/windows/ear.h"
#include "engine/port/windows/modes.h"
#include "engine/port/windows/sid.h"
#include "tests/support/windows/planned.h"

#include <criterion/criterion.h>

#include <string.h>

/* One entry of a list: whom it lets do what. */
typedef struct guard_entry {
    const char *sid; /* NULL: the user of this process. */
    ACCESS_MASK rights;
} guard_entry;

static test_bed guard_bed;
static char own_sid[PIPEPORT_USER_BYTES];
static union {
    SECURITY_DESCRIPTOR_RELATIVE head;
    unsigned char bytes[4096];
} guard_block;

static void guard_setup(void)
{
    pp_sid sid;
    char *text;
    cr_assert_eq(pp_sid_of_process(&sid, GetCurrentProcess()), ERROR_SUCCESS);
    cr_assert(ConvertSidToStringSidA(sid.user.User.Sid, &text));
    cr_assert_lt(strlen(text), sizeof own_sid);
    strcpy(own_sid, text);
    LocalFree(text);
}

TestSuite(port_windows_guard, .init = guard_setup, .timeout = 100);

static bool guard_is_sid(PSID sid, const char *text)
{
    PSID other;
    cr_assert(ConvertStringSidToSidA(text != NULL ? text : own_sid, &other), "%s", text);
    bool same = EqualSid(sid, other);
    LocalFree(other);
    return same;
}

/* The pipe behind the handle lets in these, in this order, and nobody else; nothing is inherited. */
static void guard_expect(HANDLE handle, const guard_entry *entries, DWORD count)
{
    DWORD bytes, revision;
    PSECURITY_DESCRIPTOR descriptor = guard_block.bytes;
    cr_assert(GetKernelObjectSecurity(handle, DACL_SECURITY_INFORMATION | OWNER_SECURITY_INFORMATION, descriptor,
                                      sizeof guard_block, &bytes));
    SECURITY_DESCRIPTOR_CONTROL control;
    cr_assert(GetSecurityDescriptorControl(descriptor, &control, &revision));
    cr_assert_eq(control & SE_DACL_PROTECTED, SE_DACL_PROTECTED);
    BOOL present, is_default;
    PACL list = NULL;
    cr_assert(GetSecurityDescriptorDacl(descriptor, &present, &list, &is_default));
    cr_assert(present && list != NULL && !is_default);
    cr_assert_eq(list->AceCount, count);
    for (DWORD i = 0; i < count; i++) {
        ACCESS_ALLOWED_ACE *entry;
        cr_assert(GetAce(list, i, (void **) &entry));
        cr_assert_eq(entry->Header.AceType, ACCESS_ALLOWED_ACE_TYPE);
        cr_assert_eq(entry->Header.AceFlags, 0);
        cr_assert_eq(entry->Mask, entries[i].rights, "entry %lu: 0x%lx", i, entry->Mask);
        cr_assert(guard_is_sid(&entry->SidStart, entries[i].sid), "entry %lu", i);
    }
}

static void guard_expect_owner(HANDLE handle, const char *sid)
{
    DWORD bytes;
    BOOL is_default;
    PSID owner = NULL;
    cr_assert(
        GetKernelObjectSecurity(handle, OWNER_SECURITY_INFORMATION, guard_block.bytes, sizeof guard_block, &bytes));
    cr_assert(GetSecurityDescriptorOwner(guard_block.bytes, &owner, &is_default));
    cr_assert(guard_is_sid(owner, sid));
}

/* By a preset: of the ear's own instance, of one more, and of a client's end. */
static void guard_checks(pp_access access, const guard_entry *entries, DWORD count)
{
    bed_end server, client;
    pp_plan plan = {.in_bytes = 4096, .out_bytes = 4096, .access = (uint8_t) access};
    planned_open(&guard_bed, &plan);
    planned_pair(&guard_bed, &plan, &server, &client);
    guard_expect(guard_bed.ear->holder, entries, count);
    guard_expect(planned_handle(&server), entries, count);
    guard_expect(planned_handle(&client), entries, count);
    guard_expect_owner(planned_handle(&client), NULL);
    cr_assert_not(guard_bed.ear->guard.attributes.bInheritHandle);
    bed_end_close(&server);
    bed_end_close(&client);
    planned_settle(&guard_bed);
}

#define GUARD_OWNERS                                                                                                   \
    {NULL, FILE_ALL_ACCESS}, {"S-1-5-18", FILE_ALL_ACCESS},                                                            \
    {                                                                                                                  \
        "S-1-5-32-544", FILE_ALL_ACCESS                                                                                \
    }

Test(port_windows_guard, lets_in_the_owner_the_system_and_the_administrators_only)
{
    static const guard_entry entries[] = {GUARD_OWNERS};
    guard_checks(PP_ACCESS_OWNER, entries, 3);
}

/* FILE_GENERIC_READ, FILE_WRITE_DATA, FILE_WRITE_EA, FILE_WRITE_ATTRIBUTES: in bits, not by the name of the guard. */
#define GUARD_READS_AND_WRITES (0x120089 | 0x2 | 0x10 | 0x100)

Test(port_windows_guard, lets_local_users_read_and_write_and_make_no_instance)
{
    static const guard_entry entries[] = {GUARD_OWNERS, {"S-1-5-4", GUARD_READS_AND_WRITES}};
    cr_assert_eq(entries[3].rights & FILE_CREATE_PIPE_INSTANCE, 0);
    guard_checks(PP_ACCESS_LOCAL_USERS, entries, 4);
}

Test(port_windows_guard, lets_app_containers_read_and_write_and_make_no_instance)
{
    static const guard_entry entries[] = {GUARD_OWNERS, {"S-1-15-2-1", GUARD_READS_AND_WRITES}};
    guard_checks(PP_ACCESS_APP_CONTAINERS, entries, 4);
}

/* What a dial asks for is what a guest is given. */
Test(port_windows_guard, gives_guests_all_that_a_client_asks_for)
{
    GENERIC_MAPPING rights = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS};
    for (int way = PP_WAY_BOTH; way <= PP_WAY_TO_CLIENT; way++) {
        pp_plan plan = {.way = (uint8_t) way, .server_user = "S-1-5-18"};
        DWORD asked = pp_modes_rights(&plan);
        MapGenericMask(&asked, &rights);
        cr_assert_eq(asked & ~(DWORD) PP_GUARD_GUEST_RIGHTS, 0, "way %d", way);
        cr_assert_eq(asked & READ_CONTROL, READ_CONTROL, "way %d", way);
    }
}

Test(port_windows_guard, takes_a_text_as_it_stands_and_protects_it)
{
    static const guard_entry entries[] = {{"S-1-5-32-545", FILE_ALL_ACCESS}, {"S-1-1-0", FILE_GENERIC_READ}};
    pp_plan plan = {.access = PP_ACCESS_SDDL, .sddl = "D:(A;;FA;;;BU)(A;;FR;;;WD)"}; /* No P. */
    planned_open(&guard_bed, &plan);
    guard_expect(guard_bed.ear->holder, entries, 2);
    HANDLE instance = pp_ear_instance(guard_bed.ear, 0);
    guard_expect(instance, entries, 2);
    CloseHandle(instance);
    planned_settle(&guard_bed);
}

static void guard_refuses(const char *text)
{
    char name[80];
    bed_name(name);
    pp_ear *ear = NULL;
    pp_plan plan = {.access = PP_ACCESS_SDDL, .sddl = text};
    pp_fault fault = pp_ear_open(&ear, guard_bed.port, &guard_bed.memory, name, &plan);
    cr_assert_eq(fault.status, PIPEPORT_INVALID, "\"%s\": status %d, code %ld", text != NULL ? text : "(none)",
                 fault.status, fault.system_code);
    cr_assert_neq(fault.system_code, 0);
    cr_assert_null(ear);
}

Test(port_windows_guard, refuses_a_text_that_is_no_list)
{
    static const char *const texts[] = {"",     "D:(A;;FA;;;", "nonsense",           "D:(A;;FA;;;S-1-x)",
                                        "O:BA", "G:BA",        "D:(A;;FA;;;BU)\xff", NULL};
    pp_plan good = {0};
    planned_open(&guard_bed, &good);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        guard_refuses(texts[i]);
    }
    planned_settle(&guard_bed);
}

static void guard_opens(const char *text, pp_way way, pipeport_status expected)
{
    char name[80];
    bed_name(name);
    pp_ear *ear = NULL;
    pp_plan plan = {.access = PP_ACCESS_SDDL, .sddl = text, .way = (uint8_t) way};
    pp_fault fault = pp_ear_open(&ear, guard_bed.port, &guard_bed.memory, name, &plan);
    cr_assert_eq(fault.status, expected, "\"%s\": status %d, code %ld", text, fault.status, fault.system_code);
    cr_assert_eq(ear != NULL, expected == PIPEPORT_OK);
    if (ear != NULL) {
        HANDLE instance = pp_ear_instance(ear, 0);
        cr_assert_neq(instance, INVALID_HANDLE_VALUE, "\"%s\": code %lu", text, GetLastError());
        CloseHandle(instance);
        pp_ear_close(ear);
    }
}

/* The first instance would be made, and no other: a server that nobody reaches. */
Test(port_windows_guard, refuses_a_text_that_keeps_its_own_user_from_serving)
{
    pp_plan good = {0};
    planned_open(&guard_bed, &good);
    guard_opens("D:(A;;FA;;;SY)", PP_WAY_BOTH, PIPEPORT_DENIED);
    guard_opens("D:(A;;0x12019B;;;WD)", PP_WAY_BOTH, PIPEPORT_DENIED); /* All but to make instances. */
    guard_opens("D:(D;;0x4;;;WD)(A;;FA;;;WD)", PP_WAY_BOTH, PIPEPORT_DENIED);
    guard_opens("D:(A;;FR;;;WD)(A;;0x4;;;WD)", PP_WAY_BOTH, PIPEPORT_DENIED);
    guard_opens("D:(A;;0x100007;;;WD)", PP_WAY_BOTH, PIPEPORT_DENIED); /* The data, but nothing about it. */
    guard_opens("D:(A;;0x12019B;;;WD)", PP_WAY_TO_CLIENT, PIPEPORT_DENIED);
    guard_opens("D:(A;;0x12008D;;;WD)", PP_WAY_BOTH, PIPEPORT_DENIED); /* FILE_GENERIC_READ and instances, */
    guard_opens("D:(A;;0x12008D;;;WD)", PP_WAY_TO_SERVER,
                PIPEPORT_DENIED);                                       /* which lacks what its own dial asks for: */
    guard_opens("D:(A;;0x12018F;;;WD)", PP_WAY_TO_SERVER, PIPEPORT_OK); /* to write, and to set the mode. */
    guard_opens("D:(A;;0x12018F;;;WD)", PP_WAY_BOTH, PIPEPORT_DENIED);  /* No FILE_WRITE_EA. */
    guard_opens("D:(A;;FW;;;WD)", PP_WAY_TO_CLIENT, PIPEPORT_DENIED);
    guard_opens("D:(A;;FR;;;WD)(A;;FW;;;WD)", PP_WAY_BOTH, PIPEPORT_OK);
    guard_opens("D:(A;;GA;;;WD)", PP_WAY_BOTH, PIPEPORT_OK);
    guard_opens("D:(A;;GRGW;;;WD)", PP_WAY_TO_CLIENT, PIPEPORT_OK);
    planned_settle(&guard_bed);
}

Test(port_windows_guard, refuses_a_text_that_lets_everybody_do_everything)
{
    if (planned_is_wine()) {
        cr_skip_test("Wine reads NO_ACCESS_CONTROL as a list of nobody");
    }
    pp_plan good = {0};
    planned_open(&guard_bed, &good);
    guard_refuses("D:NO_ACCESS_CONTROL");
    planned_settle(&guard_bed);
}

Test(port_windows_guard, refuses_a_text_that_is_too_long)
{
    static char text[80000] = "D:P";
    for (size_t i = 3; i + 16 < sizeof text; i += 14) {
        memcpy(text + i, "(A;;FA;;;BU)  ", 15);
    }
    pp_plan good = {0}, plan = {.access = PP_ACCESS_SDDL, .sddl = text};
    planned_open(&guard_bed, &good);
    pp_ear *ear;
    char name[80];
    bed_name(name);
    pp_fault fault = pp_ear_open(&ear, guard_bed.port, &guard_bed.memory, name, &plan);
    cr_assert(fault.status == PIPEPORT_INVALID && fault.system_code == ERROR_INVALID_PARAMETER);
    planned_settle(&guard_bed);
}

/* What the system says to a client that is this process without its user's rights, and without the system's and the
 * Administrators'. */
static DWORD guard_knock(const char *address)
{
    const char *const texts[] = {own_sid, "S-1-5-18", "S-1-5-32-544"};
    SID_AND_ATTRIBUTES without[3] = {0};
    HANDLE own, stranger;
    DWORD code = ERROR_SUCCESS;
    for (int i = 0; i < 3; i++) {
        cr_assert(ConvertStringSidToSidA(texts[i], &without[i].Sid));
    }
    cr_assert(OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own));
    cr_assert(CreateRestrictedToken(own, DISABLE_MAX_PRIVILEGE, 3, without, 0, NULL, 0, NULL, &stranger));
    cr_assert(ImpersonateLoggedOnUser(stranger));
    HANDLE pipe = CreateFileA(address, GENERIC_READ | FILE_WRITE_DATA, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (pipe == INVALID_HANDLE_VALUE) {
        code = GetLastError();
    } else {
        CloseHandle(pipe);
    }
    cr_assert(RevertToSelf());
    CloseHandle(stranger);
    CloseHandle(own);
    for (int i = 0; i < 3; i++) {
        LocalFree(without[i].Sid);
    }
    return code;
}

/* End to end: the list is there, and the system holds it. */
Test(port_windows_guard, keeps_out_who_is_not_in_the_list)
{
    bed_end server;
    char address[PP_ADDRESS_BYTES_MAX];
    pp_plan plan = {0};
    planned_open(&guard_bed, &plan);
    cr_assert(planned_expect_client(&guard_bed, &server, address));
    DWORD code = guard_knock(address);
    pp_pipe_cancel(&server.pipe, &server.accept);
    pipeport_status accepted = bed_await(&guard_bed, &server.accept).fault.status;
    if (accepted != PIPEPORT_STOPPED) {
        bed_end_close(&server);
    }
    planned_settle(&guard_bed);
    if (planned_is_wine()) {
        cr_skip_test("Wine keeps the list and never looks at it: a stranger heard %lu", code);
    }
    cr_assert_eq(code, ERROR_ACCESS_DENIED);
    cr_assert_eq(accepted, PIPEPORT_STOPPED);
}
