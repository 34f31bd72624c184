/* SPDX-License-Identifier: MIT */
#include "bench/generator/record.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/generator/fields.h"
#include "bench/generator/metric.h"
#include "bench/generator/peers_report.h"

#define RECORD_INTEGER_MAX 9007199254740992.0 /* 2^53 */

struct record_reader {
    struct result *result;
    char *texts_next; /* In result->texts, which has room for every text of the record. */
    struct record_fault *fault;
};

SAY_FORMAT(2, 3) static bool record_refuse(struct record_reader *reader, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reader->fault->text, sizeof(reader->fault->text), format, arguments);
    va_end(arguments);
    return false;
}

static bool record_is_integer(const cJSON *item, double min, double max)
{
    return cJSON_IsNumber(item) && item->valuedouble >= min && item->valuedouble <= max &&
           !(floor(item->valuedouble) < item->valuedouble);
}

static bool record_take_u64_text(const cJSON *item, uint64_t *value)
{
    char *end;

    if (!cJSON_IsString(item) || item->valuestring[0] < '0' || item->valuestring[0] > '9') {
        return false;
    }
    errno = 0;
    *value = strtoull(item->valuestring, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool record_take_text(struct record_reader *reader, const cJSON *item, const char **text)
{
    size_t length;

    if (cJSON_IsNull(item)) {
        *text = NULL;
        return true;
    }
    if (!cJSON_IsString(item)) {
        return false;
    }
    length = strlen(item->valuestring) + 1;
    memcpy(reader->texts_next, item->valuestring, length);
    *text = reader->texts_next;
    reader->texts_next += length;
    return true;
}

static bool record_take_mode(const cJSON *item, enum plan_mode *mode)
{
    for (int i = PLAN_PING_PONG; cJSON_IsString(item) && i <= PLAN_IDLE; i++) {
        if (strcmp(item->valuestring, plan_mode_text((enum plan_mode) i)) == 0) {
            *mode = (enum plan_mode) i;
            return true;
        }
    }
    return false;
}

static bool record_take_value(struct record_reader *reader, const cJSON *item, enum field_kind kind, void *into)
{
    switch (kind) {
    case FIELD_BOOL:
        *(bool *) into = cJSON_IsTrue(item);
        return cJSON_IsBool(item);
    case FIELD_U8:
        *(uint8_t *) into = record_is_integer(item, 0, UINT8_MAX) ? (uint8_t) item->valuedouble : 0;
        return record_is_integer(item, 0, UINT8_MAX);
    case FIELD_U32:
        *(uint32_t *) into = record_is_integer(item, 0, UINT32_MAX) ? (uint32_t) item->valuedouble : 0;
        return record_is_integer(item, 0, UINT32_MAX);
    case FIELD_I32:
        *(int32_t *) into = record_is_integer(item, INT32_MIN, INT32_MAX) ? (int32_t) item->valuedouble : 0;
        return record_is_integer(item, INT32_MIN, INT32_MAX);
    case FIELD_U64:
        *(uint64_t *) into = record_is_integer(item, 0, RECORD_INTEGER_MAX) ? (uint64_t) item->valuedouble : 0;
        return record_is_integer(item, 0, RECORD_INTEGER_MAX);
    case FIELD_U64_TEXT:
        return record_take_u64_text(item, into);
    case FIELD_DOUBLE:
        *(double *) into = cJSON_IsNumber(item) ? item->valuedouble : 0.0;
        return cJSON_IsNumber(item) && fabs(item->valuedouble) <= DBL_MAX;
    case FIELD_TEXT:
        return record_take_text(reader, item, into);
    case FIELD_TEXT_LATER:
        return item == NULL || record_take_text(reader, item, into); /* The result is empty before. */
    case FIELD_MODE:
        return record_take_mode(item, into);
    }
    return false;
}

static bool record_take_fields(struct record_reader *reader, const cJSON *object, const struct field_table *table,
                               void *into)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, field->name);

        if (!record_take_value(reader, item, field->kind, (char *) into + field->offset)) {
            return record_refuse(reader, "'%s' is missing, or is not what it must be", field->name);
        }
    }
    return true;
}

static bool record_take_plan(struct record_reader *reader, const cJSON *object)
{
    struct plan *plan = &reader->result->plan;
    const cJSON *sizes = cJSON_GetObjectItemCaseSensitive(object, "sizes"), *size;

    if (!record_take_fields(reader, object, &fields_of_plan, plan) ||
        !record_take_fields(reader, cJSON_GetObjectItemCaseSensitive(object, "framing"), &fields_of_framing,
                            &plan->framing)) {
        return false;
    }
    if (!cJSON_IsArray(sizes) || cJSON_GetArraySize(sizes) > PLAN_SIZES_MAX) {
        return record_refuse(reader, "'sizes' is no list of at most %d", PLAN_SIZES_MAX);
    }
    cJSON_ArrayForEach(size, sizes)
    {
        if (!record_take_fields(reader, size, &fields_of_size, &plan->sizes[plan->sizes_count++])) {
            return false;
        }
    }
    return true;
}

/* [ns, count] */
static bool record_is_bucket(const cJSON *bucket)
{
    return cJSON_IsArray(bucket) && cJSON_GetArraySize(bucket) == 2 &&
           record_is_integer(cJSON_GetArrayItem(bucket, 0), 0, RECORD_INTEGER_MAX) &&
           record_is_integer(cJSON_GetArrayItem(bucket, 1), 1, RECORD_INTEGER_MAX);
}

/* [[ns, count], ...], each ns above the one before; or null. */
static bool record_take_histogram(struct record_reader *reader, const cJSON *list, const char *name,
                                  struct histogram **histogram)
{
    const cJSON *bucket;
    double before = -1.0;

    if (cJSON_IsNull(list)) {
        return true;
    }
    if (!cJSON_IsArray(list)) {
        return record_refuse(reader, "the histogram '%s' is missing, or is no list", name);
    }
    *histogram = histogram_create();
    if (*histogram == NULL) {
        return record_refuse(reader, "there is no memory for it");
    }
    cJSON_ArrayForEach(bucket, list)
    {
        double ns, count;

        if (!record_is_bucket(bucket)) {
            return record_refuse(reader, "the histogram '%s' has a bucket that is not [nanoseconds, count]", name);
        }
        ns = cJSON_GetArrayItem(bucket, 0)->valuedouble;
        count = cJSON_GetArrayItem(bucket, 1)->valuedouble;
        if (ns <= before) {
            return record_refuse(reader,
                                 "the histogram '%s' has a bucket of %.0f ns behind one of %.0f ns; the shortest must "
                                 "come first, each once",
                                 name, ns, before);
        }
        histogram_add_many(*histogram, (uint64_t) ns, (uint64_t) count);
        before = ns;
    }
    return true;
}

static bool record_take_seconds(struct record_reader *reader, const cJSON *list, struct result_run *run)
{
    const cJSON *second;

    if (!cJSON_IsArray(list)) {
        return record_refuse(reader, "'seconds' is missing, or is no list");
    }
    if (cJSON_GetArraySize(list) == 0) {
        return true;
    }
    run->seconds = calloc((size_t) cJSON_GetArraySize(list), sizeof(*run->seconds));
    if (run->seconds == NULL) {
        return record_refuse(reader, "there is no memory for it");
    }
    cJSON_ArrayForEach(second, list)
    {
        if (!record_take_fields(reader, second, &fields_of_second, &run->seconds[run->seconds_count++])) {
            return false;
        }
    }
    return true;
}

static bool record_take_run(struct record_reader *reader, const cJSON *object, struct result_run *run)
{
    const cJSON *errors = cJSON_GetObjectItemCaseSensitive(object, "errors");
    const cJSON *histograms = cJSON_GetObjectItemCaseSensitive(object, "histograms");

    if (!record_take_fields(reader, object, &fields_of_run, run)) {
        return false;
    }
    for (int i = 0; i < RESULT_ERRORS; i++) {
        const char *name = metric_error_name((enum result_error) i);

        if (!record_take_value(reader, cJSON_GetObjectItemCaseSensitive(errors, name), FIELD_U64, &run->errors[i])) {
            return record_refuse(reader, "the errors '%s' are missing, or are no number", name);
        }
    }
    for (size_t i = 0; i < FIELDS_HISTOGRAMS; i++) {
        const char *name = fields_histograms[i].name;
        char *place = (char *) run + fields_histograms[i].offset;

        if (!record_take_histogram(reader, cJSON_GetObjectItemCaseSensitive(histograms, name), name,
                                   (struct histogram **) (void *) place)) {
            return false;
        }
    }
    return record_take_seconds(reader, cJSON_GetObjectItemCaseSensitive(object, "seconds"), run);
}

static bool record_take_runs(struct record_reader *reader, const cJSON *list)
{
    struct result *result = reader->result;
    const cJSON *run;

    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0) {
        return record_refuse(reader, "'runs' is missing, or holds none");
    }
    result->runs = calloc((size_t) cJSON_GetArraySize(list), sizeof(*result->runs));
    if (result->runs == NULL) {
        return record_refuse(reader, "there is no memory for it");
    }
    cJSON_ArrayForEach(run, list)
    {
        if (!record_take_run(reader, run, &result->runs[result->runs_count++])) {
            return false;
        }
    }
    return true;
}

static bool record_take(struct record_reader *reader, const cJSON *root)
{
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(root, "format");
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(root, "format_version");

    if (cJSON_IsString(format) && strcmp(format->valuestring, PEERS_REPORT_FORMAT) == 0) {
        return record_refuse(reader, "this is a record of pipeport-bench peers; give one of pipeport-bench run");
    }
    if (!cJSON_IsString(format) || strcmp(format->valuestring, RECORD_FORMAT) != 0) {
        return record_refuse(reader, "this is JSON, but no record of pipeport-bench");
    }
    if (!record_is_integer(version, 1, UINT32_MAX)) {
        return record_refuse(reader, "'format_version' is missing, or is no number");
    }
    if (version->valuedouble > RECORD_VERSION) {
        return record_refuse(reader, "its format has version %.0f, and this pipeport-bench reads %d: take a newer one",
                             version->valuedouble, RECORD_VERSION);
    }
    return record_take_fields(reader, root, &fields_of_result, reader->result) &&
           record_take_plan(reader, cJSON_GetObjectItemCaseSensitive(root, "plan")) &&
           record_take_runs(reader, cJSON_GetObjectItemCaseSensitive(root, "runs"));
}

/* Where something other than white space stands behind the record; `length` where nothing does. */
static size_t record_rest(const char *bytes, size_t at, size_t length)
{
    while (at < length && (bytes[at] == ' ' || bytes[at] == '\t' || bytes[at] == '\r' || bytes[at] == '\n')) {
        at++;
    }
    return at;
}

bool record_read(const char *bytes, size_t length, struct result *result, struct record_fault *fault)
{
    struct record_reader reader = {result, NULL, fault};
    const char *end = NULL;
    size_t rest;
    cJSON *root;
    bool taken;

    memset(result, 0, sizeof(*result));
    root = cJSON_ParseWithLengthOpts(bytes, length, &end, false);
    if (root == NULL) {
        return record_refuse(&reader, "this is no JSON: it goes wrong at byte %zu",
                             end == NULL ? (size_t) 0 : (size_t) (end - bytes));
    }
    rest = record_rest(bytes, (size_t) (end - bytes), length);
    if (rest < length) {
        cJSON_Delete(root);
        return record_refuse(&reader,
                             "behind its JSON, at byte %zu, something else begins; only white space may follow", rest);
    }
    result->texts = malloc(length + 1);
    reader.texts_next = result->texts;
    taken = result->texts == NULL ? record_refuse(&reader, "there is no memory for it") : record_take(&reader, root);
    cJSON_Delete(root);
    if (!taken) {
        result_clear(result);
    }
    return taken;
}

bool record_load(const char *path, struct result *result, struct record_fault *fault)
{
    struct text text = {NULL, 0, 0, false};
    struct record_fault inner;
    bool taken = false;

    memset(result, 0, sizeof(*result));
    if (!text_load(&text, path, RECORD_BYTES_MAX)) {
        snprintf(fault->text, sizeof(fault->text), "%.100s: %s", path, text.failed ? "no memory" : strerror(errno));
    } else if (!record_read(text_string(&text), text.length, result, &inner)) {
        snprintf(fault->text, sizeof(fault->text), "%.100s: %.140s", path, inner.text);
    } else {
        taken = true;
    }
    text_clear(&text);
    return taken;
}
