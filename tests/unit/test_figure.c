/* SPDX-License-Identifier: MIT */
/* Numbers for people: three digits, and no unit is left where the next would do. */
#include "bench/generator/figure.h"

#include <criterion/criterion.h>

static struct figure figure;

Test(figure, writes_durations)
{
    cr_assert_str_eq(figure_duration(&figure, 0), "0 ns");
    cr_assert_str_eq(figure_duration(&figure, 812), "812 ns");
    cr_assert_str_eq(figure_duration(&figure, 999.4), "999 ns");
    cr_assert_str_eq(figure_duration(&figure, 999.5), "1.00 us");
    cr_assert_str_eq(figure_duration(&figure, 9994), "9.99 us");
    cr_assert_str_eq(figure_duration(&figure, 9996), "10.0 us");
    cr_assert_str_eq(figure_duration(&figure, 99940), "99.9 us");
    cr_assert_str_eq(figure_duration(&figure, 99960), "100 us");
    cr_assert_str_eq(figure_duration(&figure, 999499), "999 us");
    cr_assert_str_eq(figure_duration(&figure, 999500), "1.00 ms");
    cr_assert_str_eq(figure_duration(&figure, 4.56e6), "4.56 ms");
    cr_assert_str_eq(figure_duration(&figure, 1.2e9), "1.20 s");
    cr_assert_str_eq(figure_duration(&figure, 4.4e12), "4400 s");
}

Test(figure, writes_counts_with_their_thousands_parted)
{
    cr_assert_str_eq(figure_count(&figure, 0), "0");
    cr_assert_str_eq(figure_count(&figure, 999), "999");
    cr_assert_str_eq(figure_count(&figure, 1000), "1,000");
    cr_assert_str_eq(figure_count(&figure, 123456), "123,456");
    cr_assert_str_eq(figure_count(&figure, UINT64_MAX), "18,446,744,073,709,551,615");
}

Test(figure, writes_rates)
{
    cr_assert_str_eq(figure_rate(&figure, 0), "0.0/s");
    cr_assert_str_eq(figure_rate(&figure, 87.34), "87.3/s");
    cr_assert_str_eq(figure_rate(&figure, 99.96), "100/s");
    cr_assert_str_eq(figure_rate(&figure, 1234567.8), "1,234,568/s");
}

Test(figure, writes_bytes)
{
    cr_assert_str_eq(figure_bytes(&figure, 0), "0 bytes");
    cr_assert_str_eq(figure_bytes(&figure, 1), "1 byte");
    cr_assert_str_eq(figure_bytes(&figure, 512), "512 bytes");
    cr_assert_str_eq(figure_bytes(&figure, 1536), "1.50 KiB");
    cr_assert_str_eq(figure_bytes(&figure, 1023.6), "1.00 KiB");
    cr_assert_str_eq(figure_bytes(&figure, 1047552), "1.00 MiB");
    cr_assert_str_eq(figure_bytes(&figure, 12.3 * 1073741824.0), "12.3 GiB");
}

Test(figure, writes_changes)
{
    cr_assert_str_eq(figure_change(&figure, 100, 103.14), "+3.1 %");
    cr_assert_str_eq(figure_change(&figure, 100, 90), "-10.0 %");
    cr_assert_str_eq(figure_change(&figure, 100, 100.01), "same");
    cr_assert_str_eq(figure_change(&figure, 100, 199), "+99.0 %");
    cr_assert_str_eq(figure_change(&figure, 100, 250), "x2.50");
    cr_assert_str_eq(figure_change(&figure, 100, 1230), "x12.3");
    cr_assert_str_eq(figure_change(&figure, 0, 5), "was 0");
    cr_assert_str_eq(figure_change(&figure, 0, 0), "same");
    cr_assert_str_eq(figure_change(&figure, 5, 0), "-100.0 %");
}
