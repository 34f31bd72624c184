/* SPDX-License-Identifier: MIT */
/*
 * expect.h - what must be true on any thread, and waiting for what must become true.
 *
 * Criterion's asserts leave the test by a jump, which only the test's own thread may do. EXPECT notes the failure and
 * goes on; the test ends with expect_fine. AWAIT looks again each millisecond, so that no test depends on how long
 * something takes; what does not come true within EXPECT_PATIENCE_MS ends the process: a test that hangs tells less.
 * While the machine stands still (virtual ones did, for 34 s) nobody waits.
 */
#ifndef TESTS_SUPPORT_EXPECT_H
#define TESTS_SUPPORT_EXPECT_H

#include <stdbool.h>
#include <stdint.h>

enum { EXPECT_PATIENCE_MS = 40000 };

#define EXPECT(what) ((what) ? (void) 0 : expect_failed(#what, __FILE__, __LINE__))

#define AWAIT(what) AWAIT_FOR(what, EXPECT_PATIENCE_MS)

#define AWAIT_FOR(what, patience_ms)                                                                                   \
    for (uint64_t await_until_ = expect_until(patience_ms); !(what);) {                                                \
        await_until_ = expect_nap(await_until_, #what, __FILE__, __LINE__);                                            \
    }                                                                                                                  \
    (void) 0

/* Thread: any. */
void expect_failed(const char *what, const char *file, int line);
uint64_t expect_until(uint32_t patience_ms);

/* Naps for a millisecond; gives `until_ms`, later by as long as the nap was longer than can be. */
uint64_t expect_nap(uint64_t until_ms, const char *what, const char *file, int line);

/* `tell` is called before a process ends because somebody waited in vain; NULL: nothing is. Thread: any. */
void expect_ask(void (*tell)(void));

/* Fails the test if something failed so far. Thread: the test's. */
void expect_fine(void);

#endif
