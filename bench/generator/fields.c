/* SPDX-License-Identifier: MIT */
#include "bench/generator/fields.h"

#include <inttypes.h>

#define FIELD(type, name, kind)                                                                                        \
    {                                                                                                                  \
#name, kind, offsetof(struct type, name)                                                                       \
    }
#define FIELD_TABLE(fields)                                                                                            \
    {                                                                                                                  \
        fields, sizeof(fields) / sizeof((fields)[0])                                                                   \
    }

static const struct field fields_result[] = {
    FIELD(result, command, FIELD_TEXT),     FIELD(result, machine, FIELD_TEXT),     FIELD(result, began, FIELD_TEXT),
    FIELD(result, version, FIELD_TEXT),     FIELD(result, build, FIELD_TEXT_LATER), FIELD(result, driver, FIELD_TEXT),
    FIELD(result, interrupted, FIELD_BOOL),
};

static const struct field fields_plan[] = {
    FIELD(plan, mode, FIELD_MODE),         FIELD(plan, name, FIELD_TEXT),         FIELD(plan, self, FIELD_BOOL),
    FIELD(plan, connections, FIELD_U32),   FIELD(plan, threads, FIELD_U32),       FIELD(plan, depth, FIELD_U32),
    FIELD(plan, ramp_per_s, FIELD_U32),    FIELD(plan, duration_ms, FIELD_U32),   FIELD(plan, count, FIELD_U64),
    FIELD(plan, warmup_ms, FIELD_U32),     FIELD(plan, rate_per_s, FIELD_DOUBLE), FIELD(plan, slow_percent, FIELD_U32),
    FIELD(plan, kill_per_s, FIELD_DOUBLE), FIELD(plan, verify, FIELD_BOOL),       FIELD(plan, seed, FIELD_U64_TEXT),
    FIELD(plan, repeat, FIELD_U32),        FIELD(plan, server_pid, FIELD_U32),    FIELD(plan, silence_ms, FIELD_U32),
    FIELD(plan, framing_text, FIELD_TEXT), FIELD(plan, json, FIELD_TEXT),         FIELD(plan, hgrm, FIELD_TEXT),
    FIELD(plan, html, FIELD_TEXT),         FIELD(plan, assertions, FIELD_TEXT),
};

static const struct field fields_framing[] = {
    {"kind", FIELD_U32, offsetof(pipeport_framing, kind)},
    {"flags", FIELD_U32, offsetof(pipeport_framing, flags)},
    {"width", FIELD_U32, offsetof(pipeport_framing, width)},
    {"offset", FIELD_U32, offsetof(pipeport_framing, offset)},
    {"adjust", FIELD_I32, offsetof(pipeport_framing, adjust)},
    {"delimiter", FIELD_U8, offsetof(pipeport_framing, delimiter)},
};

static const struct field fields_size[] = {
    FIELD(plan_size, min_bytes, FIELD_U32),
    FIELD(plan_size, max_bytes, FIELD_U32),
    FIELD(plan_size, weight, FIELD_U32),
};

static const struct field fields_run[] = {
    FIELD(result_run, measured_ns, FIELD_U64),
    FIELD(result_run, messages, FIELD_U64),
    FIELD(result_run, bytes, FIELD_U64),
    FIELD(result_run, planned, FIELD_U64),
    FIELD(result_run, client_cpu_ns, FIELD_U64),
    FIELD(result_run, server_cpu_ns, FIELD_U64),
    FIELD(result_run, server_idle_bytes, FIELD_U64),
    FIELD(result_run, killed, FIELD_U64),
    FIELD(result_run, late_p50_ns, FIELD_U64),
    FIELD(result_run, late_p99_ns, FIELD_U64),
    FIELD(result_run, connected, FIELD_U32),
};

static const struct field fields_second[] = {
    FIELD(result_second, begin_ns, FIELD_U64),  FIELD(result_second, end_ns, FIELD_U64),
    FIELD(result_second, messages, FIELD_U64),  FIELD(result_second, bytes, FIELD_U64),
    FIELD(result_second, errors, FIELD_U64),    FIELD(result_second, p50_ns, FIELD_U64),
    FIELD(result_second, p99_ns, FIELD_U64),    FIELD(result_second, longest_ns, FIELD_U64),
    FIELD(result_second, connected, FIELD_U32),
};

const struct field_table fields_of_result = FIELD_TABLE(fields_result);
const struct field_table fields_of_plan = FIELD_TABLE(fields_plan);
const struct field_table fields_of_framing = FIELD_TABLE(fields_framing);
const struct field_table fields_of_size = FIELD_TABLE(fields_size);
const struct field_table fields_of_run = FIELD_TABLE(fields_run);
const struct field_table fields_of_second = FIELD_TABLE(fields_second);

const struct field_histogram fields_histograms[FIELDS_HISTOGRAMS] = {
    {"corrected", offsetof(struct result_run, corrected)},
    {"uncorrected", offsetof(struct result_run, service)},
    {"last", offsetof(struct result_run, last)},
    {"connecting", offsetof(struct result_run, connecting)},
};

void fields_add_value(struct text *text, const struct field *field, const void *from)
{
    const void *value = (const char *) from + field->offset;

    switch (field->kind) {
    case FIELD_BOOL:
        text_add(text, "%s", *(const bool *) value ? "true" : "false");
        break;
    case FIELD_U8:
        text_add(text, "%u", (unsigned) *(const uint8_t *) value);
        break;
    case FIELD_U32:
        text_add(text, "%" PRIu32, *(const uint32_t *) value);
        break;
    case FIELD_I32:
        text_add(text, "%" PRId32, *(const int32_t *) value);
        break;
    case FIELD_U64:
        text_add(text, "%" PRIu64, *(const uint64_t *) value);
        break;
    case FIELD_U64_TEXT:
        text_add(text, "\"%" PRIu64 "\"", *(const uint64_t *) value);
        break;
    case FIELD_DOUBLE:
        text_add(text, "%.17g", *(const double *) value);
        break;
    case FIELD_TEXT:
    case FIELD_TEXT_LATER:
        if (*(const char *const *) value == NULL) {
            text_add(text, "null");
        } else {
            text_add_json(text, *(const char *const *) value);
        }
        break;
    case FIELD_MODE:
        text_add_json(text, plan_mode_text(*(const enum plan_mode *) value));
        break;
    }
}
