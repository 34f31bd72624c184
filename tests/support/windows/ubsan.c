/* SPDX-License-Identifier: MIT */
/*
 * ubsan.c - what code built with -fsanitize=undefined calls when it finds undefined behaviour. mingw-w64 has no runtime
 * of its own; this one prints where, what and with which values, and ends the process with 99, which is no test's
 * success and no abort.
 *
 *      FILE:LINE:COLUMN: runtime error: signed overflow: 2147483647 + 1 ('int')
 *
 * With log_path=FILE in UBSAN_OPTIONS the line also goes to FILE.PID, as the runtime on Linux does it.
 * Names and data are the compiler's (gcc, ubsan.c and sanitizer.def). What may go on and what may not has one body:
 * with -fno-sanitize-recover the compiler calls those whose names end in _abort.
 */
#include "engine/port/windows/win.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UBSAN_EXIT = 99, UBSAN_LINE_MAX = 1000 };

typedef struct ubsan_place {
    const char *file;
    uint32_t line, column;
} ubsan_place;

enum { UBSAN_INTEGER = 0 };

typedef struct ubsan_type {
    uint16_t kind;
    uint16_t info; /* Of an integer: bit 0 whether it is signed, above it the logarithm of its width in bits. */
    char name[1];  /* In quotes. */
} ubsan_type;

/* What every handler's data begins with, and what some have behind it. */
typedef struct ubsan_data {
    ubsan_place place;
    const ubsan_type *types[2];
} ubsan_data;

typedef struct ubsan_mismatch {
    ubsan_place place;
    const ubsan_type *type;
    uint8_t alignment_log;
    uint8_t kind;
} ubsan_mismatch;

typedef struct ubsan_argument {
    ubsan_place place, declared;
    int32_t index;
} ubsan_argument;

typedef struct ubsan_text {
    char text[48];
} ubsan_text;

static void ubsan_log(const char *line)
{
    const char *options = getenv("UBSAN_OPTIONS");
    const char *path = options != NULL ? strstr(options, "log_path=") : NULL;
    char name[UBSAN_LINE_MAX];
    if (path == NULL) {
        return;
    }
    path += strlen("log_path=");
    snprintf(name, sizeof name, "%.*s.%lu", (int) strcspn(path, ":"), path, GetCurrentProcessId());
    FILE *file = fopen(name, "a");
    if (file != NULL) {
        fputs(line, file);
        fclose(file);
    }
}

static _Noreturn void ubsan_end(const ubsan_place *place, const char *what)
{
    char line[UBSAN_LINE_MAX];
    snprintf(line, sizeof line, "%s:%" PRIu32 ":%" PRIu32 ": runtime error: %s\n", place->file, place->line,
             place->column, what);
    fputs(line, stderr); /* One call, so that two threads that fail together do not mix their lines. */
    fflush(stderr);
    ubsan_log(line);
    TerminateProcess(GetCurrentProcess(), UBSAN_EXIT); /* Now: no other thread shall go on with what is wrong. */
    abort();
}

/* A value that fits in a word lies in the handle, any other where the handle points to. */
static ubsan_text ubsan_value(const ubsan_type *type, uintptr_t handle)
{
    ubsan_text out = {"?"};
    unsigned width = 1u << (type->info >> 1);
    if (type->kind != UBSAN_INTEGER || width > 64) {
        return out;
    }
    uint64_t value = handle;
    if (type->info & 1) {
        int64_t extended = (int64_t) (value << (64 - width)) >> (64 - width);
        snprintf(out.text, sizeof out.text, "%" PRId64, extended);
    } else {
        snprintf(out.text, sizeof out.text, "%" PRIu64, value);
    }
    return out;
}

static _Noreturn void ubsan_binary(const ubsan_data *data, uintptr_t left, const char *sign, uintptr_t right)
{
    char what[UBSAN_LINE_MAX];
    const ubsan_type *type = data->types[0];
    snprintf(what, sizeof what, "%s overflow: %s %s %s (%s)", type->info & 1 ? "signed" : "unsigned",
             ubsan_value(type, left).text, sign, ubsan_value(type, right).text, type->name);
    ubsan_end(&data->place, what);
}

static _Noreturn void ubsan_one(const ubsan_data *data, const char *about, uintptr_t handle)
{
    char what[UBSAN_LINE_MAX];
    snprintf(what, sizeof what, "%s %s (%s)", about, ubsan_value(data->types[0], handle).text, data->types[0]->name);
    ubsan_end(&data->place, what);
}

/* A handler and its twin. */
#define UBSAN_HANDLER(name, parameters, arguments, body)                                                               \
    _Noreturn void __ubsan_handle_##name##_abort parameters;                                                           \
    _Noreturn void __ubsan_handle_##name parameters;                                                                   \
    _Noreturn void __ubsan_handle_##name##_abort parameters                                                            \
    {                                                                                                                  \
        body;                                                                                                          \
    }                                                                                                                  \
    _Noreturn void __ubsan_handle_##name parameters                                                                    \
    {                                                                                                                  \
        __ubsan_handle_##name##_abort arguments;                                                                       \
    }

#define UBSAN_BINARY(name, sign)                                                                                       \
    UBSAN_HANDLER(name, (ubsan_data * data, uintptr_t left, uintptr_t right), (data, left, right),                     \
                  ubsan_binary(data, left, sign, right))

UBSAN_BINARY(add_overflow, "+")
UBSAN_BINARY(sub_overflow, "-")
UBSAN_BINARY(mul_overflow, "*")
UBSAN_BINARY(divrem_overflow, "/")
UBSAN_HANDLER(negate_overflow, (ubsan_data * data, uintptr_t value), (data, value),
              ubsan_one(data, "overflow of the negative of", value))
UBSAN_HANDLER(load_invalid_value, (ubsan_data * data, uintptr_t value), (data, value),
              ubsan_one(data, "a value that its type does not have:", value))
UBSAN_HANDLER(vla_bound_not_positive, (ubsan_data * data, uintptr_t bound), (data, bound),
              ubsan_one(data, "an array whose length is", bound))
UBSAN_HANDLER(builtin_unreachable, (ubsan_data * data), (data),
              ubsan_end(&data->place, "what cannot be reached was reached"))
UBSAN_HANDLER(missing_return, (ubsan_data * data), (data), ubsan_end(&data->place, "a function ended without a value"))
UBSAN_HANDLER(invalid_builtin, (ubsan_data * data), (data),
              ubsan_end(&data->place, "0 passed to a builtin that does not take it"))

static _Noreturn void ubsan_returned_null(const void *declared, const ubsan_place *place)
{
    (void) declared; /* Where the attribute stands; `place` is the return. */
    ubsan_end(place, "NULL returned where the declaration excludes it");
}

UBSAN_HANDLER(nonnull_return_v1, (void *declared, ubsan_place *place), (declared, place),
              ubsan_returned_null(declared, place))

static _Noreturn void ubsan_shift(const ubsan_data *data, uintptr_t left, uintptr_t right)
{
    char what[UBSAN_LINE_MAX];
    snprintf(what, sizeof what, "shift of %s (%s) by %s", ubsan_value(data->types[0], left).text, data->types[0]->name,
             ubsan_value(data->types[1], right).text);
    ubsan_end(&data->place, what);
}

UBSAN_HANDLER(shift_out_of_bounds, (ubsan_data * data, uintptr_t left, uintptr_t right), (data, left, right),
              ubsan_shift(data, left, right))

static _Noreturn void ubsan_index(const ubsan_data *data, uintptr_t index)
{
    char what[UBSAN_LINE_MAX];
    snprintf(what, sizeof what, "index %s of an array that is %s", ubsan_value(data->types[1], index).text,
             data->types[0]->name);
    ubsan_end(&data->place, what);
}

UBSAN_HANDLER(out_of_bounds, (ubsan_data * data, uintptr_t index), (data, index), ubsan_index(data, index))

static _Noreturn void ubsan_pointer(const ubsan_data *data, uintptr_t base, uintptr_t result)
{
    char what[UBSAN_LINE_MAX];
    snprintf(what, sizeof what, "overflow of a pointer: 0x%" PRIxPTR " became 0x%" PRIxPTR, base, result);
    ubsan_end(&data->place, what);
}

UBSAN_HANDLER(pointer_overflow, (ubsan_data * data, uintptr_t base, uintptr_t result), (data, base, result),
              ubsan_pointer(data, base, result))

static _Noreturn void ubsan_mismatched(const ubsan_mismatch *data, uintptr_t pointer)
{
    char what[UBSAN_LINE_MAX];
    uintptr_t alignment = (uintptr_t) 1 << data->alignment_log;
    if (pointer == 0) {
        snprintf(what, sizeof what, "use of NULL as %s", data->type->name);
    } else if (pointer % alignment != 0) {
        snprintf(what, sizeof what, "use of 0x%" PRIxPTR " as %s, which is aligned to %" PRIuPTR, pointer,
                 data->type->name, alignment);
    } else {
        snprintf(what, sizeof what, "use of 0x%" PRIxPTR " as %s, for which there is no room", pointer,
                 data->type->name);
    }
    ubsan_end(&data->place, what);
}

UBSAN_HANDLER(type_mismatch_v1, (ubsan_mismatch * data, uintptr_t pointer), (data, pointer),
              ubsan_mismatched(data, pointer))

static _Noreturn void ubsan_argument_null(const ubsan_argument *data)
{
    char what[UBSAN_LINE_MAX];
    snprintf(what, sizeof what, "NULL as argument %" PRId32 ", which the declaration excludes", data->index);
    ubsan_end(&data->place, what);
}

UBSAN_HANDLER(nonnull_arg, (ubsan_argument * data), (data), ubsan_argument_null(data))
