/* SPDX-License-Identifier: MIT */
/*
 * pipe.c (Windows) - every call that may pend ends in pipe_armed, which alone decides between now and later.
 *
 * The order is always: count, call, keep the code of the call before anything else is called, decide. Once a call pends
 * its packet may be handled elsewhere before the call has returned, so that pipe and operation are not touched again.
 */
#include "engine/port/windows/pipe.h"

#include "engine/base/assert.h"
#include "engine/port/windows/ear.h"
#include "engine/port/windows/fault.h"
#include "engine/port/windows/modes.h"
#include "engine/port/windows/peer.h"
#include "engine/port/windows/port.h"

#include <stdatomic.h>
#include <string.h>

static HANDLE pipe_handle(const pp_pipe *pipe)
{
    return (HANDLE) (intptr_t) pipe->handle;
}

pipeport_status pp_pipe_address(const char *name, char address[PP_ADDRESS_BYTES_MAX])
{
    pp_name spelled;
    if (!pp_name_init(&spelled, name)) {
        return PIPEPORT_INVALID;
    }
    memcpy(address, spelled.address, sizeof spelled.address);
    return PIPEPORT_OK;
}

void pp_pipe_init(pp_pipe *pipe, pp_port *port)
{
    *pipe = (pp_pipe){.handle = PP_PIPE_CLOSED, .port = port, .slices_max = 1};
}

/* A pipe with messages of its own reads them whole, and leaves a packet for what succeeds at once (pp_port_adopt). */
static bool pipe_is_whole(const pp_pipe *pipe)
{
    return pipe->slices_max == 0;
}

/* No packet comes. */
static pp_armed pipe_ended(pp_port *port, DWORD code, uint32_t bytes, pp_result *now)
{
    pp_port_disarm(port);
    *now = (pp_result){.fault = pp_fault_from(code)};
    now->bytes = now->fault.status == PIPEPORT_OK ? bytes : 0;
    return PP_NOW;
}

/* `code`: what the call said, ERROR_SUCCESS if it returned TRUE. `whole`: what the pipe was before the call. Where a
 * call fails there is no packet either. */
static pp_armed pipe_armed(pp_port *port, bool whole, pp_op *op, DWORD code, pp_result *now)
{
    if (code == ERROR_IO_PENDING || (whole && (code == ERROR_SUCCESS || code == ERROR_MORE_DATA))) {
        return PP_LATER;
    }
    PP_VERIFY(code != ERROR_MORE_DATA); /* A handle that reads bytes never says it. */
    return pipe_ended(port, code, (uint32_t) pp_room_of(op)->overlapped.InternalHigh, now);
}

/* Takes the handle in, bound to the port; on failure it is closed. */
static pp_fault pipe_open(pp_pipe *pipe, HANDLE handle, bool whole)
{
    pp_fault fault = pp_port_adopt(pipe->port, handle, !whole);
    if (fault.status != PIPEPORT_OK) {
        CloseHandle(handle);
        return fault;
    }
    PP_VERIFY((HANDLE) (intptr_t) (int32_t) (intptr_t) handle == handle);
    pipe->handle = (int32_t) (intptr_t) handle;
    pipe->home = 0;
    pipe->slices_max = whole ? 0 : 1;
    atomic_store_explicit(&pipe->state, handle, memory_order_relaxed);
    return fault;
}

/* ERROR_NO_DATA means that the client has gone again, not that he left nothing: what he wrote can still be read. */
static bool pipe_holds_data(HANDLE handle)
{
    DWORD bytes = 0;
    return PeekNamedPipe(handle, NULL, 0, NULL, &bytes, NULL) && bytes > 0;
}

pp_armed pp_pipe_accept_on(pp_pipe *pipe, HANDLE instance, bool whole, pp_op *op, pp_result *now)
{
    *now = (pp_result){.fault = pipe_open(pipe, instance, whole)};
    if (now->fault.status != PIPEPORT_OK) {
        return PP_NOW;
    }
    pp_port *port = pipe->port;
    pp_port_arm(port, op, pipe);
    DWORD code = ConnectNamedPipe(instance, &pp_room_of(op)->overlapped) ? ERROR_SUCCESS : GetLastError();
    /* Somebody came between the two calls: that is success, though the system calls it an error, and so without a
     * packet. */
    if (code == ERROR_PIPE_CONNECTED || (code == ERROR_NO_DATA && pipe_holds_data(instance))) {
        return pipe_ended(port, ERROR_SUCCESS, 0, now);
    }
    pp_armed armed = pipe_armed(port, whole, op, code, now);
    if (armed == PP_NOW) {
        now->bytes = 0;
        if (now->fault.status != PIPEPORT_OK) {
            pp_pipe_abort(pipe);
        }
    }
    return armed;
}

pp_armed pp_pipe_accept(pp_pipe *pipe, pp_ear *ear, pp_op *op, pp_result *now)
{
    PP_ASSERT(pipe->handle == PP_PIPE_CLOSED);
    HANDLE instance = pp_ear_instance(ear, 0);
    if (instance == INVALID_HANDLE_VALUE) {
        *now = (pp_result){.fault = pp_fault_from(GetLastError())};
        return PP_NOW;
    }
    return pp_pipe_accept_on(pipe, instance, ear->plan.whole, op, now);
}

/* Until the server is known to be the right one, nothing is sent to it, nor read. */
pp_fault pp_pipe_dial(pp_pipe *pipe, const char *name, const pp_plan *plan, uint32_t home)
{
    PP_ASSERT(pipe->handle == PP_PIPE_CLOSED);
    (void) home; /* One port for all. */
    pp_name spelled;
    if (!pp_name_init(&spelled, name)) {
        return (pp_fault){PIPEPORT_INVALID, 0};
    }
    pp_fault fault = pp_peer_check_demand(plan);
    if (fault.status != PIPEPORT_OK) {
        return fault;
    }
    HANDLE handle = pp_ear_reach(spelled.path, plan);
    if (handle == INVALID_HANDLE_VALUE) {
        return pp_fault_from(GetLastError());
    }
    fault = pp_peer_meet_demand(handle, plan);
    if (fault.status == PIPEPORT_OK) {
        fault = pp_modes_set(handle, plan);
    }
    if (fault.status != PIPEPORT_OK) {
        CloseHandle(handle);
        return fault;
    }
    return pipe_open(pipe, handle, plan->whole);
}

pp_armed pp_pipe_read(pp_pipe *pipe, void *buffer, uint32_t bytes, pp_op *op, pp_result *now)
{
    PP_ASSERT(pipe->handle != PP_PIPE_CLOSED && bytes > 0);
    pp_port *port = pipe->port;
    HANDLE handle = pipe_handle(pipe);
    bool whole = pipe_is_whole(pipe);
    if (whole) {
        pp_port_arm_message(port, op, handle);
    } else {
        pp_port_arm(port, op, NULL);
    }
    BOOL ok = ReadFile(handle, buffer, bytes, NULL, &pp_room_of(op)->overlapped);
    return pipe_armed(port, whole, op, ok ? ERROR_SUCCESS : GetLastError(), now);
}

void pp_pipe_skip(pp_pipe *pipe)
{
    (void) pipe;
    PP_VERIFY(false); /* pp_port_can_await says no: a read brings a part of a message into any room. */
}

pp_armed pp_pipe_await(pp_pipe *pipe, pp_op *op, pp_result *now)
{
    (void) pipe;
    (void) op;
    (void) now;
    PP_VERIFY(false); /* pp_port_can_await says no. */
    return PP_NOW;
}

pp_armed pp_pipe_write(pp_pipe *pipe, const pp_slice *slices, uint32_t count, pp_op *op, pp_result *now)
{
    PP_ASSERT(pipe->handle != PP_PIPE_CLOSED && count == 1 && slices[0].bytes > 0);
    (void) count; /* WriteFileGather is for files of whole pages only. */
    pp_port *port = pipe->port;
    bool whole = pipe_is_whole(pipe);
    pp_port_arm_write(port, op, slices[0].bytes);
    BOOL ok = WriteFile(pipe_handle(pipe), slices[0].data, slices[0].bytes, NULL, &pp_room_of(op)->overlapped);
    return pipe_armed(port, whole, op, ok ? ERROR_SUCCESS : GetLastError(), now);
}

/* An accept that ends badly is closed by the take that brings it, perhaps at this moment: hence the handle from
 * `state`. Should its number be another pipe's by now, nothing happens, for no operation there has this OVERLAPPED.
 * Failing means that the operation is home, and no more than that. */
void pp_pipe_cancel(pp_pipe *pipe, pp_op *op)
{
    HANDLE handle = atomic_load_explicit(&pipe->state, memory_order_relaxed);
    if (handle != NULL) {
        (void) CancelIoEx(handle, &pp_room_of(op)->overlapped);
    }
}

/* As HasOverlappedIoCompleted does it. Of what has pended the system sets the status when the packet is taken out of
 * the port (since Vista: "Windows Internals", completion of an I/O request), Wine before it queues it. Once the packet
 * is taken the room holds a result or a link, and none of them looks like this status. */
bool pp_pipe_is_answered(pp_pipe *pipe, const pp_op *op)
{
    const volatile uint64_t *status = &op->room.words[0];
    (void) pipe;
    return (uint32_t) *status != STATUS_PENDING;
}

/* CloseHandle and nothing before it: DisconnectNamedPipe would throw away what the peer has not read, and
 * FlushFileBuffers would wait for it. */
void pp_pipe_close(pp_pipe *pipe)
{
    PP_ASSERT(pipe->handle != PP_PIPE_CLOSED);
    atomic_store_explicit(&pipe->state, NULL, memory_order_relaxed);
    CloseHandle(pipe_handle(pipe));
    pipe->handle = PP_PIPE_CLOSED;
}

/* Disconnected, the instance ends with our handle. Where nobody is connected the call fails, and there is nobody to
 * wait for. A cancelled accept's instance still lets in who comes before it is closed: hence an abort there too. */
void pp_pipe_abort(pp_pipe *pipe)
{
    PP_ASSERT(pipe->handle != PP_PIPE_CLOSED);
    (void) DisconnectNamedPipe(pipe_handle(pipe));
    pp_pipe_close(pipe);
}
