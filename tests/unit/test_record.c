/* SPDX-License-Identifier: MIT */
/* A result written and read back: nothing is lost, and nothing is believed that is not what it must be. */
#include "bench/generator/record.h"
#include "tests/support/made.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double rates[] = {1000, 1200, 1100};

/* Everything differs from everything, so that no two fields can be taken for one another. */
static void make_odd(struct result *result)
{
    struct plan *plan = &result->plan;
    uint64_t number = UINT64_C(1) << 40;

    made_result(result, rates, 3);
    made_open(result);
    *plan = (struct plan){PLAN_BROADCAST,
                          "a \"name\"",
                          true,
                          2,
                          3,
                          4,
                          5,
                          6,
                          7,
                          8,
                          1.0 / 3.0,
                          10,
                          1e-3,
                          true,
                          UINT64_MAX,
                          12,
                          13,
                          14,
                          "len:0,8,be,-3",
                          pipeport_framing_delimiter(200, PIPEPORT_STRIP_CR)};
    plan->framing.width = 8;
    plan->framing.offset = 64;
    plan->framing.adjust = -1048576;
    plan->sizes[0] = (struct plan_size){1, 2, 3};
    plan->sizes[1] = (struct plan_size){4, UINT32_MAX, 6};
    plan->sizes_count = 2;
    plan->html = "C:\\page.html";
    plan->assertions = "p99<1s";
    result->interrupted = true;
    result->command = "\xc2\xb5 \\ \n";
    for (uint32_t i = 0; i < 3; i++) {
        struct result_run *run = &result->runs[i];
        uint64_t *const fields[] = {
            &run->measured_ns,   &run->messages,          &run->bytes,     &run->planned,     &run->client_cpu_ns,
            &run->server_cpu_ns, &run->server_idle_bytes, &run->killed,    &run->late_p50_ns, &run->late_p99_ns,
            &run->errors[0],     &run->errors[1],         &run->errors[2], &run->errors[3],   &run->errors[4],
            &run->errors[5]};

        for (size_t j = 0; j < sizeof(fields) / sizeof(fields[0]); j++) {
            *fields[j] = ++number;
        }
        run->connected = UINT32_MAX - i;
    }
    result->runs[0].measured_ns = UINT64_C(1) << 53;
    result->runs[1].last = histogram_create();
    histogram_add_many(result->runs[1].last, 5, UINT64_C(1) << 40);
    histogram_add(result->runs[1].last, UINT64_MAX >> 12); /* Longer than any bucket. */
    result->runs[2].seconds_count = 0;
}

static void same_text(const char *one, const char *other)
{
    cr_assert_eq(one == NULL, other == NULL);
    if (one != NULL) {
        cr_assert_str_eq(one, other);
    }
}

static void same_histogram(const struct histogram *one, const struct histogram *other)
{
    cr_assert_eq(one == NULL, other == NULL);
    if (one != NULL) {
        cr_assert_eq(memcmp(one, other, sizeof(*one)), 0);
    }
}

static void same_plan(const struct plan *one, const struct plan *other)
{
    struct plan a = *one, b = *other;

    same_text(a.name, b.name);
    same_text(a.framing_text, b.framing_text);
    same_text(a.json, b.json);
    same_text(a.hgrm, b.hgrm);
    same_text(a.html, b.html);
    same_text(a.assertions, b.assertions);
    cr_assert_eq(a.mode, b.mode);
    cr_assert_eq(a.self, b.self);
    cr_assert_eq(a.connections, b.connections);
    cr_assert_eq(a.threads, b.threads);
    cr_assert_eq(a.depth, b.depth);
    cr_assert_eq(a.ramp_per_s, b.ramp_per_s);
    cr_assert_eq(a.duration_ms, b.duration_ms);
    cr_assert_eq(a.count, b.count);
    cr_assert_eq(a.warmup_ms, b.warmup_ms);
    cr_assert(!(a.rate_per_s < b.rate_per_s) && !(a.rate_per_s > b.rate_per_s));
    cr_assert_eq(a.slow_percent, b.slow_percent);
    cr_assert(!(a.kill_per_s < b.kill_per_s) && !(a.kill_per_s > b.kill_per_s));
    cr_assert_eq(a.verify, b.verify);
    cr_assert_eq(a.seed, b.seed);
    cr_assert_eq(a.repeat, b.repeat);
    cr_assert_eq(a.server_pid, b.server_pid);
    cr_assert_eq(a.silence_ms, b.silence_ms);
    cr_assert_eq(memcmp(&a.framing, &b.framing, offsetof(pipeport_framing, measure)), 0);
    cr_assert_eq(a.sizes_count, b.sizes_count);
    cr_assert_eq(memcmp(a.sizes, b.sizes, sizeof(a.sizes)), 0);
}

static void same_run(const struct result_run *one, const struct result_run *other)
{
    struct result_run a = *one, b = *other;

    same_histogram(a.service, b.service);
    same_histogram(a.corrected, b.corrected);
    same_histogram(a.last, b.last);
    same_histogram(a.connecting, b.connecting);
    cr_assert_eq(a.seconds_count, b.seconds_count);
    for (uint32_t i = 0; i < a.seconds_count; i++) {
        cr_assert_eq(memcmp(&a.seconds[i], &b.seconds[i], sizeof(a.seconds[i])), 0);
    }
    b.service = a.service;
    b.corrected = a.corrected;
    b.last = a.last;
    b.connecting = a.connecting;
    b.seconds = a.seconds;
    cr_assert_eq(memcmp(&a, &b, sizeof(a)), 0);
}

Test(record, comes_back_without_loss)
{
    struct text text = {NULL, 0, 0, false}, again = {NULL, 0, 0, false};
    struct result result, back;
    struct record_fault fault = {""};

    make_odd(&result);
    record_write(&result, &text);
    cr_assert(record_read(text_string(&text), text.length, &back, &fault), "%s", fault.text);
    same_plan(&result.plan, &back.plan);
    same_text(result.command, back.command);
    same_text(result.machine, back.machine);
    same_text(result.began, back.began);
    same_text(result.version, back.version);
    same_text(result.build, back.build);
    same_text(result.driver, back.driver);
    cr_assert_eq(back.interrupted, true);
    cr_assert_eq(back.runs_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        same_run(&result.runs[i], &back.runs[i]);
    }
    record_write(&back, &again);
    cr_assert_str_eq(text_string(&text), text_string(&again));
    result_clear(&result);
    result_clear(&back);
    text_clear(&text);
    text_clear(&again);
}

Test(record, keeps_every_mode)
{
    for (int mode = PLAN_PING_PONG; mode <= PLAN_IDLE; mode++) {
        struct text text = {NULL, 0, 0, false};
        struct result result, back;
        struct record_fault fault;

        made_result(&result, rates, 1);
        result.plan.mode = (enum plan_mode) mode;
        record_write(&result, &text);
        cr_assert(record_read(text_string(&text), text.length, &back, &fault));
        cr_assert_eq(back.plan.mode, result.plan.mode);
        result_clear(&result);
        result_clear(&back);
        text_clear(&text);
    }
}

/* The record of one run with the first `old` in it changed to `new`. */
static struct text record_with(const char *old, const char *new)
{
    struct text text = {NULL, 0, 0, false}, changed = {NULL, 0, 0, false};
    struct result result;
    const char *place;

    made_result(&result, rates, 1);
    record_write(&result, &text);
    result_clear(&result);
    place = strstr(text_string(&text), old);
    cr_assert_not_null(place, "%s", old);
    text_add_bytes(&changed, text.bytes, (size_t) (place - text.bytes));
    text_add(&changed, "%s%s", new, place + strlen(old));
    text_clear(&text);
    return changed;
}

static void refuses(const char *old, const char *new, const char *expected)
{
    struct text changed = record_with(old, new);
    struct record_fault fault = {""};
    struct result result;

    cr_assert_not(record_read(text_string(&changed), changed.length, &result, &fault), "%s", new);
    cr_assert_not_null(strstr(fault.text, expected), "%s: %s", new, fault.text);
    cr_assert_null(result.runs); /* What was read before the fault is given back. */
    cr_assert_null(result.texts);
    text_clear(&changed);
}

Test(record, refuses_what_is_not_what_it_must_be)
{
    refuses("{", "[", "this is no JSON");
    refuses("\"format\": \"pipeport-bench\"", "\"format\": \"other\"", "no record of pipeport-bench");
    refuses("\"pipeport-bench\"", "\"pipeport-bench-peers\"",
            "of pipeport-bench peers; give one of pipeport-bench run");
    refuses("\"format\"", "\"fromat\"", "no record of pipeport-bench");
    refuses("\"format_version\": 1", "\"format_version\": 2", "version 2, and this pipeport-bench reads 1");
    refuses("\"format_version\": 1", "\"format_version\": \"1\"", "'format_version' is missing");
    refuses("\"mode\": \"ping-pong\"", "\"mode\": \"pong\"", "'mode'");
    refuses("\"mode\": \"ping-pong\"", "\"mode\": 0", "'mode'");
    refuses("\"connections\": 10", "\"connections\": -1", "'connections'");
    refuses("\"connections\": 10", "\"connections\": 4294967296", "'connections'");
    refuses("\"connections\": 10", "\"connections\": 1.5", "'connections'");
    refuses("\"connections\": 10", "\"connections\": \"10\"", "'connections'");
    refuses("\"connections\": 10", "\"connexions\": 10", "'connections'");
    refuses("\"self\": false", "\"self\": 0", "'self'");
    refuses("\"seed\": \"1\"", "\"seed\": 1", "'seed'");
    refuses("\"seed\": \"1\"", "\"seed\": \"-1\"", "'seed'");
    refuses("\"seed\": \"1\"", "\"seed\": \"1x\"", "'seed'");
    refuses("\"seed\": \"1\"", "\"seed\": \"18446744073709551616\"", "'seed'");
    refuses("\"rate_per_s\": 0", "\"rate_per_s\": 1e999", "'rate_per_s'");
    refuses("\"name\": \"demo\"", "\"name\": 5", "'name'");
    refuses("\"build\": \"gcc", "\"build\": 5, \"x\": \"gcc", "'build'");
    refuses("\"delimiter\": 0", "\"delimiter\": 256", "'delimiter'");
    refuses("\"adjust\": 0", "\"adjust\": 2147483648", "'adjust'");
    refuses("\"sizes\": [", "\"sizes\": 1, \"x\": [", "'sizes'");
    refuses("\"min_bytes\": 64", "\"min_bytes\": null", "'min_bytes'");
    refuses("\"runs\": [", "\"runs\": [], \"x\": [", "'runs'");
    refuses("\"measured_ns\": 10000000000", "\"measured_ns\": 9007199254740994", "'measured_ns'");
    refuses("\"lost\": 0", "\"lots\": 0", "the errors 'lost'");
    refuses("\"corrected\": [[", "\"corrected\": 5, \"x\": [[", "the histogram 'corrected'");
    refuses("[10111, 900]", "[10047]", "the histogram 'corrected' has a bucket");
    refuses("[10111, 900]", "[10047, 0]", "the histogram 'corrected' has a bucket");
    refuses("[10111, 900]", "7", "the histogram 'corrected' has a bucket");
    refuses("[10111, 900]", "[10111, 900, 1]", "the histogram 'corrected' has a bucket that is not");
    refuses("[10111, 900]", "{\"ns\": 10111, \"count\": 900}", "the histogram 'corrected' has a bucket that is not");
    refuses("[10111, 900]", "[10111, 900], [10110, 1]", "'corrected' has a bucket of 10110 ns behind one of 10111 ns");
    refuses("[10111, 900]", "[10111, 900], [10111, 1]", "'corrected' has a bucket of 10111 ns behind one of 10111 ns");
    refuses("[10111, 900]", "[999999, 900]", "the shortest must come first, each once");
    refuses("\"seconds\": [", "\"seconds\": null, \"x\": [", "'seconds'");
    refuses("\"p50_ns\": 10000", "\"p50_ns\": true", "'p50_ns'");
}

Test(record, refuses_what_is_cut_anywhere)
{
    struct text text = {NULL, 0, 0, false};
    struct record_fault fault;
    struct result result;

    made_result(&result, rates, 2);
    record_write(&result, &text);
    result_clear(&result);
    for (size_t length = 0; length + 2 < text.length; length++) {
        char *cut = malloc(length + 1); /* Of its own length, so that a sanitizer sees who reads on. */

        cr_assert_not_null(cut);
        memcpy(cut, text.bytes, length);
        cr_assert_not(record_read(cut, length, &result, &fault), "cut at %zu", length);
        free(cut);
    }
    text_clear(&text);
}

/* `extra` bytes of `behind`, a NUL among them perhaps. */
static bool reads_with(const char *behind, size_t extra, struct record_fault *fault)
{
    struct text text = {NULL, 0, 0, false};
    struct result result;
    bool taken;

    made_result(&result, rates, 1);
    record_write(&result, &text);
    result_clear(&result);
    text_add_bytes(&text, behind, extra);
    taken = record_read(text_string(&text), text.length, &result, fault);
    cr_assert_eq(taken, result.runs != NULL); /* What is refused leaves nothing. */
    cr_assert_eq(taken, result.texts != NULL);
    result_clear(&result);
    text_clear(&text);
    return taken;
}

Test(record, ends_with_its_file)
{
    struct record_fault fault = {""};

    cr_assert(reads_with(" \t\r\n\n", 5, &fault), "%s", fault.text);
    cr_assert_not(reads_with("\n  x", 4, &fault));
    cr_assert_not_null(strstr(fault.text, "something else begins; only white space may follow"), "%s", fault.text);
    cr_assert_not(reads_with("{}", 2, &fault));
    cr_assert_not(reads_with("}", 1, &fault));
    cr_assert_not(reads_with("", 1, &fault));
}

Test(record, passes_over_what_it_does_not_know)
{
    struct text text = {NULL, 0, 0, false}, more = {NULL, 0, 0, false};
    struct record_fault fault;
    struct result result;

    made_result(&result, rates, 1);
    record_write(&result, &text);
    result_clear(&result);
    text_add(&more, "{\"later\": {\"field\": [1, 2]},%s", text_string(&text) + 1);
    cr_assert(record_read(text_string(&more), more.length, &result, &fault));
    result_clear(&result);
    text_clear(&text);
    text_clear(&more);
}

/* Those written before it was added. */
Test(record, takes_a_build_that_is_missing_for_not_known)
{
    struct text old = record_with("  \"build\": \"gcc 12.2.0, Release\",\n", ""), again = {NULL, 0, 0, false};
    struct text null = record_with("\"gcc 12.2.0, Release\"", "null");
    struct record_fault fault = {""};
    struct result result;

    cr_assert(record_read(text_string(&old), old.length, &result, &fault), "%s", fault.text);
    cr_assert_null(result.build);
    cr_assert_str_eq(result.version, "0.1.0");
    cr_assert_str_eq(result.driver, "epoll");
    cr_assert_eq(result.runs_count, 1);
    record_write(&result, &again);
    result_clear(&result);
    cr_assert_str_eq(text_string(&again), text_string(&null));
    cr_assert(record_read(text_string(&again), again.length, &result, &fault), "%s", fault.text);
    cr_assert_null(result.build);
    result_clear(&result);
    text_clear(&old);
    text_clear(&again);
    text_clear(&null);
}

Test(record, says_of_which_file_which_field_is_missing)
{
    static const char *const fields[] = {"command", "machine",     "began",      "version",
                                         "driver",  "interrupted", "rate_per_s", "messages"};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        char old[32], expected[96];
        struct record_fault fault = {""};
        struct result result;
        struct text without;

        snprintf(old, sizeof(old), "\"%s\": ", fields[i]);
        snprintf(expected, sizeof(expected), "test_record_without.json: '%s' is missing, or is not what it must be",
                 fields[i]);
        without = record_with(old, "\"x\": ");
        cr_assert(text_save(&without, "test_record_without.json"));
        text_clear(&without);
        cr_assert_not(record_load("test_record_without.json", &result, &fault), "%s", fields[i]);
        cr_assert_str_eq(fault.text, expected);
    }
    remove("test_record_without.json");
}

Test(record, names_the_file_that_cannot_be_read)
{
    struct text text = {NULL, 0, 0, false};
    struct record_fault fault;
    struct result result;

    cr_assert_not(record_load("no-such-file.json", &result, &fault));
    cr_assert_not_null(strstr(fault.text, "no-such-file.json: "), "%s", fault.text);
    text_add(&text, "nothing");
    cr_assert(text_save(&text, "test_record.json"));
    cr_assert_not(record_load("test_record.json", &result, &fault));
    cr_assert_not_null(strstr(fault.text, "test_record.json: this is no JSON"), "%s", fault.text);
    text_clear(&text);
    made_result(&result, rates, 1);
    record_write(&result, &text);
    result_clear(&result);
    cr_assert(text_save(&text, "test_record.json"));
    cr_assert(record_load("test_record.json", &result, &fault), "%s", fault.text);
    cr_assert_str_eq(result.plan.name, "demo");
    result_clear(&result);
    remove("test_record.json");
    text_clear(&text);
}
