/* SPDX-License-Identifier: MIT */
#include "bench/generator/record.h"

#include <inttypes.h>

#include "bench/generator/distribution.h"
#include "bench/generator/fields.h"
#include "bench/generator/metric.h"

/* `"name": value` of each, with this between two. */
static void record_add_fields(struct text *text, const struct field_table *table, const void *from, const char *between)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];

        text_add(text, "%s\"%s\": ", i == 0 ? "" : between, field->name);
        fields_add_value(text, field, from);
    }
}

static void record_add_plan(struct text *text, const struct plan *plan)
{
    text_add(text, "  \"plan\": {\n    ");
    record_add_fields(text, &fields_of_plan, plan, ",\n    ");
    text_add(text, ",\n    \"framing\": {");
    record_add_fields(text, &fields_of_framing, &plan->framing, ", ");
    text_add(text, "},\n    \"sizes\": [");
    for (uint32_t i = 0; i < plan->sizes_count; i++) {
        text_add(text, "%s{", i == 0 ? "" : ", ");
        record_add_fields(text, &fields_of_size, &plan->sizes[i], ", ");
        text_add(text, "}");
    }
    text_add(text, "]\n  },\n");
}

static void record_add_histogram(struct text *text, const struct histogram *histogram)
{
    struct distribution at = distribution_of(histogram);

    if (histogram == NULL) {
        text_add(text, "null");
        return;
    }
    text_add(text, "[");
    while (distribution_next(&at)) {
        text_add(text, "%s[%" PRIu64 ", %" PRIu64 "]", at.until == at.count ? "" : ", ", at.ns, at.count);
    }
    text_add(text, "]");
}

static void record_add_run(struct text *text, const struct result_run *run)
{
    text_add(text, "    {\n      ");
    record_add_fields(text, &fields_of_run, run, ",\n      ");
    text_add(text, ",\n      \"errors\": {");
    for (int i = 0; i < RESULT_ERRORS; i++) {
        text_add(text, "%s\"%s\": %" PRIu64, i == 0 ? "" : ", ", metric_error_name((enum result_error) i),
                 run->errors[i]);
    }
    text_add(text, "},\n      \"histograms\": {");
    for (size_t i = 0; i < FIELDS_HISTOGRAMS; i++) {
        const char *place = (const char *) run + fields_histograms[i].offset;

        text_add(text, "%s\n        \"%s\": ", i == 0 ? "" : ",", fields_histograms[i].name);
        record_add_histogram(text, *(struct histogram *const *) (const void *) place);
    }
    text_add(text, "\n      },\n      \"seconds\": [");
    for (uint32_t i = 0; i < run->seconds_count; i++) {
        text_add(text, "%s\n        {", i == 0 ? "" : ",");
        record_add_fields(text, &fields_of_second, &run->seconds[i], ", ");
        text_add(text, "}");
    }
    text_add(text, "%s]\n    }", run->seconds_count == 0 ? "" : "\n      ");
}

void record_write(const struct result *result, struct text *text)
{
    text_add(text, "{\n  \"format\": \"%s\",\n  \"format_version\": %d,\n  ", RECORD_FORMAT, RECORD_VERSION);
    record_add_fields(text, &fields_of_result, result, ",\n  ");
    text_add(text, ",\n");
    record_add_plan(text, &result->plan);
    text_add(text, "  \"runs\": [");
    for (uint32_t i = 0; i < result->runs_count; i++) {
        text_add(text, "%s\n", i == 0 ? "" : ",");
        record_add_run(text, &result->runs[i]);
    }
    text_add(text, "%s]\n}\n", result->runs_count == 0 ? "" : "\n  ");
}
