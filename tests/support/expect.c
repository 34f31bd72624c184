/* SPDX-License-Identifier: MIT */
#include "tests/support/expect.h"

#include "engine/port/os.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXPECT_SHOWN_MAX = 20 };

static _Atomic uint32_t expect_failures;

void expect_failed(const char *what, const char *file, int line)
{
    if (atomic_fetch_add(&expect_failures, 1) < EXPECT_SHOWN_MAX) { /* At once: the test may never come to its end. */
        fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
        fflush(stderr);
    }
}

uint64_t expect_until(uint32_t patience_ms)
{
    return pp_os_now_ms() + patience_ms;
}

void expect_nap(uint64_t until_ms, const char *what, const char *file, int line)
{
    pp_gate shut;
    if (pp_os_now_ms() > until_ms) {
        fprintf(stderr, "%s:%d: waited in vain for: %s\n", file, line, what);
        fflush(stderr);
        abort();
    }
    pp_gate_init(&shut, 1);
    (void) pp_gate_wait(&shut, 1);
}

void expect_fine(void)
{
    uint32_t failures = atomic_load(&expect_failures);
    cr_assert(failures == 0, "%u expectations were not met, see above", failures);
}
