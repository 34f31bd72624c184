/* SPDX-License-Identifier: MIT */
/*
 * fake_pipe.c - reading and writing; see fake_port.h.
 */
#include "tests/support/fake_inside.h"

#include "engine/base/assert.h"
#include "tests/support/default_frame.h"

#include <string.h>

static void fake_arm(fake_armed *armed, pp_op *op)
{
    fake_lock_take();
    PP_VERIFY(!armed->op);
    armed->op = op;
    fake_lock_give();
    atomic_fetch_add(&fake.armed, 1);
}

/* Under the lock. */
static void fake_disarm(fake_armed *armed, pp_result result)
{
    fake_finish(armed->op, result);
    armed->op = NULL;
}

static uint32_t fake_length(const test_bytes *lengths, size_t at)
{
    uint32_t length;
    memcpy(&length, lengths->data + at * sizeof length, sizeof length);
    return length;
}

static bool fake_has_message(const fake_pipe *of)
{
    return of->said_at < of->said.length / sizeof(uint32_t);
}

static bool fake_read_whole(fake_pipe *of, uint8_t *buffer, uint32_t bytes, pp_result *result)
{
    if (!fake_has_message(of)) {
        *result = (pp_result){of->read_end, 0, 0};
        return of->read_end.status != PIPEPORT_OK;
    }
    uint32_t left = fake_length(&of->said, of->said_at) - of->said_read;
    uint32_t most = bytes < of->read_bytes_max ? bytes : of->read_bytes_max;
    if (fake.gathers && left > bytes) {
        *result = (pp_result){fake_ok, 0, left};
        return true;
    }
    uint32_t taken = left < most || fake.gathers ? left : most;
    if (taken) {
        memcpy(buffer, of->arrived.data + of->arrived_at, taken);
    }
    of->arrived_at += taken;
    of->said_read += taken;
    *result = (pp_result){fake_ok, taken, left - taken};
    if (left == taken) {
        of->said_at += 1;
        of->said_read = 0;
    }
    return true;
}

/* What a read of `bytes` would get now. False: nothing, it waits. */
static bool fake_read_now(fake_pipe *of, uint8_t *buffer, uint32_t bytes, pp_result *result)
{
    if (of->whole) {
        return fake_read_whole(of, buffer, bytes, result);
    }
    size_t left = of->arrived.length - of->arrived_at;
    uint32_t most = bytes < of->read_bytes_max ? bytes : of->read_bytes_max;
    if (left) {
        uint32_t taken = left < most ? (uint32_t) left : most;
        memcpy(buffer, of->arrived.data + of->arrived_at, taken);
        of->arrived_at += taken;
        *result = (pp_result){fake_ok, taken, 0};
        return true;
    }
    *result = (pp_result){of->read_end, 0, 0};
    return of->read_end.status != PIPEPORT_OK;
}

pp_armed pp_pipe_read(pp_pipe *pipe, void *buffer, uint32_t bytes, pp_op *op, pp_result *now)
{
    fake_pipe *of = fake_of(pipe);
    PP_VERIFY(bytes > 0 && !of->read.op && !of->unread);
    PP_VERIFY(op ? !!op->done : fake.can_await);
    of->reads += 1;
    if (of->inside_read) {
        of->inside_read(of);
    }
    if ((!of->reads_later || !op) && fake_read_now(of, buffer, bytes, now)) {
        return PP_NOW;
    }
    if (!op) {
        *now = (pp_result){fake_ok, 0, of->whole};
        return PP_NOW;
    }
    of->read.buffer = buffer;
    of->read.bytes = bytes;
    memset(buffer, 0xEE, bytes); /* Lent: who looks before it is home sees rubbish. */
    fake_arm(&of->read, op);
    fake_peer_sends(of, NULL, 0);
    return PP_LATER;
}

void pp_pipe_skip(pp_pipe *pipe)
{
    fake_pipe *of = fake_of(pipe);
    PP_VERIFY(fake.can_await && fake.gathers && !of->read.op && fake_has_message(of));
    of->arrived_at += fake_length(&of->said, of->said_at);
    of->said_at += 1;
}

static bool fake_is_readable(const fake_pipe *of)
{
    bool is_there = of->whole ? fake_has_message(of) : of->arrived_at < of->arrived.length;
    return (is_there && !of->unread) || of->read_end.status != PIPEPORT_OK;
}

/* What an await hears. */
static pp_result fake_word(const fake_pipe *of)
{
    return (pp_result){of->unread ? of->read_end : fake_ok, 0, 0};
}

pp_armed pp_pipe_await(pp_pipe *pipe, pp_op *op, pp_result *now)
{
    fake_pipe *of = fake_of(pipe);
    PP_VERIFY(fake.can_await && !of->read.op && op->done);
    of->awaits += 1;
    if (!of->reads_later && fake_is_readable(of)) {
        *now = fake_word(of);
        return PP_NOW;
    }
    of->read.buffer = NULL;
    fake_arm(&of->read, op);
    fake_peer_sends(of, NULL, 0);
    return PP_LATER;
}

void fake_await_lies(fake_pipe *of)
{
    PP_VERIFY(of->read.op && !of->read.buffer);
    fake_disarm(&of->read, (pp_result){fake_ok, 0, 0});
}

static void fake_try_read(fake_pipe *of)
{
    pp_result result = fake_word(of);
    if (!of->read.op) {
        return;
    }
    if (of->read.buffer ? fake_read_now(of, of->read.buffer, of->read.bytes, &result) : fake_is_readable(of)) {
        fake_disarm(&of->read, result);
    }
}

void fake_peer_sends(fake_pipe *of, const void *data, size_t length)
{
    test_bytes_add(&of->arrived, data, length);
    fake_try_read(of);
}

void fake_peer_says(fake_pipe *of, const void *message, uint32_t length)
{
    PP_VERIFY(of->whole);
    test_bytes_add(&of->said, &length, sizeof length);
    fake_peer_sends(of, message, length);
}

void fake_peer_sends_message(fake_pipe *of, const void *payload, uint32_t length)
{
    uint8_t header[FRAME_HEADER_BYTES];
    frame_write_header(header, length);
    test_bytes_add(&of->arrived, header, sizeof header);
    fake_peer_sends(of, payload, length);
}

static uint64_t fake_slices_bytes(const pp_slice *slices, uint32_t count)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; ++i) {
        PP_VERIFY(slices[i].bytes > 0);
        bytes += slices[i].bytes;
    }
    return bytes;
}

/* All of it or nothing. */
static bool fake_write_whole(fake_pipe *of, const pp_slice *slice, pp_result *result)
{
    if (of->write_room < slice->bytes) {
        return false;
    }
    test_bytes_add(&of->written, slice->data, slice->bytes);
    test_bytes_add(&of->heard, &slice->bytes, sizeof slice->bytes);
    of->write_room -= of->write_room == UINT64_MAX ? 0 : slice->bytes;
    result->bytes = slice->bytes;
    return true;
}

/* What a write would do now. False: there is no room, it waits. */
static bool fake_write_now(fake_pipe *of, const pp_slice *slices, uint32_t count, pp_result *result)
{
    *result = (pp_result){of->write_end, 0, 0};
    if (of->write_end.status != PIPEPORT_OK) {
        return true;
    }
    if (of->whole) {
        return fake_write_whole(of, slices, result);
    }
    uint64_t left = fake_slices_bytes(slices, count);
    left = left < of->write_bytes_max ? left : of->write_bytes_max;
    left = left < of->write_room ? left : of->write_room;
    for (uint32_t i = 0; i < count && left > 0; ++i) {
        uint32_t bytes = slices[i].bytes < left ? slices[i].bytes : (uint32_t) left;
        test_bytes_add(&of->written, slices[i].data, bytes);
        result->bytes += bytes;
        left -= bytes;
    }
    of->write_room -= of->write_room == UINT64_MAX ? 0 : result->bytes;
    return result->bytes > 0;
}

static void fake_try_write(fake_pipe *of)
{
    pp_result result;
    if (of->write.op && fake_write_now(of, of->write.slices, of->write.slices_count, &result)) {
        fake_disarm(&of->write, result);
    }
}

pp_armed pp_pipe_write(pp_pipe *pipe, const pp_slice *slices, uint32_t count, pp_op *op, pp_result *now)
{
    fake_pipe *of = fake_of(pipe);
    PP_VERIFY(count >= 1 && count <= (of->whole ? 1 : pipe->slices_max) && !of->unwritten);
    PP_VERIFY(op ? op->done != NULL : fake.can_await);
    PP_VERIFY(fake_slices_bytes(slices, count) > 0);
    of->writes += 1;
    if (of->inside_write) {
        of->inside_write(of);
    }
    if (!of->writes_later && fake_write_now(of, slices, count, now)) {
        return PP_NOW;
    }
    if (!op) {
        *now = (pp_result){{PIPEPORT_OK, 0}, 0, 0};
        return PP_NOW;
    }
    memcpy(of->write.slices, slices, count * sizeof slices[0]);
    of->write.slices_count = count;
    fake_arm(&of->write, op);
    fake_lock_take();
    fake_try_write(of);
    fake_lock_give();
    return PP_LATER;
}

void fake_peer_reads(fake_pipe *of, uint64_t bytes)
{
    of->write_room += of->write_room == UINT64_MAX ? 0 : bytes;
    fake_try_write(of);
}

void fake_fail_read(fake_pipe *of, pipeport_status status, int32_t code)
{
    of->read_end = (pp_fault){status, code};
    fake_try_read(of);
}

void fake_fail_write(fake_pipe *of, pipeport_status status, int32_t code)
{
    of->write_end = (pp_fault){status, code};
    fake_try_write(of);
}

void fake_peer_has_said_all(fake_pipe *of)
{
    fake_fail_read(of, PIPEPORT_GONE, 109);
}

void fake_peer_goes(fake_pipe *of)
{
    fake_fail_read(of, PIPEPORT_GONE, 109);
    fake_fail_write(of, PIPEPORT_GONE, 232);
}

bool pp_pipe_is_answered(pp_pipe *pipe, const pp_op *op)
{
    fake_pipe *of = fake_of(pipe);
    fake_lock_take();
    bool waits = of->read.op == op || of->write.op == op || (!fake.not_shared && fake_has_queued(op));
    fake_lock_give();
    return !waits;
}

void pp_pipe_cancel(pp_pipe *pipe, pp_op *op)
{
    if (fake_cancel_accept(op) || pipe->handle == PP_PIPE_CLOSED) { /* Closed: an accept that has failed by itself. */
        return;
    }
    fake_pipe *of = fake_of(pipe);
    fake_lock_take();
    fake_armed *armed = of->read.op == op ? &of->read : &of->write;
    if (armed->op == op) {
        of->cancels += 1;
        if (!of->cancel_loses) {
            fake_disarm(armed, (pp_result){{PIPEPORT_STOPPED, 995}, 0, 0});
        }
    }
    fake_lock_give();
}
