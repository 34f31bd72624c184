/* SPDX-License-Identifier: MIT */
/* Assertions on a result: what is read, what is refused and how, and what holds. */
#include "bench/generator/assertions.h"
#include "tests/support/made.h"

#include <criterion/criterion.h>
#include <string.h>

static struct assertions assertions;

static void reads(const char *typed, uint32_t count)
{
    struct assertions_fault fault;

    cr_assert(assertions_read(typed, &assertions, &fault), "%s", typed);
    cr_assert_eq(assertions.count, count, "%s", typed);
}

static void refuses(const char *typed, const char *expected)
{
    struct assertions_fault fault = {""};

    cr_assert_not(assertions_read(typed, &assertions, &fault), "%s", typed);
    cr_assert_not_null(strstr(fault.text, expected), "'%s' gave: %s", typed, fault.text);
}

static void is_worth(const char *typed, double value)
{
    reads(typed, 1);
    cr_assert_float_eq(assertions.list[0].value, value, value * 1e-9, "%s", typed);
}

Test(assertions, reads_every_operator_and_unit)
{
    is_worth("p99<200us", 200e3);
    is_worth("p99<=1.5ms", 1.5e6);
    is_worth("max>2s", 2e9);
    is_worth("mean>=12ns", 12);
    is_worth("errors=0", 0);
    is_worth("rate>250K", 250e3);
    is_worth("rate>1.25M", 1.25e6);
    is_worth("missing<2K", 2000);
    is_worth("memory<16K", 16384);
    is_worth("memory<1.5M", 1572864);
    is_worth("memory<1G", 1073741824.0);
    is_worth("spread<1.2", 1.2);
    is_worth("cpu < 4us ", 4000);
    reads(" p99 < 200us , errors = 0 ,rate>=1", 3);
    cr_assert_eq(assertions.list[0].relation, ASSERTION_LESS);
    cr_assert_eq(assertions.list[1].relation, ASSERTION_IS);
    cr_assert_eq(assertions.list[2].relation, ASSERTION_LEAST);
}

Test(assertions, says_what_is_wrong_with_every_text_that_is_none)
{
    refuses("", "'': there is no metric");
    refuses("p99<200us,", "'': there is no metric");
    refuses(",", "there is no metric");
    refuses("<200us", "there is no metric");
    refuses("p100<200us", "unknown metric 'p100'; give one of rate, p50");
    refuses("speed>1", "unknown metric 'speed'");
    refuses("p99", "'p99': there is no operator");
    refuses("p99 200us", "there is no operator");
    refuses("p99!200us", "unknown metric 'p99!200us'");
    refuses("p99<", "'p99<': there is no value");
    refuses("p99< ", "there is no value");
    refuses("p99==1us", "a time wants a unit");
    refuses("p99<200", "'p99<200': a time wants a unit; give one such as 800ns, 200us");
    refuses("p99<200 us", "a time wants a unit");
    refuses("p99<us", "a time wants a unit");
    refuses("p99<200sec", "a time wants a unit");
    refuses("p99<-200us", "a time wants a unit");
    refuses("p99<1.2.3us", "a time wants a unit");
    refuses("p99<.5us", "a time wants a unit");
    refuses("p99<5.us", "a time wants a unit");
    refuses("p99<1e3us", "a time wants a unit");
    refuses("errors=none", "that is no number here");
    refuses("errors=0us", "that is no number here");
    refuses("rate>1G", "that is no number here");
    refuses("rate>1k", "that is no number here");
    refuses("memory<1us", "that is no size");
    refuses("spread<2K", "that is no ratio");
    refuses("errors=0,p99<1", "'p99<1': a time");
    refuses("p99<1111111111111111111111111111111111111111us", "a time wants a unit");
}

Test(assertions, takes_no_more_than_it_has_room_for)
{
    char many[16 * (ASSERTIONS_MAX + 1)] = "errors=0";

    for (int i = 1; i < ASSERTIONS_MAX; i++) {
        strcat(many, ",errors=0");
    }
    reads(many, ASSERTIONS_MAX);
    strcat(many, ",errors=0");
    refuses(many, "more than 32 assertions");
}

static void tells(const struct result *result, const char *typed, uint32_t failed, const char *expected)
{
    struct text text = {NULL, 0, 0, false};

    reads(typed, assertions.count);
    cr_assert_eq(assertions_check(&assertions, result, &text), failed, "%s", typed);
    cr_assert_str_eq(text_string(&text), expected);
    text_clear(&text);
}

Test(assertions, tells_each_that_does_not_hold)
{
    struct result result;

    made_result(&result, (double[]){1000}, 1);
    made_latency(result.runs, 50, 1); /* One bucket a nanosecond there. */
    assertions.count = 5;
    tells(&result, "p99<51ns,p99<=50ns,p99=50ns,p99>=50ns,p99>49ns", 0, "");
    tells(&result, "p99<50ns,p99<=49ns,p99=49ns,p99>=51ns,p99>50ns", 5,
          "assertion failed: p99<50ns, but it is 50 ns\n"
          "assertion failed: p99<=49ns, but it is 50 ns\n"
          "assertion failed: p99=49ns, but it is 50 ns\n"
          "assertion failed: p99>=51ns, but it is 50 ns\n"
          "assertion failed: p99>50ns, but it is 50 ns\n");
    result.runs[0].errors[RESULT_ORDER] = 3;
    assertions.count = 4;
    tells(&result, "rate>2K, errors=0, last.p50<1s, memory>0", 4,
          "assertion failed: rate>2K, but it is 1,000/s\n"
          "assertion failed: errors=0, but it is 3\n"
          "assertion failed: last.p50<1s, but that was not measured\n"
          "assertion failed: memory>0, but that was not measured\n");
    result_clear(&result);
}
