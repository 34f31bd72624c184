/* SPDX-License-Identifier: MIT */
/* The load generator's command line: what becomes a plan, and what does not. */
#include "bench/generator/options.h"
#include "tests/support/line.h"

#include <criterion/criterion.h>

#include <string.h>

static enum args_result read(const char *text, struct plan *plan)
{
    static test_line line; /* The plan's texts lie in it. */

    test_line_part(&line, text);
    memset(plan, 0, sizeof *plan);
    return options_read(line.count, line.words, plan);
}

static struct plan go(const char *line)
{
    struct plan plan;

    cr_assert_eq(read(line, &plan), ARGS_GO, "%s", line);
    return plan;
}

Test(options, make_a_plan_of_a_name_alone)
{
    struct plan plan = go("demo");

    cr_assert_str_eq(plan.name, "demo");
    cr_assert_eq(plan.mode, PLAN_PING_PONG);
    cr_assert_eq(plan.connections, 64);
    cr_assert_eq(plan.depth, 1);
    cr_assert_geq(plan.threads, 1);
    cr_assert_eq(plan.duration_ms, 10000);
    cr_assert_eq(plan.warmup_ms, 1000);
    cr_assert_eq(plan.silence_ms, 10000);
    cr_assert_eq(plan.count, 0);
    cr_assert_eq(plan.repeat, 1);
    cr_assert_eq(plan.seed, 1);
    cr_assert_eq(plan.sizes_count, 1);
    cr_assert_eq(plan.sizes[0].min_bytes, 64);
    cr_assert_eq(plan.framing.kind, PIPEPORT_FRAMING_LENGTH);
    cr_assert_str_eq(plan.framing_text, "len:0,4,le,0");
    cr_assert_not(plan.self);
    cr_assert_not(plan.verify);
    cr_assert(plan.rate_per_s <= 0 && plan.kill_per_s <= 0);
}

Test(options, make_a_plan_of_all_that_can_be_said)
{
    struct plan plan = go(
        "--self --mode one-way --connections 7 --threads 3 --ramp 50 --size 1K --count 77 "
        "--slow-readers 20% --kill-rate 1.5 --verify --seed 5 --repeat 2 --framing varint --rate 2.5K "
        "--warmup 1.5 --timeout 2m");

    cr_assert(plan.self && plan.verify && plan.name == NULL);
    cr_assert_eq(plan.mode, PLAN_ONE_WAY);
    cr_assert_eq(plan.connections, 7);
    cr_assert_eq(plan.threads, 3);
    cr_assert_eq(plan.ramp_per_s, 50);
    cr_assert_eq(plan.sizes[0].max_bytes, 1024);
    cr_assert_eq(plan.count, 77);
    cr_assert_eq(plan.duration_ms, 0);
    cr_assert_eq(plan.slow_percent, 20);
    cr_assert_float_eq(plan.kill_per_s, 1.5, 1e-9);
    cr_assert_eq(plan.seed, 5);
    cr_assert_eq(plan.repeat, 2);
    cr_assert_eq(plan.framing.kind, PIPEPORT_FRAMING_VARINT);
    cr_assert_float_eq(plan.rate_per_s, 2500.0, 1e-9);
    cr_assert_eq(plan.warmup_ms, 1500);
    cr_assert_eq(plan.silence_ms, 120000);
}

Test(options, take_their_mode_from_the_depth_and_the_depth_from_the_mode)
{
    cr_assert_eq(go("x --depth 2").mode, PLAN_PIPELINED);
    cr_assert_eq(go("x --depth 2").depth, 2);
    cr_assert_eq(go("x --depth 1").mode, PLAN_PING_PONG);
    cr_assert_eq(go("x --mode pipelined").depth, 16);
    cr_assert_eq(go("x --mode one-way").depth, 16);
    cr_assert_eq(go("x --mode broadcast").depth, 1);
    cr_assert_eq(go("x --mode broadcast --rate 10").depth, 256);
    cr_assert_eq(go("x --mode idle").warmup_ms, 0);
    cr_assert_eq(go("x --count 5").warmup_ms, 0);
}

Test(options, take_the_longest_and_the_shortest_that_a_framing_tells_of)
{
    cr_assert_eq(go("x --framing len:0,1,le,0 --size 255").sizes[0].max_bytes, 255);
    cr_assert_eq(go("x --framing len:0,1,le,0,escape --size 256").sizes[0].max_bytes, 256);
    cr_assert_eq(go("x --framing len:0,4,le,5 --size 5").sizes[0].min_bytes, 5);
}

Test(options, take_a_default_that_is_given_by_hand)
{
    cr_assert_float_eq(go("x --kill-rate 0").kill_per_s, 0, 0);
    cr_assert_eq(go("x --mode churn --kill-rate 0").mode, PLAN_CHURN);
}

Test(options, take_slow_readers_with_their_sign_and_without)
{
    cr_assert_eq(go("x").slow_percent, 0);
    cr_assert_eq(go("x --slow-readers 0%").slow_percent, 0);
    cr_assert_eq(go("x --slow-readers 7").slow_percent, 7);
    cr_assert_eq(go("x --slow-readers=99%").slow_percent, 99);
    cr_assert_eq(go("x --slow-readers 5% --connections 20").slow_percent, 5);
    cr_assert_eq(go("x --slow-readers 25% --connections 4").slow_percent, 25);
    cr_assert_eq(go("x --slow-readers 0% --connections 1").slow_percent, 0);
}

Test(options, keep_the_names_of_files)
{
    struct plan plan = go("x --json a --hgrm b --html ./a");

    cr_assert_str_eq(plan.json, "a");
    cr_assert_str_eq(plan.hgrm, "b");
    cr_assert_str_eq(plan.html, "./a");
}

Test(options, refuse_a_file_without_a_name)
{
    char name[] = "x", empty[] = "", words[][8] = {"--json", "--hgrm", "--html"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char *line[] = {name, words[i], empty};
        struct plan plan = {0};

        cr_expect_eq(options_read(3, line, &plan), ARGS_WRONG, "%s", words[i]);
    }
}

Test(options, refuse_what_does_not_go_together)
{
    static const char *const lines[] = {"",
                                        "--self x",
                                        "x y",
                                        "x --count 1 --duration 1s",
                                        "x --mode ping-pong --depth 2",
                                        "x --mode churn --depth 4",
                                        "x --mode idle --depth 1",
                                        "x --rate 5 --depth 2",
                                        "x --rate 5 --depth 2 --mode one-way",
                                        "x --framing len:0,1,le,0 --size 256",
                                        "x --framing len:0,4,le,5 --size 4",
                                        "x --framing len:0,4,le,2 --mode broadcast",
                                        "x --mode churn --rate 5",
                                        "x --mode idle --rate 5",
                                        "x --mode broadcast --kill-rate 5",
                                        "x --mode churn --kill-rate 5",
                                        "x --mode idle --kill-rate 5",
                                        "x --mode churn --slow-readers 5",
                                        "x --mode idle --count 5",
                                        "x --framing none --verify",
                                        "x --framing delim:0a --verify",
                                        "x --framing len:0,4,le,0,keep",
                                        "x --framing none --mode broadcast",
                                        "x --framing none --size 0",
                                        "x --framing message --size 0,5",
                                        "x --framing odd",
                                        "x --size 5x",
                                        "x --duration 0",
                                        "x --timeout 0s",
                                        "x --warmup 1y",
                                        "x --rate 0",
                                        "x --kill-rate x",
                                        "x --slow-readers 100",
                                        "x --slow-readers 100%",
                                        "x --slow-readers 5%%",
                                        "x --slow-readers %",
                                        "x --slow-readers 1.5%",
                                        "x --slow-readers -1",
                                        "x --slow-readers 5% --connections 19",
                                        "x --slow-readers 24% --connections 4",
                                        "x --slow-readers 99% --connections 1",
                                        "x --assert odd",
                                        "x --json a --hgrm a",
                                        "x --html a --json b --hgrm a",
                                        "x --hgrm a --html=a",
                                        "x --json a --html a",
                                        "x --connections 65537",
                                        "x --repeat 0"};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct plan plan;

        cr_expect_eq(read(lines[i], &plan), ARGS_WRONG, "'%s'", lines[i]);
    }
}

Test(options, read_times)
{
    static const struct {
        const char *text;
        uint32_t ms;
    } right[] = {{"10s", 10000}, {"500ms", 500}, {"2m", 120000},      {"1.5", 1500},
                 {"0.25s", 250}, {"0", 0},       {"168h", 604800000}, {"0.5ms", 1}};
    static const char *const wrong[] = {"", "s", "-1s", "1 s", "1sec", "1e3", ".5s", "169h", "1000000000000000s"};

    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        uint32_t ms = 77;

        cr_expect(options_take_time(right[i].text, &ms), "%s", right[i].text);
        cr_expect_eq(ms, right[i].ms, "%s is %u", right[i].text, ms);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint32_t ms;

        cr_expect_not(options_take_time(wrong[i], &ms), "'%s'", wrong[i]);
    }
}

Test(options, read_rates)
{
    static const struct {
        const char *text;
        double per_s;
    } right[] = {{"1", 1}, {"0.5", 0.5}, {"2.5K", 2500}, {"2k", 2000}, {"1M", 1e6}, {"100M", 1e8}};
    static const char *const wrong[] = {"", "0", "-1", "1G", "1m", "K", "101M", "1KK", "1 K"};

    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        double per_s = 0;

        cr_expect(options_take_rate(right[i].text, &per_s), "%s", right[i].text);
        cr_expect_float_eq(per_s, right[i].per_s, 1e-9, "%s is %f", right[i].text, per_s);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        double per_s;

        cr_expect_not(options_take_rate(wrong[i], &per_s), "'%s'", wrong[i]);
    }
}
