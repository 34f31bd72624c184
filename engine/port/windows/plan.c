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
