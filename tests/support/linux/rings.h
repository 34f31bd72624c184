/* SPDX-License-Identifier: MIT */
/*
 * rings.h - what tests of the ring driver begin with and look at: a bed (tests/laws/bed.h) on a ring, and what is still
 * with the kernel.
 */
#ifndef TESTS_SUPPORT_LINUX_RINGS_H
#define TESTS_SUPPORT_LINUX_RINGS_H

#include "engine/port/linux/uring/ring.h"
#include "tests/laws/bed.h"

/* A bed with one drainer, of any thread's (bed_open) or of this one's (bed_open_own), and its ring; or a skip. */
pp_ring *rings_open(test_bed *bed, bool lent);

/* A skip, where no receive goes on. */
void rings_need_streams(const pp_ring *ring);

/* A write without an operation: not by the ring, and all of it at once. */
void rings_talk(bed_end *end, const char *data, uint32_t bytes);

/* What is armed goes to the kernel, which has nothing to say. */
void rings_take_nothing(test_bed *bed);

/* Bytes that the kernel has for this end, and not the ring. */
int rings_left(const bed_end *end);

#endif
