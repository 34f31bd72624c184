/* SPDX-License-Identifier: MIT */
/* The page: everything is in it, nothing is beside it, and what people typed cannot break it. That it is well-formed a
 * real parser says, in system/test_bench_reports.py. */
#include "bench/generator/page.h"
#include "tests/support/made.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct result result;
static struct text text;

#define RATES(...) (double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / sizeof(double)

static void write_page(void)
{
    text_clear(&text);
    page_write(&result, &text);
    cr_assert_not(text.failed);
    result_clear(&result);
}

static size_t count_of(const char *piece)
{
    size_t count = 0;

    for (const char *place = strstr(text_string(&text), piece); place != NULL; place = strstr(place + 1, piece)) {
        count++;
    }
    return count;
}

static void has(const char *piece)
{
    cr_assert_geq(count_of(piece), 1, "%s", piece);
}

static void has_not(const char *piece)
{
    cr_assert_eq(count_of(piece), 0, "%s", piece);
}

Test(page, names_nothing_outside_itself)
{
    static const char *const outside[] = {"://",  "src=",    "href",    "url(",   "@import", "<script", "<link",
                                          "<img", "<iframe", "<object", "<embed", "onload",  "onclick"};

    made_result(&result, RATES(1000, 1010, 1020));
    made_open(&result);
    write_page();
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        has_not(outside[i]);
    }
}

Test(page, shows_curves_tables_and_the_command)
{
    made_result(&result, RATES(1000, 1010, 1020));
    made_open(&result);
    write_page();
    has("<h1>ping-pong, 10 connections, 64 bytes</h1>");
    has("open loop at 1,000/s, 10 s after 1 s of warm-up; 3 runs");
    has("<time datetime=\"2026-01-31T12:00:00Z\">2026-01-31 12:00 UTC</time>");
    has("<strong>1,010/s</strong>");
    has("1,000/s to 1,020/s");
    has("<th scope=\"row\">p99.99</th><td>20.0 ms</td><td class=\"range\">in every run</td>"
        "<td>10.0 ms</td><td class=\"range\">in every run</td>");
    has("aria-label=\"99 %: 20.0 ms, corrected\"");
    has("aria-label=\"99 %: 100 \xc2\xb5s, uncorrected\"");
    has("aria-label=\"0 to 1 s, rate 1,000/s, p50 10.0 \xc2\xb5s, p99 1.00 ms, longest 10.0 ms\"");
    has("aria-label=\"1 to 1.5 s, rate 800/s,");
    has("<pre tabindex=\"0\">pipeport-bench run demo</pre>");
    cr_assert_eq(count_of("<svg class=\"wide\""), 3);
    cr_assert_eq(count_of("<svg class=\"narrow\""), 3);
    has("prefers-color-scheme:dark");
    has("<html lang=\"en\">");
}

Test(page, draws_a_percentile_curve_in_steps_that_its_dots_lie_on)
{
    made_result(&result, RATES(1000));
    write_page();
    has("<polyline class=\"line first\" points=\"68.0,349.5 344.6,349.5 344.6,237.8 626.1,237.8 626.1,125.6 "
        "896.0,125.6 "
        "896.0,14.0 896.0,14.0 \"/>");
    made_result(&result, RATES(1000)); /* A stall of 3 s, which more than 99.99 % of the messages do not see. */
    made_latency(&result.runs[0], 10000, 299980);
    histogram_add_many(result.runs[0].corrected, UINT64_C(3000000000), 20);
    write_page();
    has("<polyline class=\"line first\" points=\"68.0,349.7 701.0,349.7 701.0,27.1 896.0,27.1 \"/>");
    has("aria-label=\"longest: 3.00 s, latency\"");
}

Test(page, shows_no_dash_for_what_a_short_run_cannot_tell)
{
    made_result(&result, RATES(1000));
    write_page();
    has("aria-label=\"99.9 %: 1.01 ms, latency\""); /* Of 1,000 latencies. */
    has_not("aria-label=\"99.99 %:");
    has("aria-label=\"longest: 10.0 ms, latency\"");
    has_not("uncorrected");
    has_not("The runs");
}

Test(page, keeps_what_people_typed_from_being_markup)
{
    made_result(&result, RATES(1000));
    result.command = "pipeport-bench run '<script>alert(1)</script>' & \"x\"";
    result.machine = "<b>";
    result.plan.name = "<i>";
    write_page();
    has("<pre tabindex=\"0\">pipeport-bench run '&lt;script&gt;alert(1)&lt;/script&gt;' &amp; &quot;x&quot;</pre>");
    has("&lt;b&gt;");
    has("&lt;i&gt;");
    has_not("<script");
    has_not("<b>");
    has_not("<i>");
}

Test(page, tells_of_a_plan_what_came_of_it)
{
    made_result(&result, RATES(1000));
    made_open(&result);
    write_page();
    has("<dt>plan</dt><dd>10,000 of 10,000 planned</dd>");
    has("<dt>lateness</dt><dd>the generator itself sent p50 1.50 \xc2\xb5s, p99 30.0 \xc2\xb5s after the plan</dd>");
    made_result(&result, RATES(1000));
    made_open(&result);
    result.runs[0].messages = 9900;
    write_page();
    has("<dt>plan</dt><dd>9,900 of 10,000 planned</dd>");
    made_result(&result, RATES(1000));
    made_open(&result);
    result.runs[0].messages = 9899;
    write_page();
    has("<dt>plan</dt><dd>9,899 of 10,000 planned: behind the plan, so the latencies grow with the length of the "
        "run</dd>");
    made_result(&result, RATES(1000)); /* A closed loop has none. */
    write_page();
    has_not("<dt>plan</dt>");
    has_not("<dt>lateness</dt>");
}

Test(page, says_that_a_build_is_not_known)
{
    made_result(&result, RATES(1000));
    write_page();
    has("<dt>built by</dt><dd>gcc 12.2.0, Release</dd>");
    made_result(&result, RATES(1000));
    result.build = NULL;
    write_page();
    has("<dt>built by</dt><dd>not known</dd>");
}

Test(page, says_unstable_instead_of_a_figure)
{
    made_result(&result, RATES(1000, 1360, 1100));
    write_page();
    has("<strong>unstable</strong>");
    has("The fastest of 3 runs was 1.36 times the slowest");
    has_not("<strong>1,100/s</strong>");
}

Test(page, tells_errors_and_marks_their_seconds)
{
    made_result(&result, RATES(1000));
    result.runs[0].errors[RESULT_LOST] = 1234;
    result.runs[0].seconds[1].errors = 1234;
    result.interrupted = true;
    write_page();
    has("<li><strong>1,234 lost</strong> connections ended while messages were due: look above");
    has("<path class=\"bad\"");
    has(", errors 1,234\"");
    has("Interrupted.");
}

Test(page, tells_errors_among_the_messages_of_all_runs)
{
    made_result(&result, RATES(1000, 1010, 1020));
    result.runs[0].errors[RESULT_LOST] = 2;
    result.runs[2].errors[RESULT_LOST] = 3;
    write_page();
    has("<strong>5</strong><span class=\"more\">in 30,300 messages</span>");
    made_result(&result, RATES(1000));
    result.runs[0].messages = 1;
    write_page();
    has("<strong>none</strong><span class=\"more\">in 1 message</span>");
    made_result(&result, RATES(0));
    write_page();
    has("<strong>none</strong><span class=\"more\"></span>");
}

Test(page, has_room_for_the_curves_of_every_run)
{
    made_result(&result, RATES(1000, 1010, 1020));
    write_page();
    has_not(">500 ms</text>");
    made_result(&result, RATES(1000, 1010, 1020));
    made_latency(&result.runs[0], UINT64_C(480000000), 10); /* Not the run of the median rate. */
    write_page();
    cr_assert_eq(count_of(">500 ms</text>"), 2);
}

Test(page, shows_what_there_is)
{
    made_result(&result, RATES(1000)); /* Idle: no latencies, no seconds. */
    result.plan.mode = PLAN_IDLE;
    memset(result.runs[0].service, 0, sizeof(*result.runs[0].service));
    result.runs[0].seconds_count = 0;
    result.runs[0].server_idle_bytes = 2560;
    write_page();
    has("connections held</span><strong>10</strong>");
    has("<strong>2.50 KiB</strong>");
    has_not("Latency by percentile");
    has_not("Rate over time");
    made_result(&result, RATES(1000)); /* One latency, in one second without any. */
    made_latency(result.runs, 50, 1);
    result.runs[0].seconds_count = 1;
    result.runs[0].seconds[0] = (struct result_second){.end_ns = 1};
    write_page();
    has("Latency by percentile");
    has("Rate over time");
    has_not("Latency over time");
    made_result(&result, NULL, 0); /* Not even a run. */
    write_page();
    has("</html>");
}

Test(page, draws_the_latencies_of_one_second_and_none_where_nothing_came)
{
    made_result(&result, RATES(1000));
    result.runs[0].seconds_count = 1;
    write_page();
    has("<polyline class=\"line third\" points=\"68.0,14.0 896.0,14.0 \"/>");
    has("<polyline class=\"line first\" points=\"68.0,220.0 896.0,220.0 \"/>");
    made_result(&result, RATES(1000));
    write_page();
    has("<polyline class=\"line third\" points=\"68.0,14.0 620.0,14.0 620.0,34.7 896.0,34.7 \"/>");
    made_result(&result, RATES(1000)); /* Nothing comes in the second of three. */
    free(result.runs[0].seconds);
    result.runs[0].seconds = calloc(3, sizeof(struct result_second));
    cr_assert_not_null(result.runs[0].seconds);
    result.runs[0].seconds_count = 3;
    for (uint32_t i = 0; i < 3; i++) {
        result.runs[0].seconds[i].begin_ns = UINT64_C(1000000000) * i;
        result.runs[0].seconds[i].end_ns = UINT64_C(1000000000) * (i + 1);
        result.runs[0].seconds[i].longest_ns = i == 1 ? 0 : UINT64_C(10000000);
        result.runs[0].seconds[i].p99_ns = result.runs[0].seconds[i].p50_ns = i == 1 ? 0 : UINT64_C(1000000);
    }
    write_page();
    has("<polyline class=\"line third\" points=\"68.0,14.0 344.0,14.0 \"/>\n"
        "<polyline class=\"line third\" points=\"620.0,14.0 896.0,14.0 \"/>");
}

/* The last tick, the tip and the table of a run of one second that ends then. */
static void tells_the_end(uint64_t end_ns, const char *end)
{
    static const char *const around[][2] = {{"middle\">", "</text>"}, {"\"0 to ", ", rate"}, {"\"row\">", "</th>"}};

    made_result(&result, RATES(1000));
    result.runs[0].seconds_count = 1;
    result.runs[0].seconds[0].end_ns = end_ns;
    write_page();
    for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
        struct text piece = {NULL, 0, 0, false};

        text_add(&piece, "%s%s%s", around[i][0], end, around[i][1]);
        has(text_string(&piece));
        text_clear(&piece);
    }
    has_not("e-0");
    has_not("e+0");
}

Test(page, tells_times_in_the_unit_of_the_run)
{
    tells_the_end(UINT64_C(10000000000000), "10000 s");
    tells_the_end(UINT64_C(1000000000), "1 s");
    tells_the_end(999980000, "1 s");
    tells_the_end(500000000, "500 ms");
    tells_the_end(1000000, "1 ms");
    tells_the_end(20000, "20 \xc2\xb5s");
    tells_the_end(500, "500 ns");
}

Test(page, draws_numbers_only)
{
    made_result(&result, RATES(1000));
    memset(result.runs[0].service, 0, sizeof(*result.runs[0].service));
    histogram_add(result.runs[0].service, 0); /* A logarithm of this is none. */
    result.runs[0].seconds[0] = (struct result_second){.end_ns = 0, .longest_ns = 1};
    write_page();
    has_not("nan");
    has_not("inf,");
    has_not("inf\"");
}
