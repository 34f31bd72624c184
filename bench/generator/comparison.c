/* SPDX-License-Identifier: MIT */
#include "bench/generator/comparison.h"

#include <string.h>

#include "bench/generator/describe.h"
#include "bench/generator/fields.h"

/* Lowest and highest of the runs that have a metric. */
struct comparison_range {
    double lowest, highest;
    uint32_t runs;
};

static struct comparison_range comparison_range_of(const struct metric *metric, const struct result *result)
{
    struct comparison_range range = {0.0, 0.0, 0};

    for (uint32_t i = 0; i < result->runs_count; i++) {
        double value;

        if (metric_of_run(metric, &result->runs[i], &value)) {
            range.lowest = range.runs == 0 || value < range.lowest ? value : range.lowest;
            range.highest = range.runs == 0 || value > range.highest ? value : range.highest;
            range.runs++;
        }
    }
    return range;
}

static enum comparison_verdict comparison_call(const struct metric *metric, bool higher)
{
    return higher == metric_is_better_low(metric) ? COMPARISON_WORSE : COMPARISON_BETTER;
}

static bool comparison_is_latency(const struct metric *metric)
{
    return metric->kind == METRIC_KIND_SHARE || metric->kind == METRIC_KIND_MIN || metric->kind == METRIC_KIND_MEAN;
}

/* How often the one goes into the other, the larger by the smaller; both are above 0. */
static double comparison_ratio(double one, double other)
{
    return one > other ? one / other : other / one;
}

/* Do the two medians lie farther apart than the runs of either side? By ratio, since what is slower by a factor also
 * spreads more widely. From a lowest of 0 everything is infinitely far: there it is the difference that counts. */
static bool comparison_is_apart(double was, double is, const struct comparison_range *before,
                                const struct comparison_range *after)
{
    double one, other;

    if (before->lowest > 0.0 && after->lowest > 0.0) {
        one = comparison_ratio(before->highest, before->lowest);
        other = comparison_ratio(after->highest, after->lowest);
        return comparison_ratio(was, is) > (one > other ? one : other);
    }
    one = before->highest - before->lowest;
    other = after->highest - after->lowest;
    return (is > was ? is - was : was - is) > (one > other ? one : other);
}

enum comparison_verdict comparison_judge(const struct metric *metric, const struct result *from,
                                         const struct result *to)
{
    struct comparison_range before = comparison_range_of(metric, from), after = comparison_range_of(metric, to);
    double was, is;

    if (before.runs == 0 || after.runs == 0 || !metric_of(metric, from, &was) || !metric_of(metric, to, &is)) {
        return COMPARISON_NOT_MEASURED;
    }
    if (metric_unit(metric) == METRIC_COUNT && (was > 0.0) != (is > 0.0)) {
        return comparison_call(metric, is > was); /* Errors that never were, or are no more, need no second run. */
    }
    if (metric_unit(metric) == METRIC_COUNT && !(was > 0.0)) {
        return COMPARISON_NOTHING;
    }
    if (before.runs < COMPARISON_RUNS_MIN || after.runs < COMPARISON_RUNS_MIN) {
        return COMPARISON_CANNOT_TELL;
    }
    if (metric->kind == METRIC_KIND_RATE &&
        (result_spread(from) > RESULT_UNSTABLE_SPREAD || result_spread(to) > RESULT_UNSTABLE_SPREAD)) {
        return COMPARISON_UNSTABLE;
    }
    if (metric_unit(metric) == METRIC_COUNT) { /* Sums: medians of counts are compared run by run. */
        was /= before.runs;
        is /= after.runs;
    }
    if (!comparison_is_apart(was, is, &before, &after) ||
        (before.highest >= after.lowest && after.highest >= before.lowest) ||
        (comparison_is_latency(metric) && (is > was ? is - was : was - is) <= was / (double) HISTOGRAM_STEPS)) {
        return COMPARISON_NOISE;
    }
    return comparison_call(metric, is > was);
}

static const char *comparison_words(enum comparison_verdict verdict)
{
    switch (verdict) {
    case COMPARISON_NOT_MEASURED:
        return "not measured on both sides";
    case COMPARISON_NOTHING:
        return "none on either side";
    case COMPARISON_CANNOT_TELL:
        return "cannot tell";
    case COMPARISON_UNSTABLE:
        return "unstable";
    case COMPARISON_NOISE:
        return "no more than noise";
    case COMPARISON_BETTER:
        return "better, more than noise";
    case COMPARISON_WORSE:
        return "worse, more than noise";
    }
    return "";
}

static void comparison_add_side(const char *mark, const struct comparison_side *side, struct text *text)
{
    const struct result *result = side->result;

    text_add(text, "%s  %s: ", mark, side->name);
    describe_load(&result->plan, text);
    text_add(text, ", ");
    describe_course(&result->plan, text);
    text_add(text, "\n   pipeport %s (%s), %s, %u run%s%s\n", result->version, result->driver, result->began,
             (unsigned) result->runs_count, result->runs_count == 1 ? "" : "s",
             result->interrupted ? ", interrupted" : "");
}

static void comparison_add_difference(const char *name, const struct text *from, const struct text *to,
                                      struct text *text)
{
    if (strcmp(text_string(from), text_string(to)) != 0) {
        text_add(text, "   %-12s %s | %s\n", name, text_string(from), text_string(to));
    }
}

/* What the two were told differently, without the names of files, which change nothing. */
static void comparison_add_plans(const struct plan *from, const struct plan *to, struct text *text)
{
    static const char *const without[] = {"json",   "hgrm", "html",       "assertions",  "name",
                                          "repeat", "seed", "server_pid", "framing_text"};
    struct text before = {NULL, 0, 0, false}, after = {NULL, 0, 0, false};

    for (size_t i = 0; i < fields_of_plan.count; i++) {
        const struct field *field = &fields_of_plan.fields[i];
        bool tells = true;

        for (size_t j = 0; j < sizeof(without) / sizeof(without[0]); j++) {
            tells = tells && strcmp(field->name, without[j]) != 0;
        }
        if (tells) {
            fields_add_value(&before, field, from);
            fields_add_value(&after, field, to);
            comparison_add_difference(field->name, &before, &after, text);
            text_clear(&before);
            text_clear(&after);
        }
    }
    describe_sizes(from, &before);
    describe_sizes(to, &after);
    comparison_add_difference("sizes", &before, &after, text);
    text_clear(&before);
    text_clear(&after);
    for (size_t i = 0; i < fields_of_framing.count; i++) {
        text_add(&before, "%s%s ", i == 0 ? "" : " ", fields_of_framing.fields[i].name);
        text_add(&after, "%s%s ", i == 0 ? "" : " ", fields_of_framing.fields[i].name);
        fields_add_value(&before, &fields_of_framing.fields[i], &from->framing);
        fields_add_value(&after, &fields_of_framing.fields[i], &to->framing);
    }
    comparison_add_difference("framing", &before, &after, text);
    text_clear(&before);
    text_clear(&after);
}

static bool comparison_tells(const struct field *field, const struct result *result)
{
    const void *value = (const char *) result + field->offset;

    return field->kind != FIELD_TEXT_LATER || *(const char *const *) value != NULL;
}

/* False, and said, where a record is older than this field: whether the two differ there is not known. */
static bool comparison_is_told(const struct field *field, const struct result *from, const struct result *to,
                               struct text *unknown)
{
    bool before = comparison_tells(field, from), after = comparison_tells(field, to);

    if (!before || !after) {
        text_add(unknown, "\nNot told by %s%s%s, so perhaps not alike: %s\n", before ? "" : "A",
                 before || after ? "" : " and ", after ? "" : "B", field->name);
    }
    return before && after;
}

static void comparison_add_differences(const struct result *from, const struct result *to, struct text *text)
{
    struct text found = {NULL, 0, 0, false}, unknown = {NULL, 0, 0, false};

    comparison_add_plans(&from->plan, &to->plan, &found);
    for (size_t i = 0; i < fields_of_result.count; i++) {
        const struct field *field = &fields_of_result.fields[i];
        struct text before = {NULL, 0, 0, false}, after = {NULL, 0, 0, false};

        if (strcmp(field->name, "command") != 0 && strcmp(field->name, "began") != 0 &&
            comparison_is_told(field, from, to, &unknown)) {
            fields_add_value(&before, field, from);
            fields_add_value(&after, field, to);
            comparison_add_difference(field->name, &before, &after, &found);
        }
        text_clear(&before);
        text_clear(&after);
    }
    if (found.length > 0) {
        text_add(text, "\nThey were not run alike, A | B:\n%s", text_string(&found));
    }
    text_add(text, "%s", text_string(&unknown));
    text->failed = text->failed || found.failed || unknown.failed;
    text_clear(&found);
    text_clear(&unknown);
}

static bool comparison_add_metric(const char *name, const struct result *from, const struct result *to,
                                  struct text *text)
{
    struct figure before, after, change;
    enum comparison_verdict verdict;
    bool has_before, has_after;
    struct metric metric;
    double was, is;

    metric_read(name, strlen(name), &metric);
    has_before = metric_of(&metric, from, &was);
    has_after = metric_of(&metric, to, &is);
    if (!has_before && !has_after) {
        return false;
    }
    verdict = comparison_judge(&metric, from, to);
    text_add(text, "%-16s%14s%14s%10s  %s\n", name, has_before ? metric_figure(&metric, was, &before) : "-",
             has_after ? metric_figure(&metric, is, &after) : "-",
             has_before && has_after ? figure_change(&change, was, is) : "-", comparison_words(verdict));
    return verdict == COMPARISON_CANNOT_TELL;
}

void comparison_write(const struct comparison_side *from, const struct comparison_side *to, struct text *text)
{
    static const char *const names[] = {"rate",
                                        "p50",
                                        "p90",
                                        "p99",
                                        "p99.9",
                                        "max",
                                        "mean",
                                        "last.p50",
                                        "last.p99",
                                        "uncorrected.p99",
                                        "connecting.p99",
                                        "client-cpu",
                                        "server-cpu",
                                        "memory",
                                        "errors"};
    bool open = describe_is_open_loop(&from->result->plan) || describe_is_open_loop(&to->result->plan);
    bool cannot_tell = false;

    comparison_add_side("A", from, text);
    comparison_add_side("B", to, text);
    comparison_add_differences(from->result, to->result, text);
    text_add(text, "\n%-16s%14s%14s%10s\n", "", "A", "B", "change");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!open && strcmp(names[i], "uncorrected.p99") == 0) {
            continue; /* It is p99 again. */
        }
        if (comparison_add_metric(names[i], from->result, to->result, text)) {
            cannot_tell = true;
        }
    }
    if (cannot_tell) {
        text_add(text,
                 "\nCannot tell what is noise from fewer than %d runs a side: measure with --repeat %d or more.\n",
                 COMPARISON_RUNS_MIN, COMPARISON_RUNS_MIN);
    }
}
