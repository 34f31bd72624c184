/* SPDX-License-Identifier: MIT */
/*
 * test_port_windows.c - what only the Windows backend has: refused posts, codes, names, the moment between an instance
 * and its accept. What every backend must do is in tests/laws; plans, guards, messages, peers and closing have files of
 * their own beside this one.
 */
#include "engine/port/windows/ear.h"
#include "engine/port/windows/fault.h"
#include "engine/port/windows/pipe.h"
#include "engine/port/windows/port.h"
#include "tests/laws/bed.h"

#include <criterion/criterion.h>

#include <string.h>

static test_bed port_bed;
static bed_end server, client;
static char room[256];

static void port_setup(void)
{
    bed_open(&port_bed, 1);
    bed_listen(&port_bed);
    bed_end_init(&port_bed, &server, 0);
    bed_end_init(&port_bed, &client, 0);
}

static void port_settle(void)
{
    bed_settle(&port_bed, NULL, NULL);
}

TestSuite(port_windows, .init = port_setup, .timeout = 100);

Test(port_windows, hands_out_posts_that_the_system_refused)
{
    enum { REFUSED = 2 * PP_BATCH_MAX + 3 };
    static pp_op ops[REFUSED];
    static bool seen[REFUSED];
    HANDLE iocp = port_bed.port->iocp;
    port_bed.port->iocp = NULL; /* Refuses everything. */
    for (int i = 0; i < REFUSED; i++) {
        pp_port_post(port_bed.port, &ops[i]);
    }
    pp_port_wake(port_bed.port);
    port_bed.port->iocp = iocp;
    pp_completion batch[PP_BATCH_MAX];
    for (uint32_t total = 0; total < REFUSED;) {
        uint32_t count = pp_port_take(port_bed.port, 0, 0, batch, PP_BATCH_MAX);
        cr_assert(count >= 1 && count <= PP_BATCH_MAX);
        total += count;
        for (uint32_t i = 0; i < count; i++) {
            cr_assert_eq(batch[i].result.fault.status, PIPEPORT_OK);
            cr_assert_not(seen[batch[i].op - ops]);
            seen[batch[i].op - ops] = true;
        }
    }
    port_settle();
}

Test(port_windows, does_not_lose_a_wake_that_the_system_refused)
{
    HANDLE iocp = port_bed.port->iocp;
    port_bed.port->iocp = NULL;
    pp_port_wake(port_bed.port);
    port_bed.port->iocp = iocp;
    pp_completion completion;
    cr_assert_eq(pp_port_take(port_bed.port, 0, UINT32_MAX, &completion, 1), 0);
    port_settle();
}

Test(port_windows, sends_back_a_wake_that_one_batch_took_for_two)
{
    pp_completion batch[PP_BATCH_MAX];
    cr_assert_eq(pp_port_take(port_bed.port, 2, 0, batch, PP_BATCH_MAX), 0); /* Now three drainers are known. */
    pp_port_wake(port_bed.port);
    cr_assert_eq(pp_port_take(port_bed.port, 0, UINT32_MAX, batch, PP_BATCH_MAX), 0);
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *overlapped;
    for (int left = 2; left > 0; left--) {
        cr_assert(GetQueuedCompletionStatus(port_bed.port->iocp, &bytes, &key, &overlapped, 0));
        cr_assert_null(overlapped);
    }
    cr_assert_not(GetQueuedCompletionStatus(port_bed.port->iocp, &bytes, &key, &overlapped, 0));
    port_settle();
}

static void port_take_one(void *argument)
{
    pp_completion completion;
    LAW(pp_port_take(port_bed.port, 0, UINT32_MAX, &completion, 1) == 1);
    LAW(completion.op == argument);
}

Test(port_windows, hands_a_refused_post_to_a_taker_that_sleeps_already)
{
    pp_op op = {0};
    pp_thread taker;
    cr_assert_eq(pp_os_thread_start(&taker, port_take_one, &op).status, PIPEPORT_OK);
    pp_gate never;
    pp_gate_init(&never, 1);
    (void) pp_gate_wait(&never, 50); /* It sleeps by now; and if it does not, the test only shows less. */
    pp_port_arm(port_bed.port, &op, NULL);
    pp_port_keep(port_bed.port, &op);
    pp_os_thread_join(&taker);
    port_settle();
}

Test(port_windows, keeps_more_drainers_awake_than_it_was_made_for)
{
    pp_completion completion;
    cr_assert(pp_port_is_shared(port_bed.port));
    cr_assert_eq(pp_port_take(port_bed.port, PP_DRAINERS_MAX - 1, 0, &completion, 1), 0);
    pp_port_wake(port_bed.port);
    cr_assert_eq(pp_port_take(port_bed.port, PP_DRAINERS_MAX - 1, UINT32_MAX, &completion, 1), 0);
    cr_assert_eq(pp_port_take(port_bed.port, 0, UINT32_MAX, &completion, 1), 0);
    port_settle();
}

Test(port_windows, knows_the_codes_of_the_system)
{
    static const struct {
        unsigned long code;
        pipeport_status status;
    } codes[] = {
        {0, PIPEPORT_OK},         {109, PIPEPORT_GONE},       {232, PIPEPORT_GONE},       {233, PIPEPORT_GONE},
        {676, PIPEPORT_GONE},     {995, PIPEPORT_STOPPED},    {231, PIPEPORT_BUSY},       {2, PIPEPORT_NO_SERVER},
        {5, PIPEPORT_DENIED},     {8, PIPEPORT_NO_MEMORY},    {14, PIPEPORT_NO_MEMORY},   {1450, PIPEPORT_NO_MEMORY},
        {87, PIPEPORT_INVALID},   {123, PIPEPORT_INVALID},    {50, PIPEPORT_UNSUPPORTED}, {53, PIPEPORT_NO_SERVER},
        {67, PIPEPORT_NO_SERVER}, {1231, PIPEPORT_NO_SERVER}, {1232, PIPEPORT_NO_SERVER}, {1326, PIPEPORT_DENIED},
        {1307, PIPEPORT_DENIED},  {6, PIPEPORT_SYSTEM},       {9999999, PIPEPORT_SYSTEM}};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        pp_fault fault = pp_fault_from(codes[i].code);
        cr_assert_eq(fault.status, codes[i].status, "code %lu", codes[i].code);
        cr_assert_eq(fault.system_code, (long) codes[i].code);
    }
    port_settle();
}

Test(port_windows, knows_what_an_operation_ended_with)
{
    cr_assert_eq(pp_fault_from_packet(0).status, PIPEPORT_OK);
    cr_assert_eq(pp_fault_from_packet(0x80000005UL).status, PIPEPORT_OK);      /* STATUS_BUFFER_OVERFLOW */
    cr_assert_eq(pp_fault_from_packet(0xC0000120UL).status, PIPEPORT_STOPPED); /* STATUS_CANCELLED */
    cr_assert_eq(pp_fault_from_packet(0xC0000120UL).system_code, ERROR_OPERATION_ABORTED);
    cr_assert_eq(pp_fault_from_packet(0xC000014BUL).status, PIPEPORT_GONE); /* STATUS_PIPE_BROKEN */
    cr_assert_eq(pp_fault_from_packet(0xC00000B1UL).status, PIPEPORT_GONE); /* STATUS_PIPE_CLOSING */
    cr_assert_eq(pp_fault_from_packet(0xC00000B0UL).status, PIPEPORT_GONE); /* STATUS_PIPE_DISCONNECTED */
    cr_assert_eq(pp_fault_from_packet(0xC000009AUL).status, PIPEPORT_NO_MEMORY);
    cr_assert(pp_fault_is_part(0x80000005UL) && !pp_fault_is_part(0) && !pp_fault_is_part(0xC000014BUL));
    port_settle();
}

Test(port_windows, spells_a_name_as_the_system_does)
{
    static const struct {
        const char *name, *address;
    } names[] = {{"a b", "\\\\.\\pipe\\a b"},
                 {"\\\\.\\pipe\\whole", "\\\\.\\pipe\\whole"},
                 {"\\\\.\\PiPe\\Whole", "\\\\.\\pipe\\Whole"},
                 {"dot.in.it", "\\\\.\\pipe\\dot.in.it"},
                 {"\\\\host\\PIPE\\x", "\\\\host\\pipe\\x"},
                 {"\\\\a.b-c\\pipe\\x y", "\\\\a.b-c\\pipe\\x y"}};
    char address[PP_ADDRESS_BYTES_MAX];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cr_assert_eq(pp_pipe_address(names[i].name, address), PIPEPORT_OK);
        cr_assert_str_eq(address, names[i].address);
    }
    static const char *const refused[] = {"dot.",
                                          "blank ",
                                          "..",
                                          "\\\\.\\pipe",
                                          "\\\\.\\pip\\x",
                                          "\\\\?\\pipe\\x",
                                          "\\\\host\\pip\\x",
                                          "\\\\host\\pipe\\",
                                          "\\\\host\\pipe",
                                          "\\\\\\pipe\\x",
                                          "\\\\a b\\pipe\\x",
                                          "\\\\a/b\\pipe\\x",
                                          "\\host\\pipe\\x"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        cr_assert_eq(pp_pipe_address(refused[i], address), PIPEPORT_INVALID, "%s", refused[i]);
    }
    port_settle();
}

Test(port_windows, serves_the_longest_name)
{
    char name[PP_NAME_BYTES_MAX + 1];
    memset(name, 'y', sizeof name);
    memcpy(name, port_bed.name, strlen(port_bed.name));
    name[PP_NAME_BYTES_MAX] = '\0';
    pp_ear *ear;
    pp_fault fault = pp_ear_open(&ear, port_bed.port, &port_bed.memory, name, &bed_plan);
    cr_assert_eq(fault.status, PIPEPORT_OK);
    cr_assert_eq(pp_pipe_dial(&client.pipe, name, &bed_plan, 0).status, PIPEPORT_BUSY);
    pp_ear_close(ear);
    port_settle();
}

/* The holder keeps the name, and nobody reaches it. */
Test(port_windows, is_busy_while_no_instance_is_armed)
{
    for (int i = 0; i < 3; i++) {
        pp_fault fault = pp_pipe_dial(&client.pipe, port_bed.name, &bed_plan, 0);
        cr_assert_eq(fault.status, PIPEPORT_BUSY);
        cr_assert_eq(fault.system_code, ERROR_PIPE_BUSY);
        bed_pair(&port_bed, &server, &client);
        bed_end_close(&server);
        bed_end_close(&client);
    }
    port_settle();
}

/* An instance of the ear's that a client has come to already. */
static HANDLE port_meet(void)
{
    HANDLE instance = pp_ear_instance(port_bed.ear, 0);
    cr_assert_neq(instance, INVALID_HANDLE_VALUE);
    cr_assert_eq(pp_pipe_dial(&client.pipe, port_bed.name, &bed_plan, 0).status, PIPEPORT_OK);
    return instance;
}

Test(port_windows, accepts_at_once_who_came_before_the_accept)
{
    pp_result now;
    HANDLE instance = port_meet();
    cr_assert_eq(pp_pipe_accept_on(&server.pipe, instance, false, &server.accept, &now), PP_NOW);
    cr_assert_eq(now.fault.status, PIPEPORT_OK);
    bed_stream(&port_bed, &client, &server, 1000, 100);
    bed_end_close(&server);
    bed_end_close(&client);
    port_settle();
}

Test(port_windows, tells_of_one_who_came_and_went_before_the_accept)
{
    pp_result now;
    HANDLE instance = port_meet();
    bed_end_close(&client);
    cr_assert_eq(pp_pipe_accept_on(&server.pipe, instance, false, &server.accept, &now), PP_NOW);
    cr_assert_eq(now.fault.status, PIPEPORT_GONE);
    cr_assert_eq(server.pipe.handle, PP_PIPE_CLOSED);
    port_settle();
}

Test(port_windows, delivers_what_one_wrote_who_came_and_went_before_the_accept)
{
    pp_result now;
    HANDLE instance = port_meet();
    cr_assert_eq(bed_write(&port_bed, &client, "farewell", 8).bytes, 8);
    bed_end_close(&client);
    cr_assert_eq(pp_pipe_accept_on(&server.pipe, instance, false, &server.accept, &now), PP_NOW);
    cr_assert_eq(now.fault.status, PIPEPORT_OK);
    cr_assert_eq(bed_read(&port_bed, &server, room, sizeof room).bytes, 8);
    cr_assert_eq(memcmp(room, "farewell", 8), 0);
    cr_assert_eq(bed_read(&port_bed, &server, room, sizeof room).fault.status, PIPEPORT_GONE);
    bed_end_close(&server);
    port_settle();
}

Test(port_windows, does_not_take_a_write_of_no_bytes_for_the_end)
{
    bed_pair(&port_bed, &server, &client);
    pp_result result;
    DWORD wrote = 1;
    OVERLAPPED overlapped = {.hEvent = (HANDLE) ((uintptr_t) CreateEventW(NULL, TRUE, FALSE, NULL) | 1)};
    cr_assert_eq(bed_arm_read(&server, room, sizeof room, &result), PP_LATER);
    /* The event's lowest bit keeps this write's packet off the port ("GetQueuedCompletionStatus function"). */
    BOOL ok = WriteFile((HANDLE) (intptr_t) client.pipe.handle, "", 0, &wrote, &overlapped);
    cr_assert(ok || GetLastError() == ERROR_IO_PENDING);
    cr_assert_eq(bed_write(&port_bed, &client, "x", 1).bytes, 1);
    result = bed_await(&port_bed, &server.read);
    if (result.bytes == 0) {
        cr_assert_eq(result.fault.status, PIPEPORT_OK);
        result = bed_read(&port_bed, &server, room, sizeof room);
    }
    cr_assert(result.fault.status == PIPEPORT_OK && result.bytes == 1 && room[0] == 'x');
    bed_end_close(&server);
    bed_end_close(&client);
    CloseHandle(overlapped.hEvent);
    port_settle();
}

Test(port_windows, reads_bytes_from_a_server_of_messages)
{
    char address[PP_ADDRESS_BYTES_MAX], name[80];
    bed_name(name);
    cr_assert_eq(pp_pipe_address(name, address), PIPEPORT_OK);
    HANDLE instance = CreateNamedPipeA(address, PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, 1, 4096,
                                       4096, 50, NULL);
    cr_assert_neq(instance, INVALID_HANDLE_VALUE);
    cr_assert_eq(pp_pipe_dial(&client.pipe, name, &bed_plan, 0).status, PIPEPORT_OK);
    DWORD wrote;
    bed_stamp(room, 100, 0);
    cr_assert(WriteFile(instance, room, 100, &wrote, NULL));
    memset(room, 0, sizeof room);
    pp_result now;
    cr_assert_eq(bed_arm_read(&client, room, 10, &now), PP_NOW);
    cr_assert(now.fault.status == PIPEPORT_OK && now.bytes == 10);
    cr_assert_eq(bed_read(&port_bed, &client, room + 10, 200).bytes, 90);
    cr_assert(bed_is_stamped(room, 100, 0));
    bed_end_close(&client);
    CloseHandle(instance);
    port_settle();
}

/* So the laws of awaiting (tests/laws/test_laws_await.c) have nothing to say here and are not built. */
Test(port_windows, says_that_its_pipes_wait_in_a_read_only)
{
    cr_assert_not(pp_port_can_await(port_bed.port));
    cr_assert_str_eq(pp_port_driver(port_bed.port), "IOCP");
    port_settle();
}

Test(port_windows, passes_no_handle_on_to_children)
{
    bed_pair(&port_bed, &server, &client);
    HANDLE handles[] = {port_bed.ear->holder, (HANDLE) (intptr_t) server.pipe.handle,
                        (HANDLE) (intptr_t) client.pipe.handle};
    for (size_t i = 0; i < sizeof handles / sizeof handles[0]; i++) {
        DWORD flags;
        cr_assert(GetHandleInformation(handles[i], &flags));
        cr_assert_eq(flags & HANDLE_FLAG_INHERIT, 0);
    }
    bed_end_close(&server);
    bed_end_close(&client);
    port_settle();
}
