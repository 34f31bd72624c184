/* SPDX-License-Identifier: MIT */
/*
 * completion.h - the script by which bash completes the words of pipeport-bench, made from the tables that read them.
 */
#ifndef PIPEPORT_GENERATOR_COMPLETION_H
#define PIPEPORT_GENERATOR_COMPLETION_H

#include <stddef.h>

#include "bench/generator/text.h"
#include "tools/pipeport/args.h"

/* A command of the program: its table, or the words or files (both NULL) that may follow it. */
struct completion_command {
    const char *name;
    const struct args_command *table;
    const char *words; /* With blanks between. */
};

struct completion_program {
    const char *name;
    const struct completion_command *commands;
    size_t commands_count;
};

void completion_write(const struct completion_program *program, struct text *text);

#endif
