/* SPDX-License-Identifier: MIT */
/* HdrHistogram's percentile format: the expected text is what hdr-histogram-js 3.0.1 prints of the same values, apart
 * from the last line, which tells how a histogram is made. */
#include "bench/generator/hgrm.h"

#include <criterion/criterion.h>

static void prints(const struct histogram *histogram, const char *expected)
{
    struct text text = {NULL, 0, 0, false};

    hgrm_write(histogram, &text);
    cr_assert_str_eq(text_string(&text), expected);
    text_clear(&text);
}

Test(hgrm, prints_a_known_distribution_as_hdrhistogram_does)
{
    struct histogram *histogram = histogram_create();

    cr_assert_not_null(histogram);
    for (uint64_t ns = 1; ns <= 100; ns++) {
        histogram_add(histogram, ns);
    }
    prints(histogram, "       Value     Percentile TotalCount 1/(1-Percentile)\n"
                      "\n"
                      "       0.001 0.000000000000          1           1.00\n"
                      "       0.010 0.100000000000         10           1.11\n"
                      "       0.020 0.200000000000         20           1.25\n"
                      "       0.030 0.300000000000         30           1.43\n"
                      "       0.040 0.400000000000         40           1.67\n"
                      "       0.050 0.500000000000         50           2.00\n"
                      "       0.055 0.550000000000         55           2.22\n"
                      "       0.060 0.600000000000         60           2.50\n"
                      "       0.065 0.650000000000         65           2.86\n"
                      "       0.070 0.700000000000         70           3.33\n"
                      "       0.075 0.750000000000         75           4.00\n"
                      "       0.078 0.775000000000         78           4.44\n"
                      "       0.080 0.800000000000         80           5.00\n"
                      "       0.083 0.825000000000         83           5.71\n"
                      "       0.085 0.850000000000         85           6.67\n"
                      "       0.088 0.875000000000         88           8.00\n"
                      "       0.089 0.887500000000         89           8.89\n"
                      "       0.090 0.900000000000         90          10.00\n"
                      "       0.092 0.912500000000         92          11.43\n"
                      "       0.093 0.925000000000         93          13.33\n"
                      "       0.094 0.937500000000         94          16.00\n"
                      "       0.095 0.943750000000         95          17.78\n"
                      "       0.095 0.950000000000         95          20.00\n"
                      "       0.096 0.956250000000         96          22.86\n"
                      "       0.097 0.962500000000         97          26.67\n"
                      "       0.097 0.968750000000         97          32.00\n"
                      "       0.098 0.971875000000         98          35.56\n"
                      "       0.098 0.975000000000         98          40.00\n"
                      "       0.098 0.978125000000         98          45.71\n"
                      "       0.099 0.981250000000         99          53.33\n"
                      "       0.099 0.984375000000         99          64.00\n"
                      "       0.099 0.985937500000         99          71.11\n"
                      "       0.099 0.987500000000         99          80.00\n"
                      "       0.099 0.989062500000         99          91.43\n"
                      "       0.100 0.990625000000        100         106.67\n"
                      "       0.100 1.000000000000        100\n"
                      "#[Mean    =        0.051, StdDeviation   =        0.029]\n"
                      "#[Max     =        0.100, Total count    =          100]\n"
                      "#[Buckets =           36, SubBuckets     =          128]\n");
    histogram_destroy(histogram);
}

Test(hgrm, prints_one_value_once_and_as_the_whole)
{
    struct histogram *histogram = histogram_create();

    cr_assert_not_null(histogram);
    histogram_add_many(histogram, 1234567, 1000);
    prints(histogram, "       Value     Percentile TotalCount 1/(1-Percentile)\n"
                      "\n"
                      "    1234.567 0.000000000000       1000           1.00\n"
                      "    1234.567 1.000000000000       1000\n"
                      "#[Mean    =     1234.567, StdDeviation   =        0.000]\n"
                      "#[Max     =     1234.567, Total count    =         1000]\n"
                      "#[Buckets =           36, SubBuckets     =          128]\n");
    histogram_destroy(histogram);
}

Test(hgrm, prints_a_bucket_for_each_level_that_it_reaches)
{
    struct histogram *histogram = histogram_create();

    cr_assert_not_null(histogram);
    histogram_add_many(histogram, 10, 3);
    histogram_add(histogram, 20);
    prints(histogram, "       Value     Percentile TotalCount 1/(1-Percentile)\n"
                      "\n"
                      "       0.010 0.000000000000          3           1.00\n"
                      "       0.010 0.100000000000          3           1.11\n"
                      "       0.010 0.200000000000          3           1.25\n"
                      "       0.010 0.300000000000          3           1.43\n"
                      "       0.010 0.400000000000          3           1.67\n"
                      "       0.010 0.500000000000          3           2.00\n"
                      "       0.010 0.550000000000          3           2.22\n"
                      "       0.010 0.600000000000          3           2.50\n"
                      "       0.010 0.650000000000          3           2.86\n"
                      "       0.010 0.700000000000          3           3.33\n"
                      "       0.010 0.750000000000          3           4.00\n"
                      "       0.020 0.775000000000          4           4.44\n"
                      "       0.020 1.000000000000          4\n"
                      "#[Mean    =        0.013, StdDeviation   =        0.004]\n"
                      "#[Max     =        0.020, Total count    =            4]\n"
                      "#[Buckets =           36, SubBuckets     =          128]\n");
    histogram_destroy(histogram);
}

Test(hgrm, comes_to_an_end_where_no_double_lies_between_two_levels)
{
    struct histogram *histogram = histogram_create();
    struct text text = {NULL, 0, 0, false};

    cr_assert_not_null(histogram);
    histogram_add_many(histogram, 10, UINT64_C(1) << 53);
    histogram_add(histogram, 20);
    hgrm_write(histogram, &text);
    cr_assert_lt(text.length, 40000);
    text_clear(&text);
    histogram_destroy(histogram);
}

Test(hgrm, prints_that_nothing_was_measured)
{
    static const char nothing[] = "       Value     Percentile TotalCount 1/(1-Percentile)\n"
                                  "\n"
                                  "#[Mean    =        0.000, StdDeviation   =        0.000]\n"
                                  "#[Max     =        0.000, Total count    =            0]\n"
                                  "#[Buckets =           36, SubBuckets     =          128]\n";
    struct histogram *histogram = histogram_create();

    cr_assert_not_null(histogram);
    prints(histogram, nothing);
    prints(NULL, nothing);
    histogram_destroy(histogram);
}
