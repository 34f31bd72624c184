/* SPDX-License-Identifier: MIT */
/* Comparing two results: what is called a change, what noise, and where nothing can be told. */
#include "bench/generator/comparison.h"
#include "tests/support/made.h"

#include <criterion/criterion.h>
#include <string.h>

static struct result from, to;

static enum comparison_verdict judge(const char *name)
{
    struct metric metric;

    cr_assert(metric_read(name, strlen(name), &metric));
    return comparison_judge(&metric, &from, &to);
}

static enum comparison_verdict judge_rates(const double *before, uint32_t before_count, const double *after,
                                           uint32_t after_count)
{
    enum comparison_verdict verdict;

    made_result(&from, before, before_count);
    made_result(&to, after, after_count);
    verdict = judge("rate");
    result_clear(&from);
    result_clear(&to);
    return verdict;
}

#define RATES(...) (double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / sizeof(double)

Test(comparison, calls_a_change_where_runs_lie_beyond_each_other_and_medians_far_enough_apart)
{
    cr_assert_eq(judge_rates(RATES(100, 101, 102), RATES(110, 111, 112)), COMPARISON_BETTER);
    cr_assert_eq(judge_rates(RATES(110, 111, 112), RATES(100, 101, 102)), COMPARISON_WORSE);
    cr_assert_eq(judge_rates(RATES(100, 101, 102, 100, 101), RATES(90, 91, 92)), COMPARISON_WORSE);
}

Test(comparison, takes_the_rest_for_noise)
{
    cr_assert_eq(judge_rates(RATES(100, 101, 102), RATES(100, 101, 102)), COMPARISON_NOISE);
    cr_assert_eq(judge_rates(RATES(100, 105, 110), RATES(109, 116, 118)), COMPARISON_NOISE); /* They overlap. */
    cr_assert_eq(judge_rates(RATES(100, 109, 110), RATES(111, 112, 113)), COMPARISON_NOISE); /* Medians too near. */
    cr_assert_eq(judge_rates(RATES(111, 112, 113), RATES(100, 109, 110)), COMPARISON_NOISE);
    cr_assert_eq(judge_rates(RATES(100, 100, 113), RATES(101, 114, 114)), COMPARISON_NOISE); /* Far, but overlapping. */
}

Test(comparison, cannot_tell_from_fewer_than_three_runs)
{
    cr_assert_eq(judge_rates(RATES(100), RATES(200)), COMPARISON_CANNOT_TELL);
    cr_assert_eq(judge_rates(RATES(100, 100), RATES(200, 200)), COMPARISON_CANNOT_TELL);
    cr_assert_eq(judge_rates(RATES(100, 101, 102), RATES(200)), COMPARISON_CANNOT_TELL);
    cr_assert_eq(judge_rates(RATES(100), RATES(200, 201, 202)), COMPARISON_CANNOT_TELL);
}

Test(comparison, claims_nothing_of_unstable_runs)
{
    cr_assert_eq(judge_rates(RATES(100, 120, 136), RATES(400, 401, 402)), COMPARISON_UNSTABLE);
    cr_assert_eq(judge_rates(RATES(400, 401, 402), RATES(100, 120, 136)), COMPARISON_UNSTABLE);
    cr_assert_eq(judge_rates(RATES(100, 120, 135), RATES(400, 401, 402)), COMPARISON_BETTER);
}

/* Of three runs each; the latencies of a run are all the same. */
static enum comparison_verdict judge_medians(const uint64_t *before, const uint64_t *after)
{
    enum comparison_verdict verdict;

    made_result(&from, RATES(100, 100, 100));
    made_result(&to, RATES(100, 100, 100));
    for (int i = 0; i < 3; i++) {
        made_latency(&from.runs[i], before[i], 10);
        made_latency(&to.runs[i], after[i], 10);
    }
    verdict = judge("p50");
    result_clear(&from);
    result_clear(&to);
    return verdict;
}

#define NS(...)                                                                                                        \
    (uint64_t[])                                                                                                       \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

Test(comparison, judges_by_ratios_how_far_apart_they_lie)
{
    /* The one side spreads by more than the medians differ; and yet it is 43 times the other. */
    cr_assert_eq(judge_medians(NS(230000, 236000, 240000), NS(9700000, 10200000, 21200000)), COMPARISON_WORSE);
    cr_assert_eq(judge_medians(NS(9700000, 10200000, 21200000), NS(230000, 236000, 240000)), COMPARISON_BETTER);
    cr_assert_eq(judge_medians(NS(10000, 20000, 30000), NS(40000, 50000, 60000)), COMPARISON_NOISE); /* 2.5 by 3. */
    cr_assert_eq(judge_medians(NS(40000, 50000, 60000), NS(10000, 20000, 30000)), COMPARISON_NOISE);
    cr_assert_eq(judge_medians(NS(10000, 10000, 30000), NS(31000, 50000, 60000)), COMPARISON_WORSE);
}

Test(comparison, judges_by_the_difference_where_a_lowest_is_nothing)
{
    cr_assert_eq(judge_medians(NS(0, 10, 20), NS(100, 110, 120)), COMPARISON_WORSE);
    cr_assert_eq(judge_medians(NS(100, 110, 120), NS(0, 10, 20)), COMPARISON_BETTER);
    cr_assert_eq(judge_medians(NS(0, 10, 20), NS(21, 25, 30)), COMPARISON_NOISE);
    cr_assert_eq(judge_medians(NS(0, 0, 0), NS(0, 0, 0)), COMPARISON_NOISE);
    cr_assert_eq(judge_medians(NS(0, 0, 0), NS(5, 5, 5)), COMPARISON_WORSE);
}

static enum comparison_verdict judge_latencies(uint64_t before, uint64_t after)
{
    enum comparison_verdict verdict;

    made_result(&from, RATES(100, 100, 100));
    made_result(&to, RATES(100, 100, 100));
    for (int i = 0; i < 3; i++) {
        made_latency(&from.runs[i], before, 10);
        made_latency(&to.runs[i], after, 10);
    }
    verdict = judge("p99");
    result_clear(&from);
    result_clear(&to);
    return verdict;
}

Test(comparison, does_not_trust_a_latency_beyond_its_bucket)
{
    cr_assert_eq(judge_latencies(100000, 101500), COMPARISON_NOISE);
    cr_assert_eq(judge_latencies(101500, 100000), COMPARISON_NOISE);
    cr_assert_eq(judge_latencies(100000, 103000), COMPARISON_WORSE);
    cr_assert_eq(judge_latencies(103000, 100000), COMPARISON_BETTER);
}

Test(comparison, takes_errors_that_never_were_for_worse_from_one_run_on)
{
    made_result(&from, RATES(100));
    made_result(&to, RATES(100));
    cr_assert_eq(judge("errors"), COMPARISON_NOTHING);
    to.runs[0].errors[RESULT_LOST] = 1;
    cr_assert_eq(judge("errors"), COMPARISON_WORSE);
    from.runs[0].errors[RESULT_LOST] = 5;
    cr_assert_eq(judge("errors"), COMPARISON_CANNOT_TELL);
    to.runs[0].errors[RESULT_LOST] = 0;
    cr_assert_eq(judge("errors"), COMPARISON_BETTER);
    cr_assert_eq(judge("memory"), COMPARISON_NOT_MEASURED);
    result_clear(&from);
    result_clear(&to);
}

Test(comparison, counts_errors_by_the_run_where_both_had_some)
{
    made_result(&from, RATES(100, 100, 100));
    made_result(&to, RATES(100, 100, 100, 100, 100, 100));
    for (int i = 0; i < 3; i++) {
        from.runs[i].errors[RESULT_LOST] = 10;
        to.runs[i].errors[RESULT_LOST] = to.runs[i + 3].errors[RESULT_LOST] = 10;
    }
    cr_assert_eq(judge("errors"), COMPARISON_NOISE);
    for (int i = 0; i < 6; i++) {
        from.runs[i % 3].errors[RESULT_LOST] = 10;
        to.runs[i].errors[RESULT_LOST] = 12;
    }
    cr_assert_eq(judge("errors"), COMPARISON_WORSE);
    for (int i = 0; i < 3; i++) { /* The sums are 300 and 1,212, and the runs lie farther apart than the means. */
        from.runs[i].errors[RESULT_LOST] = i == 0 ? 0 : 150;
        to.runs[i].errors[RESULT_LOST] = to.runs[i + 3].errors[RESULT_LOST] = 151 + 51u * (unsigned) i;
    }
    cr_assert_eq(judge("errors"), COMPARISON_NOISE);
    for (int i = 0; i < 6; i++) {
        from.runs[i % 3].errors[RESULT_LOST] = 10;
        to.runs[i].errors[RESULT_LOST] = 3;
    }
    cr_assert_eq(judge("errors"), COMPARISON_BETTER);
    result_clear(&from);
    result_clear(&to);
}

static void writes(const char *expected)
{
    const struct comparison_side a = {"a.json", &from}, b = {"b.json", &to};
    struct text text = {NULL, 0, 0, false};

    comparison_write(&a, &b, &text);
    cr_assert_str_eq(text_string(&text), expected);
    text_clear(&text);
    result_clear(&from);
    result_clear(&to);
}

Test(comparison, writes_what_changed)
{
    made_result(&from, RATES(1000, 1010, 1020));
    made_result(&to, RATES(2000, 2100, 2200));
    for (int i = 0; i < 3; i++) {
        made_latency(&to.runs[i], 50, 10);
    }
    writes("A  a.json: ping-pong, 10 connections, 64 bytes, closed loop, 10 s after 1 s of warm-up\n"
           "   pipeport 0.1.0 (epoll), 2026-01-31T12:00:00Z, 3 runs\n"
           "B  b.json: ping-pong, 10 connections, 64 bytes, closed loop, 10 s after 1 s of warm-up\n"
           "   pipeport 0.1.0 (epoll), 2026-01-31T12:00:00Z, 3 runs\n"
           "\n"
           "                             A             B    change\n"
           "rate                   1,010/s       2,100/s     x2.08  better, more than noise\n"
           "p50                    10.1 us         50 ns   -99.5 %  better, more than noise\n"
           "p90                    10.1 us         50 ns   -99.5 %  better, more than noise\n"
           "p99                     100 us         50 ns  -100.0 %  better, more than noise\n"
           "p99.9                  1.01 ms         50 ns  -100.0 %  better, more than noise\n"
           "max                    10.0 ms         50 ns  -100.0 %  better, more than noise\n"
           "mean                   37.0 us         50 ns   -99.9 %  better, more than noise\n"
           "connecting.p99         80.0 us       80.0 us      same  no more than noise\n"
           "client-cpu             1.00 us       1.00 us      same  no more than noise\n"
           "server-cpu             2.00 us       2.00 us      same  no more than noise\n"
           "errors                       0             0      same  none on either side\n");
}

Test(comparison, says_what_was_not_alike_and_that_one_run_is_too_few)
{
    made_result(&from, RATES(1000));
    made_result(&to, RATES(1000));
    to.plan.mode = PLAN_PIPELINED;
    to.plan.depth = 16;
    to.plan.sizes[0].max_bytes = 128;
    to.plan.framing.width = 8;
    to.driver = "io_uring";
    to.plan.seed = 2; /* These two change nothing. */
    to.plan.json = "x.json";
    for (int i = 0; i < 2; i++) {
        struct result_run *run = i == 0 ? from.runs : to.runs;

        run->client_cpu_ns = run->server_cpu_ns = 0;
        made_latency(run, 50, 10);
        memset(run->connecting, 0, sizeof(*run->connecting));
    }
    writes("A  a.json: ping-pong, 10 connections, 64 bytes, closed loop, 10 s after 1 s of warm-up\n"
           "   pipeport 0.1.0 (epoll), 2026-01-31T12:00:00Z, 1 run\n"
           "B  b.json: pipelined, 10 connections, depth 16, 64 to 128 bytes, closed loop, 10 s after 1 s of warm-up\n"
           "   pipeport 0.1.0 (io_uring), 2026-01-31T12:00:00Z, 1 run\n"
           "\n"
           "They were not run alike, A | B:\n"
           "   mode         \"ping-pong\" | \"pipelined\"\n"
           "   depth        1 | 16\n"
           "   sizes        64 bytes | 64 to 128 bytes\n"
           "   framing      kind 0 flags 0 width 0 offset 0 adjust 0 delimiter 0 | "
           "kind 0 flags 0 width 8 offset 0 adjust 0 delimiter 0\n"
           "   driver       \"epoll\" | \"io_uring\"\n"
           "\n"
           "                             A             B    change\n"
           "rate                   1,000/s       1,000/s      same  cannot tell\n"
           "p50                      50 ns         50 ns      same  cannot tell\n"
           "p90                      50 ns         50 ns      same  cannot tell\n"
           "p99                      50 ns         50 ns      same  cannot tell\n"
           "p99.9                    50 ns         50 ns      same  cannot tell\n"
           "max                      50 ns         50 ns      same  cannot tell\n"
           "mean                     50 ns         50 ns      same  cannot tell\n"
           "errors                       0             0      same  none on either side\n"
           "\n"
           "Cannot tell what is noise from fewer than 3 runs a side: measure with --repeat 3 or more.\n");
}

static void tells_of_builds(const char *before, const char *after, const char *expected)
{
    const struct comparison_side a = {"a.json", &from}, b = {"b.json", &to};
    struct text text = {NULL, 0, 0, false};
    const char *head, *table;

    made_result(&from, RATES(1000));
    made_result(&to, RATES(1000));
    from.build = before;
    to.build = after;
    comparison_write(&a, &b, &text);
    head = strstr(text_string(&text), "1 run\nB");
    cr_assert_not_null(head);
    head = strstr(head + 1, "1 run\n");
    cr_assert_not_null(head);
    head += strlen("1 run\n");
    table = strstr(head, "\n                ");
    cr_assert_not_null(table);
    cr_assert_eq((size_t) (table - head), strlen(expected), "%.*s", (int) (table - head), head);
    cr_assert_eq(strncmp(head, expected, strlen(expected)), 0, "%.*s", (int) (table - head), head);
    text_clear(&text);
    result_clear(&from);
    result_clear(&to);
}

Test(comparison, claims_nothing_of_a_build_that_a_record_does_not_tell)
{
    tells_of_builds("gcc 12.2.0, Release", "gcc 12.2.0, Release", "");
    tells_of_builds("gcc 12.2.0, Release", "clang 14.0, Debug",
                    "\nThey were not run alike, A | B:\n"
                    "   build        \"gcc 12.2.0, Release\" | \"clang 14.0, Debug\"\n");
    tells_of_builds(NULL, "gcc 12.2.0, Release", "\nNot told by A, so perhaps not alike: build\n");
    tells_of_builds("gcc 12.2.0, Release", NULL, "\nNot told by B, so perhaps not alike: build\n");
    tells_of_builds(NULL, NULL, "\nNot told by A and B, so perhaps not alike: build\n");
}
