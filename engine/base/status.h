/* SPDX-License-Identifier: MIT */
/*
 * status.h - a failure as it travels inside: the status, and the system's own code beside it for people to read.
 */
#ifndef PP_BASE_STATUS_H
#define PP_BASE_STATUS_H

#include "engine/include/pipeport.h"

#include <stdint.h>

typedef struct pp_fault {
    pipeport_status status;
    int32_t system_code; /* GetLastError or errno where the system spoke, else 0. */
} pp_fault;

#endif
