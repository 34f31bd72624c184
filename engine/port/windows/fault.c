/* SPDX-License-Identifier: MIT */
#include "engine/port/windows/fault.h"

#include "engine/port/windows/win.h"

#include <stddef.h>

static const unsigned long fault_more_data = 0x80000005UL; /* STATUS_BUFFER_OVERFLOW. */

enum { FAULT_PIPES_CLOSED_BY_WINE = 676 /* A pending connect whose handle is closed; Windows says 109. */ };

static const struct {
    unsigned long code;
    pipeport_status status;
} fault_table[] = {
    {ERROR_SUCCESS, PIPEPORT_OK},
    {ERROR_BROKEN_PIPE, PIPEPORT_GONE},        /* A read after the peer's end; */
    {ERROR_NO_DATA, PIPEPORT_GONE},            /* a write after it; an accept whose client came and went; */
    {ERROR_PIPE_NOT_CONNECTED, PIPEPORT_GONE}, /* a peer that disconnected us. */
    {ERROR_HANDLE_EOF, PIPEPORT_GONE},
    {ERROR_NETNAME_DELETED, PIPEPORT_GONE},
    {FAULT_PIPES_CLOSED_BY_WINE, PIPEPORT_GONE},
    {ERROR_OPERATION_ABORTED, PIPEPORT_STOPPED},
    {ERROR_CANCELLED, PIPEPORT_STOPPED},
    {ERROR_PIPE_BUSY, PIPEPORT_BUSY},
    {ERROR_FILE_NOT_FOUND, PIPEPORT_NO_SERVER},
    {ERROR_PATH_NOT_FOUND, PIPEPORT_NO_SERVER},
    {ERROR_BAD_NETPATH, PIPEPORT_NO_SERVER}, /* Of another machine: not there, not served, */
    {ERROR_BAD_NET_NAME, PIPEPORT_NO_SERVER},
    {ERROR_NETWORK_UNREACHABLE, PIPEPORT_NO_SERVER},
    {ERROR_HOST_UNREACHABLE, PIPEPORT_NO_SERVER},
    {ERROR_LOGON_FAILURE, PIPEPORT_DENIED}, /* or it does not know us. */
    {ERROR_ACCESS_DENIED, PIPEPORT_DENIED},
    {ERROR_PRIVILEGE_NOT_HELD, PIPEPORT_DENIED},
    {ERROR_INVALID_OWNER, PIPEPORT_DENIED}, /* A descriptor gives the pipe to somebody whom we may not name. */
    {ERROR_NOT_ENOUGH_MEMORY, PIPEPORT_NO_MEMORY},
    {ERROR_OUTOFMEMORY, PIPEPORT_NO_MEMORY},
    {ERROR_TOO_MANY_OPEN_FILES, PIPEPORT_NO_MEMORY},
    {ERROR_NO_SYSTEM_RESOURCES, PIPEPORT_NO_MEMORY},
    {ERROR_NONPAGED_SYSTEM_RESOURCES, PIPEPORT_NO_MEMORY},
    {ERROR_PAGED_SYSTEM_RESOURCES, PIPEPORT_NO_MEMORY},
    {ERROR_WORKING_SET_QUOTA, PIPEPORT_NO_MEMORY},
    {ERROR_COMMITMENT_LIMIT, PIPEPORT_NO_MEMORY},
    {ERROR_NOT_ENOUGH_QUOTA, PIPEPORT_NO_MEMORY},
    {ERROR_INVALID_PARAMETER, PIPEPORT_INVALID},
    {ERROR_INVALID_NAME, PIPEPORT_INVALID},
    {ERROR_BAD_PATHNAME, PIPEPORT_INVALID},
    {ERROR_FILENAME_EXCED_RANGE, PIPEPORT_INVALID},
    {ERROR_NO_UNICODE_TRANSLATION, PIPEPORT_INVALID},
    {ERROR_NOT_SUPPORTED, PIPEPORT_UNSUPPORTED},
    {ERROR_CALL_NOT_IMPLEMENTED, PIPEPORT_UNSUPPORTED},
};

pp_fault pp_fault_from(unsigned long code)
{
    pp_fault fault = {PIPEPORT_SYSTEM, (long) code};
    for (size_t i = 0; i < sizeof fault_table / sizeof fault_table[0]; i++) {
        if (fault_table[i].code == code) {
            fault.status = fault_table[i].status;
            break;
        }
    }
    return fault;
}

pp_fault pp_fault_from_packet(unsigned long nt_status)
{
    if (nt_status == 0 || nt_status == fault_more_data) {
        return (pp_fault){PIPEPORT_OK, 0};
    }
    return pp_fault_from(RtlNtStatusToDosError((NTSTATUS) nt_status));
}

bool pp_fault_is_part(unsigned long nt_status)
{
    return nt_status == fault_more_data;
}
