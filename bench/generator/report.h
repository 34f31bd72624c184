/* SPDX-License-Identifier: MIT */
/*
 * report.h - everything that is said and written about a result. run.c calls report_result once, at the end; main.c
 * has compare_main and completion_main in its table of commands.
 */
#ifndef PIPEPORT_GENERATOR_REPORT_H
#define PIPEPORT_GENERATOR_REPORT_H

#include "bench/generator/result.h"

/* The summary on stdout, the files that result->plan names, the verdict of its assertions. Returns the exit code
 * (say.h): 0 only if every file was written, every assertion holds and, where there are no assertions, nothing went
 * wrong. */
int report_result(const struct result *result);

/* `pipeport-bench compare A.json B.json`, after its own word. Returns the exit code. */
int compare_main(int count, char **arguments);

/* `pipeport-bench completion bash`, after its own word. Returns the exit code. */
int completion_main(int count, char **arguments);

#endif
