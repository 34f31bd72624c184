/* SPDX-License-Identifier: MIT */
#include "tests/support/windows/planned.h"

#include <string.h>

void planned_open(test_bed *bed, const pp_plan *plan)
{
    bed_open(bed, 1);
    bed_name(bed->name);
    pp_fault fault = pp_ear_open(&bed->ear, bed->port, &bed->memory, bed->name, plan);
    LAW(fault.status == PIPEPORT_OK);
    pp_ear_make_room(bed->ear, BED_ROOM);
}

void planned_settle(test_bed *bed)
{
    bed_hears_nothing(bed);
    bed_close(bed);
}

void planned_pair(test_bed *bed, const pp_plan *plan, bed_end *server, bed_end *client)
{
    pp_result now;
    bed_end_init(bed, server, 0);
    bed_end_init(bed, client, 0);
    LAW(pp_pipe_accept(&server->pipe, bed->ear, &server->accept, &now) == PP_LATER);
    LAW(pp_pipe_dial(&client->pipe, bed->name, plan, 0).status == PIPEPORT_OK);
    now = bed_await(bed, &server->accept);
    LAW(now.fault.status == PIPEPORT_OK && now.bytes == 0 && now.more == 0);
}

bool planned_expect_client(test_bed *bed, bed_end *server, char address[PP_ADDRESS_BYTES_MAX])
{
    pp_result now;
    bed_end_init(bed, server, 0);
    LAW(pp_pipe_address(bed->name, address) == PIPEPORT_OK);
    pp_armed armed = pp_pipe_accept(&server->pipe, bed->ear, &server->accept, &now);
    LAW(armed == PP_LATER || now.fault.status == PIPEPORT_OK);
    return armed == PP_LATER;
}

HANDLE planned_handle(const bed_end *end)
{
    return (HANDLE) (intptr_t) end->pipe.handle;
}

bool planned_is_wine(void)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL;
}
