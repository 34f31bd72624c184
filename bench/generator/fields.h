/* SPDX-License-Identifier: MIT */
/*
 * fields.h - the numbers and texts of a result by their names in a file: one table each for what is written and what is
 * read back, so that the two cannot drift apart.
 */
#ifndef PIPEPORT_GENERATOR_FIELDS_H
#define PIPEPORT_GENERATOR_FIELDS_H

#include <stddef.h>

#include "bench/generator/result.h"
#include "bench/generator/text.h"

/* How a field lies in its struct. In the file integers are numbers up to 2^53, which every reader of JSON keeps. */
enum field_kind {
    FIELD_BOOL,
    FIELD_U8,
    FIELD_U32,
    FIELD_I32,
    FIELD_U64,
    FIELD_U64_TEXT, /* Decimal digits as a text, for what uses all 64 bits. */
    FIELD_DOUBLE,
    FIELD_TEXT,       /* const char *; NULL is null. */
    FIELD_TEXT_LATER, /* Likewise, but younger than its version of the format: where it is missing it is NULL. */
    FIELD_MODE        /* enum plan_mode, by plan_mode_text. */
};

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
};

struct field_table {
    const struct field *fields;
    size_t count;
};

/* The value of a field of the struct at `from`, as JSON. */
void fields_add_value(struct text *text, const struct field *field, const void *from);

extern const struct field_table fields_of_result; /* struct result, without its plan and its runs */
extern const struct field_table fields_of_plan;   /* struct plan, without framing and sizes */
extern const struct field_table fields_of_framing;
extern const struct field_table fields_of_size; /* struct plan_size */
extern const struct field_table fields_of_run;  /* struct result_run, without errors, histograms and seconds */
extern const struct field_table fields_of_second;

/* The four histograms of a run. */
#define FIELDS_HISTOGRAMS 4
struct field_histogram {
    const char *name;
    size_t offset; /* Of the pointer in struct result_run. */
};
extern const struct field_histogram fields_histograms[FIELDS_HISTOGRAMS];

#endif
