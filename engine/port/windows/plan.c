/* SPDX-License-Identifier: MIT */
#include "engine/port/plan.h"

#include <stddef.h>

const char *pp_plan_lacks(const pp_plan *plan)
{
    if (plan->access == PP_ACCESS_GROUP) {
        return "access: not GROUP on this system, which knows no group ids; give SDDL, and the group's SID in "
               "access_sddl";
    }
    return NULL;
}

/* A call moves less than 4 GiB; the bound is the engine's own. */
uint32_t pp_plan_message_bytes_max(const pp_plan *plan)
{
    (void) plan;
    return UINT32_C(1) << 30;
}
