/* SPDX-License-Identifier: MIT */
#include "bench/generator/line.h"

#include <stdatomic.h>
#include <stdio.h>

#include "bench/generator/machine.h"

#define LINE_COLUMNS_MAX 118u
#define LINE_COLUMNS_USUAL 79u /* Where the terminal does not tell. */

static _Atomic uint32_t line_shown; /* So much of it is there to be cleared. There is one stderr. */

uint32_t line_columns(void)
{
    uint32_t columns = machine_terminal_columns();

    columns = columns > 1 ? columns - 1 : LINE_COLUMNS_USUAL; /* In the last one some terminals begin a new line. */
    return columns < LINE_COLUMNS_MAX ? columns : LINE_COLUMNS_MAX;
}

void line_show(const char *text)
{
    int columns = (int) line_columns();

    fprintf(stderr, "\r%-*.*s", columns, columns, text);
    fflush(stderr);
    atomic_store(&line_shown, (uint32_t) columns);
}

void line_clear(void)
{
    uint32_t columns = atomic_exchange(&line_shown, 0);

    if (columns != 0) {
        fprintf(stderr, "\r%*s\r", (int) columns, "");
        fflush(stderr);
    }
}
