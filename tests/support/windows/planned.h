/* SPDX-License-Identifier: MIT */
/*
 * planned.h - a bed (tests/laws/bed.h) whose ear listens by a plan, and ends that dial by it.
 */
#ifndef TESTS_SUPPORT_WINDOWS_PLANNED_H
#define TESTS_SUPPORT_WINDOWS_PLANNED_H

#include "tests/laws/bed.h"

#include <wchar.h>
#include <windows.h>

/* A bed with one drainer, whose ear listens on a new name. */
void planned_open(test_bed *bed, const pp_plan *plan);

/* What breaks after a test's body fails no test of Criterion's: called by each test at its end. */
void planned_settle(test_bed *bed);

/* A connected pair, both ends by the plan. */
void planned_pair(test_bed *bed, const pp_plan *plan, bed_end *server, bed_end *client);

/* An accept armed, and the address of the ear for a client that is not ours. False: one has come already. */
bool planned_expect_client(test_bed *bed, bed_end *server, char address[PP_ADDRESS_BYTES_MAX]);

HANDLE planned_handle(const bed_end *end);

/* For what Wine does not do: skip loudly. */
bool planned_is_wine(void);

#endif
