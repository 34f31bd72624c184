/* SPDX-License-Identifier: MIT */
/*
 * test_port_windows_close.c - closing loses nothing that the peer has not read yet: who writes, closes his handle and
 * has left is heard to the last byte, however full the pipe was and however late the peer reads. Aborting loses that,
 * and is what frees the instance of a client that keeps its end.
 */
#include "tests/support/windows/planned.h"

#include <criterion/criterion.h>

#include <string.h>

enum { BUFFER_BYTES = 4096, PIECE_BYTES = 1000, ROUNDS = 50 };

static test_bed close_bed;
static bed_end server, client;
static char block[PIECE_BYTES], room[PIECE_BYTES];

static pp_plan close_plan(bool whole)
{
    return (pp_plan){.in_bytes = BUFFER_BYTES, .out_bytes = BUFFER_BYTES, .typed = whole, .whole = whole};
}

/* Reads to the end what was stamped from `at` on, `bytes` of it. */
static void close_expect(bed_end *end, uint64_t bytes, uint64_t at)
{
    uint64_t got = 0;
    for (;;) {
        pp_result result = bed_read(&close_bed, end, room, sizeof room);
        if (result.fault.status != PIPEPORT_OK) {
            cr_assert_eq(result.fault.status, PIPEPORT_GONE);
            break;
        }
        cr_assert(bed_is_stamped(room, result.bytes, at + got));
        got += result.bytes;
    }
    cr_assert_eq(got, bytes, "%d bytes of %d", (int) got, (int) bytes);
}

/* The one end has written and leaves; then the other reads. */
static void close_after_a_write(bool whole, bool server_leaves)
{
    pp_plan plan = close_plan(whole);
    planned_open(&close_bed, &plan);
    for (int i = 0; i < ROUNDS; i++) {
        planned_pair(&close_bed, &plan, &server, &client);
        bed_end *from = server_leaves ? &server : &client, *to = server_leaves ? &client : &server;
        bed_stamp(block, 700, 0);
        cr_assert_eq(bed_write(&close_bed, from, block, 700).bytes, 700);
        bed_stamp(block, 300, 700);
        cr_assert_eq(bed_write(&close_bed, from, block, 300).bytes, 300);
        bed_end_close(from);
        close_expect(to, 1000, 0);
        bed_end_close(to);
    }
    planned_settle(&close_bed);
}

/* The pipe is full and one write more waits. The peer reads as much as lets that one end, no more; then the writer
 * leaves, and the peer reads on. */
static void close_when_full(bool whole)
{
    pp_plan plan = close_plan(whole);
    planned_open(&close_bed, &plan);
    planned_pair(&close_bed, &plan, &server, &client);
    uint64_t taken = bed_fill(&close_bed, &server, block, PIECE_BYTES), read = 0;
    cr_assert_geq(taken, PIECE_BYTES); /* Else this shows nothing. */
    pp_result wrote;
    while (!bed_poll(&close_bed, &server.write, &wrote)) {
        pp_result result = bed_read(&close_bed, &client, room, 100);
        cr_assert_eq(result.fault.status, PIPEPORT_OK);
        cr_assert(bed_is_stamped(room, result.bytes, read));
        read += result.bytes;
    }
    cr_assert(wrote.fault.status == PIPEPORT_OK && wrote.bytes == PIECE_BYTES);
    cr_assert_lt(read, taken + PIECE_BYTES); /* Something is left to lose. */
    bed_end_close(&server);
    close_expect(&client, taken + PIECE_BYTES - read, read);
    bed_end_close(&client);
    planned_settle(&close_bed);
}

/* The peer is another thread, with a blocking handle, that begins to read when the writer has left. */
typedef struct close_dawdler {
    char address[PP_ADDRESS_BYTES_MAX];
    bool whole;
    uint64_t got;
    pp_gate writer_left;
} close_dawdler;

static void close_dawdle(void *argument)
{
    close_dawdler *self = argument;
    char part[64];
    HANDLE pipe = CreateFileA(self->address, GENERIC_READ | FILE_WRITE_ATTRIBUTES, 0, NULL, OPEN_EXISTING, 0, NULL);
    LAW(pipe != INVALID_HANDLE_VALUE);
    DWORD mode = self->whole ? PIPE_READMODE_MESSAGE : PIPE_READMODE_BYTE, moved;
    LAW(SetNamedPipeHandleState(pipe, &mode, NULL, NULL));
    LAW(pp_gate_wait(&self->writer_left, BED_PATIENCE_MS));
    while (ReadFile(pipe, part, sizeof part, &moved, NULL) || GetLastError() == ERROR_MORE_DATA) {
        LAW(bed_is_stamped(part, moved, self->got));
        self->got += moved;
    }
    LAW(GetLastError() == ERROR_BROKEN_PIPE);
    CloseHandle(pipe);
}

static void close_before_a_dawdler(bool whole)
{
    pp_plan plan = close_plan(whole);
    planned_open(&close_bed, &plan);
    close_dawdler dawdler = {.whole = whole};
    pp_gate_init(&dawdler.writer_left, 1);
    pp_thread thread;
    cr_assert(planned_expect_client(&close_bed, &server, dawdler.address));
    cr_assert_eq(pp_os_thread_start(&thread, close_dawdle, &dawdler).status, PIPEPORT_OK);
    cr_assert_eq(bed_await(&close_bed, &server.accept).fault.status, PIPEPORT_OK);
    uint64_t taken = 0;
    for (int i = 0; i < 4; i++) { /* It just fits. */
        bed_stamp(block, PIECE_BYTES, taken);
        cr_assert_eq(bed_write(&close_bed, &server, block, PIECE_BYTES).bytes, PIECE_BYTES);
        taken += PIECE_BYTES;
    }
    bed_end_close(&server);
    pp_ear_close(close_bed.ear); /* Nor does it hang on the ear. */
    close_bed.ear = NULL;
    (void) pp_gate_leave(&dawdler.writer_left);
    pp_os_thread_join(&thread);
    cr_assert_eq(dawdler.got, taken, "%d bytes of %d", (int) dawdler.got, (int) taken);
    planned_settle(&close_bed);
}

Test(port_windows_close, loses_no_byte_that_was_written, .timeout = 100)
{
    close_after_a_write(false, true);
    close_after_a_write(false, false);
}

Test(port_windows_close, loses_no_message_that_was_written, .timeout = 100)
{
    close_after_a_write(true, true);
    close_after_a_write(true, false);
}

Test(port_windows_close, loses_no_byte_of_a_pipe_that_was_full, .timeout = 100)
{
    close_when_full(false);
}

Test(port_windows_close, loses_no_message_of_a_pipe_that_was_full, .timeout = 100)
{
    close_when_full(true);
}

Test(port_windows_close, loses_no_byte_though_the_peer_dawdles, .timeout = 100)
{
    close_before_a_dawdler(false);
}

Test(port_windows_close, loses_no_message_though_the_peer_dawdles, .timeout = 100)
{
    close_before_a_dawdler(true);
}

/* The end is heard in an instant, not when somebody's time is up: closing waits for nobody. */
Test(port_windows_close, waits_for_nobody, .timeout = 100)
{
    for (int whole = 0; whole < 2; whole++) {
        pp_plan plan = close_plan(whole > 0);
        planned_open(&close_bed, &plan);
        planned_pair(&close_bed, &plan, &server, &client);
        uint64_t taken = bed_fill(&close_bed, &server, block, PIECE_BYTES);
        pp_pipe_cancel(&server.pipe, &server.write);
        pp_result wrote = bed_await(&close_bed, &server.write);
        bed_end_close(&server); /* With a full pipe and a peer that never reads: it comes back. */
        cr_assert(wrote.fault.status == PIPEPORT_STOPPED || wrote.fault.status == PIPEPORT_OK);
        pp_result result = bed_read(&close_bed, &client, room, 100);
        cr_assert(taken >= PIECE_BYTES && result.fault.status == PIPEPORT_OK && result.bytes == 100);
        cr_assert(bed_is_stamped(room, 100, 0));
        bed_end_close(&client);
        planned_settle(&close_bed);
    }
}

/* ERROR_PIPE_NOT_CONNECTED, and nothing of what was written: the sign that the client was taken off. */
Test(port_windows_close, takes_the_client_off_when_it_aborts, .timeout = 100)
{
    for (int whole = 0; whole < 2; whole++) {
        pp_plan plan = close_plan(whole > 0);
        planned_open(&close_bed, &plan);
        planned_pair(&close_bed, &plan, &server, &client);
        cr_assert_eq(bed_write(&close_bed, &server, block, PIECE_BYTES).bytes, PIECE_BYTES);
        bed_end_abort(&server);
        pp_result result = bed_read(&close_bed, &client, room, sizeof room);
        cr_assert_eq(result.fault.status, PIPEPORT_GONE);
        cr_assert_eq(result.fault.system_code, ERROR_PIPE_NOT_CONNECTED);
        result = bed_write(&close_bed, &client, block, 1);
        cr_assert_eq(result.fault.status, PIPEPORT_GONE);
        bed_end_close(&client);
        planned_settle(&close_bed);
    }
}

/* A cancelled accept's instance can still be connected to before it is closed. */
Test(port_windows_close, takes_off_who_comes_to_a_cancelled_accept, .timeout = 100)
{
    pp_plan plan = close_plan(false);
    pp_result now;
    planned_open(&close_bed, &plan);
    bed_end_init(&close_bed, &server, 0);
    bed_end_init(&close_bed, &client, 0);
    cr_assert_eq(pp_pipe_accept(&server.pipe, close_bed.ear, &server.accept, &now), PP_LATER);
    pp_pipe_cancel(&server.pipe, &server.accept);
    cr_assert_eq(pp_pipe_dial(&client.pipe, close_bed.name, &plan, 0).status, PIPEPORT_OK);
    cr_assert_eq(bed_await(&close_bed, &server.accept).fault.status, PIPEPORT_STOPPED);
    cr_assert_eq(server.pipe.handle, PP_PIPE_CLOSED);
    pp_result result = bed_read(&close_bed, &client, room, sizeof room);
    cr_assert_eq(result.fault.status, PIPEPORT_GONE);
    cr_assert_eq(result.fault.system_code, ERROR_PIPE_NOT_CONNECTED);
    bed_end_close(&client);
    planned_settle(&close_bed);
}

/* Why there is an abort; "DisconnectNamedPipe function": "The pipe exists as long as a server or client process has an
 * open handle to the pipe." */
Test(port_windows_close, leaves_an_instance_to_a_client_that_keeps_its_end, .timeout = 100)
{
    if (planned_is_wine()) {
        cr_skip_test("Wine ends an instance, and frees its name, when the server's handle is closed");
    }
    bed_end next;
    pp_result now;
    pp_plan plan = close_plan(false);
    plan.instances_max = 1;
    planned_open(&close_bed, &plan);
    planned_pair(&close_bed, &plan, &server, &client);
    bed_end_close(&server);
    bed_end_init(&close_bed, &next, 0);
    cr_assert_eq(pp_pipe_accept(&next.pipe, close_bed.ear, &next.accept, &now), PP_NOW);
    cr_assert_eq(now.fault.status, PIPEPORT_BUSY);
    bed_end_close(&client);
    planned_pair(&close_bed, &plan, &server, &client);
    bed_end_close(&server);
    pp_ear_close(close_bed.ear);
    pp_ear *ear = NULL;
    cr_assert_eq(pp_ear_open(&ear, close_bed.port, &close_bed.memory, close_bed.name, &plan).status,
                 PIPEPORT_NAME_TAKEN);
    bed_end_close(&client);
    cr_assert_eq(pp_ear_open(&close_bed.ear, close_bed.port, &close_bed.memory, close_bed.name, &plan).status,
                 PIPEPORT_OK);
    planned_settle(&close_bed);
}
