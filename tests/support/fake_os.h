/* SPDX-License-Identifier: MIT */
/*
 * fake_os.h - os.h for one thread with a clock that stands still until somebody waits: a test of an hour takes no time.
 *
 * It counts locks, so that a test can say "no callback runs under a lock", and it aborts where one thread would wait
 * for itself: a lock taken twice, a wait without a bound for a gate that is shut.
 */
#ifndef TESTS_SUPPORT_FAKE_OS_H
#define TESTS_SUPPORT_FAKE_OS_H

#include "engine/port/os.h"

extern uint64_t fake_os_ms;          /* The time. */
extern uint64_t fake_os_bits;        /* What pp_os_jitter answers, 0 after a start. */
extern unsigned fake_os_draws;       /* How often it was asked. */
extern void (*fake_os_drawn)(void);  /* Runs inside, as another thread that comes between; NULL: nothing does. */
extern unsigned fake_os_locks;       /* Taken now. */
extern uintptr_t fake_os_self;       /* Which thread this is, for tests that play several. */
extern unsigned fake_os_threads;     /* Started and not joined; their bodies never run. */
extern unsigned fake_os_threads_max; /* Starting one more fails, SYSTEM. */

void fake_os_pass(uint32_t ms);

#endif
