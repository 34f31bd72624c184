/* SPDX-License-Identifier: MIT */
#include "bench/generator/line.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#define LINE_COLUMNS 118

static atomic_bool line_is_shown; /* There is one stderr. */

void line_show(const char *text)
{
    fprintf(stderr, "\r%-*.*s", LINE_COLUMNS, LINE_COLUMNS, text);
    fflush(stderr);
    atomic_store(&line_is_shown, true);
}

void line_clear(void)
{
    if (atomic_exchange(&line_is_shown, false)) {
        fprintf(stderr, "\r%*s\r", LINE_COLUMNS, "");
        fflush(stderr);
    }
}
