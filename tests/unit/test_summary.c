/* SPDX-License-Identifier: MIT */
/* The summary for people, word by word. */
#include "bench/generator/summary.h"
#include "bench/generator/describe.h"
#include "tests/support/made.h"

#include <criterion/criterion.h>
#include <string.h>

static struct result result;

static void writes(const char *expected)
{
    struct text text = {NULL, 0, 0, false};

    summary_write(&result, &text);
    cr_assert_str_eq(text_string(&text), expected);
    text_clear(&text);
    result_clear(&result);
}

#define RATES(...) (double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / sizeof(double)

Test(summary, tells_one_closed_run)
{
    made_result(&result, RATES(1000));
    writes("pipeport 0.1.0 (epoll) on a machine, 2 processors, 2026-01-31T12:00:00Z\n"
           "ping-pong, 10 connections, 64 bytes, closed loop, 10 s after 1 s of warm-up\n"
           "\n"
           "throughput    1,000/s, 62.5 KiB/s; 10,000 messages in 10.0 s\n"
           "latency   each message\n"
           "  min          10.1 us\n"
           "  mean         37.0 us\n"
           "  p50          10.1 us\n"
           "  p90          10.1 us\n"
           "  p99           100 us\n"
           "  p99.9        1.01 ms\n"
           "  p99.99       10.0 ms\n"
           "  max          10.0 ms\n"
           "connecting    p50 50.2 us, p99 80.0 us, max 80.0 us\n"
           "cpu a message client 1.00 us, server 2.00 us\n"
           "errors        none\n");
}

Test(summary, sets_corrected_and_uncorrected_side_by_side_with_the_runs_beside)
{
    made_result(&result, RATES(1000, 990, 1010));
    made_open(&result);
    result.runs[0].messages = 9000;
    result.runs[0].measured_ns = UINT64_C(9000000000);
    for (int i = 0; i < 3; i++) {
        memset(result.runs[i].connecting, 0, sizeof(*result.runs[i].connecting));
        memset(result.runs[i].service, 0, sizeof(*result.runs[i].service));
        histogram_add_many(result.runs[i].service, 40 + 10 * (uint64_t) i, 10);
        made_latency(&result.runs[i], 2000 + 100 * (uint64_t) i, 10);
        result.runs[i].server_cpu_ns = 0;
    }
    writes("pipeport 0.1.0 (epoll) on a machine, 2 processors, 2026-01-31T12:00:00Z\n"
           "ping-pong, 10 connections, 64 bytes, open loop at 1,000/s, 10 s after 1 s of warm-up; 3 runs\n"
           "\n"
           "throughput    1,000/s, 69.4 KiB/s; 9,000 messages in 9.00 s\n"
           "              990/s to 1,010/s in 3 runs, spread 1.02\n"
           "plan          9,000 of 10,000 planned: behind the plan, so the latencies grow with the length of the run\n"
           "lateness      the generator itself sent p50 1.50 us, p99 30.0 us after the plan\n"
           "latency      corrected                           uncorrected\n"
           "  min          2.10 us    2.00 us to 2.20 us           50 ns      40 ns to 60 ns\n"
           "  mean         2.10 us    2.00 us to 2.20 us           50 ns      40 ns to 60 ns\n"
           "  p50          2.10 us    2.00 us to 2.20 us           50 ns      40 ns to 60 ns\n"
           "  p90          2.10 us    2.00 us to 2.20 us           50 ns      40 ns to 60 ns\n"
           "  p99          2.10 us    2.00 us to 2.20 us           50 ns      40 ns to 60 ns\n"
           "  p99.9        2.10 us    2.00 us to 2.20 us           50 ns      40 ns to 60 ns\n"
           "  p99.99       2.10 us    2.00 us to 2.20 us           50 ns      40 ns to 60 ns\n"
           "  max          2.10 us    2.00 us to 2.20 us           50 ns      40 ns to 60 ns\n"
           "cpu a message client 1.00 us, server not known\n"
           "errors        none\n");
}

Test(summary, says_unstable_instead_of_a_figure)
{
    made_result(&result, RATES(1000, 1360, 1100));
    for (int i = 0; i < 3; i++) {
        memset(result.runs[i].service, 0, sizeof(*result.runs[i].service));
        memset(result.runs[i].connecting, 0, sizeof(*result.runs[i].connecting));
    }
    writes("pipeport 0.1.0 (epoll) on a machine, 2 processors, 2026-01-31T12:00:00Z\n"
           "ping-pong, 10 connections, 64 bytes, closed loop, 10 s after 1 s of warm-up; 3 runs\n"
           "\n"
           "throughput    unstable: 1,000/s to 1,360/s in 3 runs, spread 1.36\n"
           "              no figure is claimed; try a quiet machine, a longer --duration, more --repeat\n"
           "cpu a message client 1.00 us, server 2.00 us\n"
           "errors        none\n");
}

Test(summary, tells_errors_by_kind_and_what_to_do)
{
    made_result(&result, RATES(1000));
    memset(result.runs[0].service, 0, sizeof(*result.runs[0].service));
    memset(result.runs[0].connecting, 0, sizeof(*result.runs[0].connecting));
    for (int i = 0; i < RESULT_ERRORS; i++) {
        result.runs[0].errors[i] = 1000u * (unsigned) (i + 1);
    }
    result.interrupted = true;
    writes("pipeport 0.1.0 (epoll) on a machine, 2 processors, 2026-01-31T12:00:00Z\n"
           "ping-pong, 10 connections, 64 bytes, closed loop, 10 s after 1 s of warm-up\n"
           "interrupted: this is what was measured until then\n"
           "\n"
           "throughput    1,000/s, 62.5 KiB/s; 10,000 messages in 10.0 s\n"
           "cpu a message client 1.00 us, server 2.00 us\n"
           "errors        21,000\n"
           "  connect     1,000: connections could not be made;\n"
           "              look whether the server runs under this name and takes so many; try a slower --ramp\n"
           "  lost        2,000: connections ended while messages were due;\n"
           "              look above for what was wrong with them, and into the server's log for why it ended them\n"
           "  refused     3,000: messages were not accepted for sending;\n"
           "              a queue or the memory is full: lower --rate or --depth, or let the peer read faster\n"
           "  damaged     4,000: messages came back changed;\n"
           "              look whether the server echoes exactly, and whether --framing is the server's\n"
           "  order       5,000: messages were lost, doubled or overtaken;\n"
           "              the server must answer each connection's messages in their order\n"
           "  missing     6,000: messages were never sent, or never answered;\n"
           "              the server was too slow or dropped them: lower --rate, or look into its log\n");
}

Test(summary, tells_how_many_were_killed_beside_the_plan)
{
    struct text text = {NULL, 0, 0, false};

    made_result(&result, RATES(1000));
    result.plan.kill_per_s = 2.5;
    result.runs[0].killed = 24;
    summary_write(&result, &text);
    cr_assert_not_null(strstr(text_string(&text), "\nkilled        24 connections, 2.4/s of 2.5/s planned\n"), "%s",
                       text_string(&text));
    text_clear(&text);
    result.runs[0].killed = 1;
    summary_write(&result, &text);
    cr_assert_not_null(strstr(text_string(&text), "\nkilled        1 connection, 0.1/s of 2.5/s planned\n"), "%s",
                       text_string(&text));
    text_clear(&text);
    result_clear(&result);
}

Test(summary, tells_what_idle_connections_cost)
{
    made_result(&result, RATES(1));
    result.plan.mode = PLAN_IDLE;
    result.plan.warmup_ms = 0;
    memset(result.runs[0].service, 0, sizeof(*result.runs[0].service));
    result.runs[0].client_cpu_ns = result.runs[0].server_cpu_ns = 0;
    result.runs[0].server_idle_bytes = 2560;
    writes("pipeport 0.1.0 (epoll) on a machine, 2 processors, 2026-01-31T12:00:00Z\n"
           "idle, 10 connections, held, 10 s\n"
           "\n"
           "held          10 connections for 10.0 s\n"
           "connecting    p50 50.2 us, p99 80.0 us, max 80.0 us\n"
           "memory        2.50 KiB a connection, in the server\n"
           "errors        none\n");
}

Test(summary, tells_a_broadcast_to_the_last_receiver)
{
    struct text text = {NULL, 0, 0, false};

    made_result(&result, RATES(1000));
    result.plan.mode = PLAN_BROADCAST;
    result.runs[0].last = histogram_create();
    cr_assert_not_null(result.runs[0].last);
    histogram_add(result.runs[0].last, 55);
    summary_write(&result, &text);
    cr_assert_not_null(strstr(text_string(&text), "10,000 deliveries in 10.0 s\n"));
    cr_assert_not_null(strstr(text_string(&text), "latency   each message last receiver\n"));
    cr_assert_not_null(strstr(text_string(&text), "\n  p99           100 us         55 ns\n"));
    text_clear(&text);
    result_clear(&result);
}

static void says_of_the_plan(const char *words)
{
    struct text text = {NULL, 0, 0, false};

    summary_write(&result, &text);
    cr_assert_not_null(strstr(text_string(&text), words), "%s", text_string(&text));
    text_clear(&text);
}

Test(summary, holds_broadcasts_and_not_deliveries_against_their_plan)
{
    made_result(&result, RATES(1000));
    made_open(&result);
    result.plan.mode = PLAN_BROADCAST;
    result.plan.slow_percent = 20; /* 8 of 10 read. */
    result.runs[0].planned = 1250;
    says_of_the_plan("\nplan          1,250 of 1,250 planned\n");
    result.runs[0].planned = 1300;
    says_of_the_plan("\nplan          1,250 of 1,300 planned: behind the plan, so the latencies grow");
    result_clear(&result);
}

Test(summary, does_not_call_behind_what_went_with_its_connection)
{
    const char *words = "\nplan          10,000 of 11,000 planned: the others were lost with their connections, or are "
                        "behind the plan\n";

    made_result(&result, RATES(1000));
    made_open(&result);
    result.runs[0].planned = 11000;
    result.runs[0].killed = 1;
    says_of_the_plan(words);
    result.runs[0].killed = 0;
    result.runs[0].errors[RESULT_LOST] = 1;
    says_of_the_plan(words);
    result_clear(&result);
}

Test(summary, tells_of_how_many_runs_it_is_where_one_broke_off)
{
    made_result(&result, RATES(1000));
    result.plan.repeat = 2;
    says_of_the_plan("10 s after 1 s of warm-up; 1 of 2 runs\n");
    result_clear(&result);
}

Test(summary, tells_one_of_a_kind)
{
    static const struct {
        enum plan_mode mode;
        const char *said;
    } modes[] = {{PLAN_PING_PONG, "; 1 message in 10.0 s\n"},
                 {PLAN_BROADCAST, "; 1 delivery in 10.0 s\n"},
                 {PLAN_CHURN, "; 1 visit in 10.0 s\n"}};

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct text text = {NULL, 0, 0, false};

        made_result(&result, RATES(1000));
        result.plan.mode = modes[i].mode;
        result.runs[0].messages = 1;
        summary_write(&result, &text);
        cr_assert_not_null(strstr(text_string(&text), modes[i].said), "%s", text_string(&text));
        text_clear(&text);
        result_clear(&result);
    }
}

Test(summary, says_that_nothing_was_measured)
{
    made_result(&result, NULL, 0);
    writes("pipeport 0.1.0 (epoll) on a machine, 2 processors, 2026-01-31T12:00:00Z\n"
           "ping-pong, 10 connections, 64 bytes, closed loop, 10 s after 1 s of warm-up\n"
           "\n"
           "nothing was measured\n");
}

static void describes(const char *load, const char *course)
{
    struct text text = {NULL, 0, 0, false};

    describe_load(&result.plan, &text);
    cr_assert_str_eq(text_string(&text), load);
    text_clear(&text);
    describe_course(&result.plan, &text);
    cr_assert_str_eq(text_string(&text), course);
    text_clear(&text);
}

Test(summary, describes_every_load)
{
    made_result(&result, RATES(1));
    result.plan.connections = 1;
    result.plan.mode = PLAN_PIPELINED;
    result.plan.depth = 16;
    result.plan.sizes[0] = (struct plan_size){64, 65536, 3};
    result.plan.sizes[1] = (struct plan_size){1048576, 1048576, 1};
    result.plan.sizes_count = 2;
    result.plan.duration_ms = 0;
    result.plan.count = 1000000;
    result.plan.warmup_ms = 1500;
    result.plan.slow_percent = 5;
    result.plan.kill_per_s = 2.5;
    describes("pipelined, 1 connection, depth 16, 64 to 65,536 bytes (3 of 4), 1,048,576 bytes (1 of 4)",
              "closed loop, 1,000,000 messages after 1.5 s of warm-up, 5 % never read, 2.5/s killed");
    result.plan.rate_per_s = 1000; /* Then a depth bounds nothing. */
    describes("pipelined, 1 connection, 64 to 65,536 bytes (3 of 4), 1,048,576 bytes (1 of 4)",
              "open loop at 1,000/s, 1,000,000 messages after 1.5 s of warm-up, 5 % never read, 2.5/s killed");
    result.plan.rate_per_s = 0;
    result.plan.mode = PLAN_CHURN;
    cr_assert_str_eq(describe_noun(PLAN_CHURN, 2), "visits");
    result.plan.count = 1;
    result.plan.warmup_ms = 0;
    result.plan.slow_percent = 0;
    result.plan.kill_per_s = 0.0;
    result.plan.sizes[0] = (struct plan_size){1, 1, 1};
    result.plan.sizes_count = 1;
    describes("churn, 1 connection, 1 byte", "closed loop, 1 message");
    result_clear(&result);
}
