/* SPDX-License-Identifier: MIT */
/* The command line of `pipeport-bench peers`: what becomes a plan, and what does not. */
#include "bench/generator/peers_options.h"
#include "tests/support/line.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

static enum args_result read(const char *text, struct contest_plan *plan)
{
    static test_line line; /* The plan's texts lie in it. */

    test_line_part(&line, text);
    memset(plan, 0, sizeof *plan);
    return peers_options_read(line.count, line.words, plan);
}

static struct contest_plan go(const char *line)
{
    struct contest_plan plan;

    cr_assert_eq(read(line, &plan), ARGS_GO, "%s", line);
    return plan;
}

static bool is_wanted(const struct contest_plan *plan, const char *word)
{
    size_t found = rival_find(word, strlen(word));

    cr_assert_lt(found, rivals_count, "%s", word);
    return plan->wanted[found];
}

Test(peers_options, compare_all_for_five_rounds_of_a_second)
{
    struct contest_plan plan = go("");

    cr_assert_eq(plan.task.mode, RIVAL_ECHO);
    cr_assert_eq(plan.task.connections, 64);
    cr_assert_eq(plan.task.depth, 1);
    cr_assert_eq(plan.task.bytes, 64);
    cr_assert_eq(plan.task.duration_ms, 1000);
    cr_assert_eq(plan.task.warmup_ms, 200);
    cr_assert_eq(plan.rounds, 5);
    cr_assert_not(plan.list);
    cr_assert_null(plan.bin);
    cr_assert_null(plan.json);
    for (size_t i = 0; i < rivals_count; i++) {
        cr_assert(plan.wanted[i], "%s", rivals[i]->word);
    }
}

Test(peers_options, make_a_plan_of_all_that_can_be_said)
{
    struct contest_plan plan = go("--connections 1000 --depth 16 --size 1K --rounds 9 --duration 250ms --warmup 2s "
                                  "--bin here --json=a.json --list --only libuv,libuv-joined --mode echo");

    cr_assert_eq(plan.task.connections, 1000);
    cr_assert_eq(plan.task.depth, 16);
    cr_assert_eq(plan.task.bytes, 1024);
    cr_assert_eq(plan.task.duration_ms, 250);
    cr_assert_eq(plan.task.warmup_ms, 2000);
    cr_assert_eq(plan.rounds, 9);
    cr_assert(plan.list);
    cr_assert_str_eq(plan.bin, "here");
    cr_assert_str_eq(plan.json, "a.json");
}

Test(peers_options, take_pipeport_always)
{
    struct contest_plan plan = go("--only libuv");

    cr_assert(is_wanted(&plan, "pipeport") && is_wanted(&plan, "libuv") && !is_wanted(&plan, "libuv-joined"));
    plan = go("--only pipeport,libuv-joined");
    cr_assert(is_wanted(&plan, "pipeport") && !is_wanted(&plan, "libuv") && is_wanted(&plan, "libuv-joined"));
    plan = go("--without libuv");
    cr_assert(is_wanted(&plan, "pipeport") && !is_wanted(&plan, "libuv") && is_wanted(&plan, "libuv-joined"));
}

Test(peers_options, refuse_what_is_no_choice_of_peers)
{
    static const char *const lines[] = {"--only odd",
                                        "--only libu",
                                        "--only libuvx",
                                        "--only libuv,",
                                        "--only ,libuv",
                                        "--only=",
                                        "--only Libuv",
                                        "--without odd",
                                        "--without pipeport",
                                        "--without libuv,odd",
                                        "--only libuv --without libuv-joined",
                                        "--only pipeport"};
    struct contest_plan plan;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cr_assert_eq(read(lines[i], &plan), ARGS_WRONG, "%s", lines[i]);
    }
}

Test(peers_options, refuse_to_leave_nobody)
{
    char line[256] = "--without ";
    struct contest_plan plan;

    for (size_t i = 1; i < rivals_count; i++) {
        snprintf(line + strlen(line), sizeof line - strlen(line), "%s%s", i == 1 ? "" : ",", rivals[i]->word);
    }
    cr_assert_eq(read(line, &plan), ARGS_WRONG, "%s", line);
}

Test(peers_options, refuse_what_is_out_of_bounds)
{
    static const char *const lines[] = {"a",
                                        "--rounds 4",
                                        "--rounds 1001",
                                        "--rounds x",
                                        "--connections 0",
                                        "--connections 10001",
                                        "--depth 0",
                                        "--depth 65537",
                                        "--size 15",
                                        "--size 17M",
                                        "--duration 0",
                                        "--duration 3601s",
                                        "--duration 5y",
                                        "--warmup 61s",
                                        "--warmup later",
                                        "--mode ping-pong",
                                        "--odd",
                                        "--json",
                                        "--rounds 5 --rounds 5"};
    struct contest_plan plan;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cr_assert_eq(read(lines[i], &plan), ARGS_WRONG, "%s", lines[i]);
    }
    plan = go("--rounds 1000 --connections 10000 --size 16 --warmup 60s --duration 1h");
    cr_assert(plan.rounds == 1000 && plan.task.connections == 10000 && plan.task.bytes == 16);
    cr_assert(plan.task.warmup_ms == 60000 && plan.task.duration_ms == 3600000);
}

Test(peers_options, refuse_what_does_not_go_together)
{
    static const char *const lines[] = {"--mode churn --depth 2", "--mode idle --depth 2", "--mode idle --duration 1s",
                                        "--mode idle --warmup 1s"};
    struct contest_plan plan;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cr_assert_eq(read(lines[i], &plan), ARGS_WRONG, "%s", lines[i]);
    }
}

Test(peers_options, know_every_mode)
{
    static const char *const modes[] = {"echo", "broadcast", "churn", "idle"};
    char line[64];

    for (int mode = 0; mode < RIVAL_MODES; mode++) {
        snprintf(line, sizeof line, "--mode %s", modes[mode]);
        cr_assert_eq(go(line).task.mode, (enum rival_mode) mode, "%s", line);
    }
}

/* One system's load takes more than the other's. */
Test(peers_options, refuse_what_the_load_of_this_system_cannot)
{
    struct contest_plan plan;

    cr_assert_eq(read("--depth 65536", &plan), rival_depth_max == 65536 ? ARGS_GO : ARGS_WRONG);
    cr_assert_eq(read("--size 16M", &plan), rival_bytes_max == 16u << 20 ? ARGS_GO : ARGS_WRONG);
}
