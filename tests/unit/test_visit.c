/* SPDX-License-Identifier: MIT */
/* The last line of the load. */
#include "bench/generator/visit.h"

#include <criterion/criterion.h>

#include <math.h>

#define LINUX                                                                                                          \
    "load mode=echo connections=64 size=64 depth=1 seconds=1.000 messages=120 all=150 rate=119.5 p50_us=10.5 "         \
    "p90_us=50.0 p99_us=99.0 p999_us=110.0 max_us=120.0 load_cpu=0.75 fruitless=0 server_us=3.5000"
#define WINDOWS                                                                                                        \
    "load connections=64 size=64 depth=1 threads=1 seconds=1.000 messages=120 all=150 rate=119.5 p50_us=10.5 "         \
    "p90_us=50.0 p99_us=99.0 p999_us=110.0 max_us=120.0 connect_ms=5.0"

static bool is_near(double found, double wanted)
{
    return fabs(found - wanted) < 1e-9;
}

Test(visit, reads_what_the_load_of_linux_says)
{
    struct visit visit;

    cr_assert(visit_read(LINUX " ok", &visit));
    cr_assert(is_near(visit.rate, 119.5) && is_near(visit.p50_us, 10.5) && is_near(visit.p99_us, 99));
    cr_assert(is_near(visit.p90_us, 50) && is_near(visit.p999_us, 110) && is_near(visit.max_us, 120));
    cr_assert(is_near(visit.cpu_us, 3.5) && is_near(visit.load_busy, 0.75));
    cr_assert(visit.messages == 120 && visit.all == 150);
    cr_assert(is_near(visit_figure(&visit, RIVAL_ECHO), 119.5));
    cr_assert(is_near(visit_figure(&visit, RIVAL_IDLE), 0));
}

Test(visit, reads_what_the_load_of_windows_says_and_knows_no_more)
{
    struct visit visit;

    cr_assert(visit_read(WINDOWS " ok", &visit));
    cr_assert(is_near(visit.rate, 119.5) && visit.messages == 120);
    cr_assert(is_near(visit.cpu_us, 0) && is_near(visit.load_busy, 0));
}

Test(visit, is_none_where_the_load_was_not_content)
{
    static const char *const lines[] = {
        "",
        "ok",
        "load ok",
        LINUX,
        LINUX " not ok ",
        LINUX " ok ",
        "the " LINUX " ok",
        "load: no connection ok",
        "load rate=x messages=1 all=1 p50_us=1 p90_us=1 p99_us=1 p999_us=1 max_us=1 ok",
        "load rate=-1 messages=1 all=1 p50_us=1 p90_us=1 p99_us=1 p999_us=1 max_us=1 ok",
        "load rate=nan messages=1 all=1 p50_us=1 p90_us=1 p99_us=1 p999_us=1 max_us=1 ok",
        "load rate=inf messages=1 all=1 p50_us=1 p90_us=1 p99_us=1 p999_us=1 max_us=1 ok",
        "load rate=1 messages=1x all=1 p50_us=1 p90_us=1 p99_us=1 p999_us=1 max_us=1 ok",
        "load xrate=1 messages=1 all=1 p50_us=1 p90_us=1 p99_us=1 p999_us=1 max_us=1 ok"};
    struct visit visit;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cr_assert_not(visit_read(lines[i], &visit), "%s", lines[i]);
    }
}
