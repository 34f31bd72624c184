/* SPDX-License-Identifier: MIT */
/*
 * assert.c - the last words of a process that found a bug of ours.
 */
#include "engine/base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void pp_assert_failed(const char *what, const char *file, int line)
{
    /* One call, so that two threads that fail together do not mix their lines. */
    fprintf(stderr, "pipeport: %s:%d: this must hold and does not: %s\n", file, line, what);
    fflush(stderr); /* abort does not, and not every stderr is unbuffered. */
    abort();
}
