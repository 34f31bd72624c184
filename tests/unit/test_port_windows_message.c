/* SPDX-License-Identifier: MIT */
/*
 * test_port_windows_message.c - pipes with messages of their own (PIPE_TYPE_MESSAGE), read whole and read as bytes,
 * with ends of ours and with blocking ends of the kind that Microsoft's samples have.
 *
 * Each test ends with planned_settle, which sees that as many operations came home as were armed, and none twice: what
 * ends at once leaves one packet here, be it success or ERROR_MORE_DATA.
 */
#include "tests/support/windows/planned.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

enum { LONG_BYTES = 1 << 20, PART_BYTES = 256 };

static const pp_plan whole_plan = {.in_bytes = 4096, .out_bytes = 4096, .typed = true, .whole = true};
static const pp_plan typed_plan = {.in_bytes = 4096, .out_bytes = 4096, .typed = true};

static test_bed message_bed;
static bed_end server, client;
static char block[LONG_BYTES], room[LONG_BYTES];

static void message_setup(void)
{
    planned_open(&message_bed, &whole_plan);
}

TestSuite(port_windows_message, .init = message_setup, .timeout = 100);

static void message_settle(void)
{
    bed_end_close(&server);
    bed_end_close(&client);
    planned_settle(&message_bed);
}

/* Reads once, and what comes is this. */
static void message_expect(bed_end *end, uint32_t room_bytes, uint32_t bytes, uint32_t more)
{
    pp_result result = bed_read(&message_bed, end, room, room_bytes);
    cr_assert_eq(result.fault.status, PIPEPORT_OK, "status %d, code %ld", result.fault.status,
                 result.fault.system_code);
    cr_assert_eq(result.bytes, bytes, "%u bytes", result.bytes);
    cr_assert_eq(result.more, more, "%u more", result.more);
}

/* One message without a buffer's bytes, which our own ends never send. The event's lowest bit keeps its packet off the
 * port ("GetQueuedCompletionStatus function"). */
static void message_write_empty(const bed_end *end)
{
    OVERLAPPED overlapped = {.hEvent = (HANDLE) ((uintptr_t) CreateEventW(NULL, TRUE, FALSE, NULL) | 1)};
    DWORD wrote = 1;
    cr_assert(WriteFile(planned_handle(end), "", 0, &wrote, &overlapped) || GetLastError() == ERROR_IO_PENDING);
    cr_assert(GetOverlappedResult(planned_handle(end), &overlapped, &wrote, TRUE));
    cr_assert_eq(wrote, 0);
    CloseHandle(overlapped.hEvent);
}

Test(port_windows_message, brings_each_write_as_one_message)
{
    planned_pair(&message_bed, &whole_plan, &server, &client);
    bed_stamp(block, 300, 0);
    for (uint32_t bytes = 1; bytes <= 3; bytes++) {
        cr_assert_eq(bed_write(&message_bed, &client, block, bytes * 100).bytes, bytes * 100);
    }
    for (uint32_t bytes = 1; bytes <= 3; bytes++) {
        message_expect(&server, sizeof room, bytes * 100, 0);
        cr_assert(bed_is_stamped(room, bytes * 100, 0));
    }
    cr_assert_eq(bed_write(&message_bed, &server, block, 7).bytes, 7);
    message_expect(&client, 7, 7, 0); /* It just fits: that is no part. */
    message_settle();
}

Test(port_windows_message, says_how_much_is_to_come_where_a_message_was_there)
{
    planned_pair(&message_bed, &whole_plan, &server, &client);
    bed_stamp(block, 1000, 0);
    cr_assert_eq(bed_write(&message_bed, &client, block, 1000).bytes, 1000);
    cr_assert_eq(bed_write(&message_bed, &client, block, 5).bytes, 5);
    message_expect(&server, 100, 100, 900);
    cr_assert(bed_is_stamped(room, 100, 0));
    message_expect(&server, 899, 899, 1);
    cr_assert(bed_is_stamped(room, 899, 100));
    message_expect(&server, 1, 1, 0);
    cr_assert(bed_is_stamped(room, 1, 999));
    message_expect(&server, 100, 5, 0);
    message_settle();
}

Test(port_windows_message, says_how_much_is_to_come_where_a_read_waited)
{
    planned_pair(&message_bed, &whole_plan, &server, &client);
    pp_result now;
    bed_stamp(block, 1000, 0);
    cr_assert_eq(bed_arm_read(&server, room, 100, &now), PP_LATER);
    cr_assert_eq(bed_write(&message_bed, &client, block, 1000).bytes, 1000);
    now = bed_await(&message_bed, &server.read);
    cr_assert(now.fault.status == PIPEPORT_OK && now.bytes == 100);
    cr_assert_eq(now.more, 900);
    message_expect(&server, 900, 900, 0);
    cr_assert(bed_is_stamped(room, 900, 100));
    message_settle();
}

/* More than the pipe's buffer holds: the write pends until the end is read. Two reads are enough. */
Test(port_windows_message, carries_a_message_longer_than_its_buffers)
{
    planned_pair(&message_bed, &whole_plan, &server, &client);
    pp_result now, wrote;
    bed_stamp(block, LONG_BYTES, 0);
    bool later = bed_arm_write(&client, block, LONG_BYTES, &wrote) == PP_LATER;
    message_expect(&server, PART_BYTES, PART_BYTES, LONG_BYTES - PART_BYTES);
    cr_assert(bed_is_stamped(room, PART_BYTES, 0));
    message_expect(&server, LONG_BYTES, LONG_BYTES - PART_BYTES, 0);
    cr_assert(bed_is_stamped(room, LONG_BYTES - PART_BYTES, PART_BYTES));
    if (later) {
        wrote = bed_await(&message_bed, &client.write);
    }
    cr_assert(wrote.fault.status == PIPEPORT_OK && wrote.bytes == LONG_BYTES && wrote.more == 0);
    cr_assert_eq(bed_arm_read(&server, room, 1, &now), PP_LATER);
    pp_pipe_cancel(&server.pipe, &server.read);
    cr_assert_eq(bed_await(&message_bed, &server.read).fault.status, PIPEPORT_STOPPED);
    message_settle();
}

Test(port_windows_message, takes_a_message_of_no_bytes_for_one_and_not_for_the_end)
{
    planned_pair(&message_bed, &whole_plan, &server, &client);
    pp_result now;
    for (int i = 0; i < 3; i++) {
        message_write_empty(&client);
    }
    cr_assert_eq(bed_write(&message_bed, &client, "x", 1).bytes, 1);
    for (int i = 0; i < 3; i++) {
        message_expect(&server, 100, 0, 0);
    }
    message_expect(&server, 100, 1, 0);
    cr_assert_eq(bed_arm_read(&server, room, 100, &now), PP_LATER);
    message_write_empty(&client);
    now = bed_await(&message_bed, &server.read);
    cr_assert(now.fault.status == PIPEPORT_OK && now.bytes == 0 && now.more == 0);
    bed_end_close(&client);
    cr_assert_eq(bed_read(&message_bed, &server, room, 100).fault.status, PIPEPORT_GONE);
    bed_end_close(&server);
    planned_settle(&message_bed);
}

Test(port_windows_message, hears_of_the_end_within_a_message_it_has_read_a_part_of)
{
    planned_pair(&message_bed, &whole_plan, &server, &client);
    bed_stamp(block, 10, 0);
    cr_assert_eq(bed_write(&message_bed, &client, block, 10).bytes, 10);
    bed_end_close(&client);
    message_expect(&server, 4, 4, 6); /* What is there is still told of, and still read. */
    message_expect(&server, 4, 4, 2);
    message_expect(&server, 4, 2, 0);
    cr_assert_eq(bed_read(&message_bed, &server, room, 4).fault.status, PIPEPORT_GONE);
    bed_end_close(&server);
    planned_settle(&message_bed);
}

Test(port_windows_message, reads_messages_as_bytes_where_they_are_not_to_be_whole)
{
    char name[80];
    bed_name(name);
    pp_ear_close(message_bed.ear);
    cr_assert_eq(pp_ear_open(&message_bed.ear, message_bed.port, &message_bed.memory, name, &typed_plan).status,
                 PIPEPORT_OK);
    memcpy(message_bed.name, name, sizeof name);
    pp_ear_make_room(message_bed.ear, 1);
    planned_pair(&message_bed, &typed_plan, &server, &client);
    bed_stamp(block, 200, 0);
    cr_assert_eq(bed_write(&message_bed, &client, block, 150).bytes, 150);
    message_expect(&server, 100, 100, 0); /* Bytes know of no more. */
    cr_assert(bed_is_stamped(room, 100, 0));
    message_expect(&server, 50, 50, 0);
    cr_assert(bed_is_stamped(room, 50, 100));
    bed_stream(&message_bed, &server, &client, 100000, 3000);
    message_settle();
}

/* "Named Pipe Client", step by step: CreateFile, SetNamedPipeHandleState, WriteFile, ReadFile in parts of 512. */
static void message_sample_client(void *argument)
{
    const char *address = argument;
    char part[512], whole[3000], transact[] = "transact", call[] = "call"; /* The calls want them writable. */
    uint32_t total = 0;
    LAW(WaitNamedPipeA(address, 20000));
    HANDLE pipe = CreateFileA(address, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    LAW(pipe != INVALID_HANDLE_VALUE);
    DWORD mode = PIPE_READMODE_MESSAGE, moved = 0;
    LAW(SetNamedPipeHandleState(pipe, &mode, NULL, NULL));
    LAW(WriteFile(pipe, "request", 7, &moved, NULL) && moved == 7);
    for (BOOL done = FALSE; !done;) {
        done = ReadFile(pipe, part, sizeof part, &moved, NULL);
        LAW(done || (GetLastError() == ERROR_MORE_DATA && moved == sizeof part));
        LAW(total + moved <= sizeof whole);
        memcpy(whole + total, part, moved);
        total += moved;
    }
    LAW(total == sizeof whole && bed_is_stamped(whole, sizeof whole, 0));
    LAW(TransactNamedPipe(pipe, transact, 8, part, sizeof part, &moved, NULL) && moved == 8);
    LAW(memcmp(part, "transact", 8) == 0);
    CloseHandle(pipe);
    LAW(CallNamedPipeA(address, call, 4, part, sizeof part, &moved, 20000) && moved == 4);
    LAW(memcmp(part, "call", 4) == 0);
}

Test(port_windows_message, serves_the_blocking_client_of_the_samples)
{
    char address[PP_ADDRESS_BYTES_MAX];
    pp_thread thread;
    cr_assert(planned_expect_client(&message_bed, &server, address));
    cr_assert_eq(pp_os_thread_start(&thread, message_sample_client, address).status, PIPEPORT_OK);
    cr_assert_eq(bed_await(&message_bed, &server.accept).fault.status, PIPEPORT_OK);
    message_expect(&server, sizeof room, 7, 0);
    cr_assert_eq(memcmp(room, "request", 7), 0);
    bed_stamp(block, 3000, 0);
    cr_assert_eq(bed_write(&message_bed, &server, block, 3000).bytes, 3000);
    message_expect(&server, sizeof room, 8, 0);
    cr_assert_eq(bed_write(&message_bed, &server, room, 8).bytes, 8);
    cr_assert_eq(bed_read(&message_bed, &server, room, 1).fault.status, PIPEPORT_GONE);
    bed_end_close(&server);
    if (planned_expect_client(&message_bed, &server, address)) { /* The next may have waited for it. */
        cr_assert_eq(bed_await(&message_bed, &server.accept).fault.status, PIPEPORT_OK);
    }
    message_expect(&server, sizeof room, 4, 0);
    cr_assert_eq(bed_write(&message_bed, &server, room, 4).bytes, 4);
    cr_assert_eq(bed_read(&message_bed, &server, room, 1).fault.status, PIPEPORT_GONE);
    pp_os_thread_join(&thread);
    bed_end_close(&server);
    planned_settle(&message_bed);
}

/* One that never sets the mode reads a message in pieces as it likes. */
Test(port_windows_message, serves_a_client_that_reads_bytes)
{
    char address[PP_ADDRESS_BYTES_MAX];
    cr_assert(planned_expect_client(&message_bed, &server, address));
    HANDLE pipe = CreateFileA(address, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    cr_assert_neq(pipe, INVALID_HANDLE_VALUE);
    cr_assert_eq(bed_await(&message_bed, &server.accept).fault.status, PIPEPORT_OK);
    bed_stamp(block, 100, 0);
    cr_assert_eq(bed_write(&message_bed, &server, block, 100).bytes, 100);
    DWORD got;
    cr_assert(ReadFile(pipe, room, 30, &got, NULL) && got == 30);
    cr_assert(ReadFile(pipe, room + 30, 70, &got, NULL) && got == 70);
    cr_assert(bed_is_stamped(room, 100, 0));
    CloseHandle(pipe);
    bed_end_close(&server);
    planned_settle(&message_bed);
}

/* A message waits for him who accepts late, and its pipe is one of messages all the same. */
Test(port_windows_message, delivers_what_was_written_before_the_accept_came_home)
{
    planned_pair(&message_bed, &whole_plan, &server, &client);
    cr_assert_eq(bed_write(&message_bed, &client, "farewell", 8).bytes, 8);
    bed_end_close(&client);
    message_expect(&server, 100, 8, 0);
    cr_assert_eq(memcmp(room, "farewell", 8), 0);
    cr_assert_eq(bed_read(&message_bed, &server, room, 100).fault.status, PIPEPORT_GONE);
    bed_end_close(&server);
    planned_settle(&message_bed);
}
