/* SPDX-License-Identifier: MIT */
#include "engine/port/windows/modes.h"

#include "engine/port/windows/fault.h"

DWORD pp_modes_open(const pp_plan *plan)
{
    switch ((pp_way) plan->way) {
    case PP_WAY_BOTH:
        return PIPE_ACCESS_DUPLEX;
    case PP_WAY_TO_SERVER:
        return PIPE_ACCESS_INBOUND;
    case PP_WAY_TO_CLIENT:
        return PIPE_ACCESS_OUTBOUND;
    }
    return 0; /* None of the system's: ERROR_INVALID_PARAMETER. */
}

DWORD pp_modes_pipe(const pp_plan *plan)
{
    return (plan->typed ? (DWORD) PIPE_TYPE_MESSAGE : (DWORD) PIPE_TYPE_BYTE) |
           (plan->whole ? (DWORD) PIPE_READMODE_MESSAGE : (DWORD) PIPE_READMODE_BYTE) | PIPE_WAIT |
           (plan->remote ? (DWORD) PIPE_ACCEPT_REMOTE_CLIENTS : (DWORD) PIPE_REJECT_REMOTE_CLIENTS);
}

DWORD pp_modes_instances(const pp_plan *plan)
{
    return plan->instances_max == 0 ? PIPE_UNLIMITED_INSTANCES : plan->instances_max + 1;
}

/* FILE_WRITE_DATA, not GENERIC_WRITE: that one asks for the right to make instances too, which a server may well keep
 * for itself ("Named Pipe Security and Access Rights"). With FILE_WRITE_ATTRIBUTES the mode of a handle that is read
 * can be set ("SetNamedPipeHandleState function"), with FILE_READ_ATTRIBUTES, a part of GENERIC_READ, the pipe's type
 * seen, and with READ_CONTROL, another, its owner. */
DWORD pp_modes_rights(const pp_plan *plan)
{
    const DWORD to_write = FILE_WRITE_DATA | FILE_WRITE_ATTRIBUTES;
    switch ((pp_way) plan->way) {
    case PP_WAY_BOTH:
        return GENERIC_READ | to_write;
    case PP_WAY_TO_SERVER:
        return to_write | FILE_READ_ATTRIBUTES | SYNCHRONIZE | (plan->server_user != NULL ? READ_CONTROL : 0);
    case PP_WAY_TO_CLIENT:
        return GENERIC_READ | FILE_WRITE_ATTRIBUTES;
    }
    return 0;
}

pp_fault pp_modes_set(HANDLE client, const pp_plan *plan)
{
    if (!plan->typed) {
        return (pp_fault){PIPEPORT_OK, 0};
    }
    /* Asked, not tried: who only writes need not read whole messages, and a type that is wrong harms him as well. */
    DWORD flags = 0;
    if (!GetNamedPipeInfo(client, &flags, NULL, NULL, NULL)) {
        return pp_fault_from(GetLastError());
    }
    if ((flags & PIPE_TYPE_MESSAGE) == 0) {
        return (pp_fault){PIPEPORT_WRONG_TYPE, ERROR_INVALID_PARAMETER};
    }
    if (!plan->whole || plan->way == PP_WAY_TO_SERVER) {
        return (pp_fault){PIPEPORT_OK, 0};
    }
    DWORD mode = PIPE_READMODE_MESSAGE | PIPE_WAIT;
    return pp_fault_from(SetNamedPipeHandleState(client, &mode, NULL, NULL) ? ERROR_SUCCESS : GetLastError());
}

/* "PeekNamedPipe function": the wait mode of the pipe has no effect on it, it always returns at once. Of a pipe of
 * another machine the server is asked ([MS-SMB2] 3.2.4.20.5): a round trip. */
uint32_t pp_modes_left(HANDLE handle)
{
    DWORD left = 0;
    return PeekNamedPipe(handle, NULL, 0, NULL, NULL, &left) && left > 0 ? (uint32_t) left : 1;
}
