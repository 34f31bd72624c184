/* SPDX-License-Identifier: MIT */
/*
 * record.h - a result as JSON, and back. Nothing is lost on the way; docs/BENCH.md tells the format.
 *
 * Within a version fields are only added: a reader passes over what it does not know, and takes a field that was added
 * (FIELD_TEXT_LATER) for not known where a record does not have it. All others it must have.
 */
#ifndef PIPEPORT_GENERATOR_RECORD_H
#define PIPEPORT_GENERATOR_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/generator/result.h"
#include "bench/generator/text.h"

#define RECORD_FORMAT "pipeport-bench"
#define RECORD_VERSION 1
#define RECORD_BYTES_MAX ((size_t) 256 << 20)

/* A sentence for people. */
struct record_fault {
    char text[256];
};

void record_write(const struct result *result, struct text *text);

/* False where these bytes are no such record: the fault says what is wrong, and the result is empty. Owner: the caller,
 * of the result; give it to result_clear. The bytes need not stay. */
bool record_read(const char *bytes, size_t length, struct result *result, struct record_fault *fault);

/* Likewise a file; the fault names it. */
bool record_load(const char *path, struct result *result, struct record_fault *fault);

#endif
