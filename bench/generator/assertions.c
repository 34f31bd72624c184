/* SPDX-License-Identifier: MIT */
#include "bench/generator/assertions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASSERTIONS_NUMBER_BYTES 32

/* One assertion while it is read; `at` goes through it, `end` is behind it. */
struct assertions_reader {
    const char *begin, *at, *end;
    struct assertions_fault *fault;
};

static void assertions_skip_blanks(struct assertions_reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t')) {
        reader->at++;
    }
}

static bool assertions_refuse(struct assertions_reader *reader, const char *what)
{
    snprintf(reader->fault->text, sizeof(reader->fault->text), "'%.*s': %s", (int) (reader->end - reader->begin),
             reader->begin, what);
    return false;
}

static bool assertions_take_metric(struct assertions_reader *reader, struct assertion *assertion)
{
    const char *begin = reader->at;
    char what[320];

    while (reader->at < reader->end && strchr("<>= \t", *reader->at) == NULL) {
        reader->at++;
    }
    if (reader->at == begin) {
        return assertions_refuse(reader, "there is no metric; write such as p99<200us or errors=0");
    }
    if (!metric_read(begin, (size_t) (reader->at - begin), &assertion->metric)) {
        snprintf(what, sizeof(what), "unknown metric '%.*s'; give one of %s", (int) (reader->at - begin), begin,
                 METRIC_NAMES);
        return assertions_refuse(reader, what);
    }
    return true;
}

static bool assertions_take_operator(struct assertions_reader *reader, struct assertion *assertion)
{
    static const struct {
        const char *text;
        enum assertion_relation relation;
    } operators[] = {{"<=", ASSERTION_MOST},
                     {">=", ASSERTION_LEAST},
                     {"<", ASSERTION_LESS},
                     {">", ASSERTION_MORE},
                     {"=", ASSERTION_IS}};

    assertions_skip_blanks(reader);
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        size_t length = strlen(operators[i].text);

        if ((size_t) (reader->end - reader->at) >= length && memcmp(reader->at, operators[i].text, length) == 0) {
            assertion->relation = operators[i].relation;
            reader->at += length;
            assertions_skip_blanks(reader);
            return true;
        }
    }
    return assertions_refuse(reader, "there is no operator; give one of < <= > >= =");
}

/* What one of this unit is worth; 0 where it does not belong to the metric. */
static double assertions_unit(enum metric_unit unit, const char *text, size_t length)
{
    static const struct {
        enum metric_unit unit;
        const char *text;
        double worth;
    } units[] = {{METRIC_TIME, "ns", 1.0}, {METRIC_TIME, "us", 1e3},       {METRIC_TIME, "ms", 1e6},
                 {METRIC_TIME, "s", 1e9},  {METRIC_RATE, "", 1.0},         {METRIC_RATE, "K", 1e3},
                 {METRIC_RATE, "M", 1e6},  {METRIC_COUNT, "", 1.0},        {METRIC_COUNT, "K", 1e3},
                 {METRIC_COUNT, "M", 1e6}, {METRIC_BYTES, "", 1.0},        {METRIC_BYTES, "K", 1024.0},
                 {METRIC_RATIO, "", 1.0},  {METRIC_BYTES, "M", 1048576.0}, {METRIC_BYTES, "G", 1073741824.0}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].unit == unit && strlen(units[i].text) == length && memcmp(units[i].text, text, length) == 0) {
            return units[i].worth;
        }
    }
    return 0.0;
}

static const char *assertions_units_of(enum metric_unit unit)
{
    switch (unit) {
    case METRIC_TIME:
        return "a time wants a unit; give one such as 800ns, 200us, 1.5ms or 2s";
    case METRIC_RATE:
    case METRIC_COUNT:
        return "that is no number here; give one such as 0, 2500, 250K or 1.5M";
    case METRIC_BYTES:
        return "that is no size; give one such as 4096, 16K or 1.5M";
    case METRIC_RATIO:
        return "that is no ratio; give one such as 1.2";
    }
    return "";
}

static bool assertions_take_value(struct assertions_reader *reader, struct assertion *assertion)
{
    const char *begin = reader->at, *end = reader->end;
    enum metric_unit unit = metric_unit(&assertion->metric);
    char number[ASSERTIONS_NUMBER_BYTES];
    size_t length = 0, points = 0;
    double worth;

    while (begin + length < end && strchr("0123456789.", begin[length]) != NULL) {
        points += begin[length] == '.';
        length++;
    }
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    if (begin == end) {
        return assertions_refuse(reader, "there is no value; write such as p99<200us or errors=0");
    }
    worth = assertions_unit(unit, begin + length, (size_t) (end - begin) - length);
    if (length == 0 || length >= sizeof(number) || points > 1 || *begin == '.' || begin[length - 1] == '.' ||
        !(worth > 0.0)) {
        return assertions_refuse(reader, assertions_units_of(unit));
    }
    memcpy(number, begin, length);
    number[length] = '\0';
    assertion->value = strtod(number, NULL) * worth;
    return true;
}

bool assertions_read(const char *text, struct assertions *assertions, struct assertions_fault *fault)
{
    assertions->count = 0;
    for (;;) {
        struct assertions_reader reader = {text, text, text + strcspn(text, ","), fault};
        struct assertion *assertion = &assertions->list[assertions->count];

        if (assertions->count == ASSERTIONS_MAX) {
            snprintf(fault->text, sizeof(fault->text), "more than %d assertions; give fewer", ASSERTIONS_MAX);
            return false;
        }
        assertions_skip_blanks(&reader);
        reader.begin = reader.at;
        assertion->text = reader.begin;
        assertion->length = (int) (reader.end - reader.begin);
        if (!assertions_take_metric(&reader, assertion) || !assertions_take_operator(&reader, assertion) ||
            !assertions_take_value(&reader, assertion)) {
            return false;
        }
        assertions->count++;
        if (*reader.end == '\0') {
            return true;
        }
        text = reader.end + 1;
    }
}

static bool assertions_holds(const struct assertion *assertion, double value)
{
    switch (assertion->relation) {
    case ASSERTION_LESS:
        return value < assertion->value;
    case ASSERTION_MOST:
        return value <= assertion->value;
    case ASSERTION_MORE:
        return value > assertion->value;
    case ASSERTION_LEAST:
        return value >= assertion->value;
    case ASSERTION_IS:
        return !(value < assertion->value) && !(value > assertion->value);
    }
    return false;
}

uint32_t assertions_check(const struct assertions *assertions, const struct result *result, struct text *text)
{
    uint32_t failed = 0;

    for (uint32_t i = 0; i < assertions->count; i++) {
        const struct assertion *assertion = &assertions->list[i];
        struct figure figure;
        double value;

        if (!metric_of(&assertion->metric, result, &value)) {
            text_add(text, "assertion failed: %.*s, but that was not measured\n", assertion->length, assertion->text);
            failed++;
        } else if (!assertions_holds(assertion, value)) {
            text_add(text, "assertion failed: %.*s, but it is %s\n", assertion->length, assertion->text,
                     metric_figure(&assertion->metric, value, &figure));
            failed++;
        }
    }
    return failed;
}
