/* SPDX-License-Identifier: MIT */
#include "tests/support/expect.h"

#include "engine/port/os.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPECT_TEXT_BYTES = 500, EXPECT_SHOWN_MAX = 20, EXPECT_NAP_MS_MAX = 1000 };

static _Atomic uint32_t expect_failures;
static _Atomic bool expect_written;
static _Atomic(void (*)(void)) expect_teller;
static _Atomic bool expect_ending;
static char expect_first[EXPECT_TEXT_BYTES]; /* Readable once `written`. */

static const char *expect_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void expect_failed(const char *what, const char *file, int line)
{
    char text[EXPECT_TEXT_BYTES];
    uint32_t before = atomic_fetch_add(&expect_failures, 1);
    (void) snprintf(text, sizeof text, "%s:%d: not true: %s", expect_file(file), line, what);
    if (before == 0) {
        memcpy(expect_first, text, sizeof text);
        atomic_store(&expect_written, true);
    }
    if (before < EXPECT_SHOWN_MAX) { /* At once: the test may never come to its end. */
        fprintf(stderr, "%s\n", text);
        fflush(stderr);
    }
}

uint64_t expect_until(uint32_t patience_ms)
{
    return pp_os_now_ms() + patience_ms;
}

/* One tells and ends the process; who else waited in vain meanwhile does not cut him short. */
static _Noreturn void expect_end(void)
{
    void (*tell)(void) = atomic_load(&expect_teller);
    pp_gate shut;
    pp_gate_init(&shut, 1);
    if (atomic_exchange(&expect_ending, true)) {
        (void) pp_gate_wait(&shut, UINT32_MAX);
    }
    if (tell) {
        tell();
    }
    abort();
}

uint64_t expect_nap(uint64_t until_ms, const char *what, const char *file, int line)
{
    pp_gate shut;
    uint64_t begin_ms = pp_os_now_ms(), napped_ms;
    if (begin_ms > until_ms) {
        /* Criterion hands its log on at once, by a lock of its own; under Wine a test's stderr leads nowhere. */
        cr_log_error("%s:%d: waited in vain for: %s", expect_file(file), line, what);
        if (atomic_load(&expect_written)) {
            cr_log_error("before that: %s", expect_first);
        }
        expect_end();
    }
    pp_gate_init(&shut, 1);
    (void) pp_gate_wait(&shut, 1);
    napped_ms = pp_os_now_ms() - begin_ms;
    return napped_ms > EXPECT_NAP_MS_MAX ? until_ms + napped_ms - EXPECT_NAP_MS_MAX : until_ms;
}

void expect_ask(void (*tell)(void))
{
    atomic_store(&expect_teller, tell);
}

void expect_fine(void)
{
    uint32_t failures = atomic_load(&expect_failures);
    if (failures) {
        AWAIT(atomic_load(&expect_written));
        cr_assert_fail("%u expectations were not met, the first: %s", failures, expect_first);
    }
}
