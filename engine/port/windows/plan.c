/* SPDX-License-Identifier: MIT */
#include "engine/port/plan.h"

#include <stddef.h>

const char *pp_plan_lacks(const pp_plan *plan)
{
    if (plan->access == PP_ACCESS_GROUP) {
        return "Windows knows no group ids: name the group's SID in a security descriptor (SDDL).";
    }
    return NULL;
}

/* A call moves less than 4 GiB; the bound is the engine's own. */
uint32_t pp_plan_message_bytes_max(const pp_plan *plan)
{
    (void) plan;
    return UINT32_C(1) << 30;
}
