/* SPDX-License-Identifier: MIT */
#include "bench/histogram.h"

enum { HISTOGRAM_CUTS_LOG2 = 5 };
_Static_assert(HISTOGRAM_CUTS == 1 << HISTOGRAM_CUTS_LOG2, "a cut is found by its bits");

void histogram_add(struct histogram *histogram, uint64_t ns)
{
    uint32_t octave = 0;
    uint64_t cut = ns;

    if (cut >= 2 * HISTOGRAM_CUTS) { /* Asked for each message: one instruction; shifting by one takes a hundred. */
        octave = 63 - (uint32_t) __builtin_clzll(cut) - HISTOGRAM_CUTS_LOG2;
        cut >>= octave;
    }
    /* Octave 0 holds 0-31, octave 1 holds 32-63, and so on: the leading bit is in the octave's number. */
    if (cut >= HISTOGRAM_CUTS) {
        cut -= HISTOGRAM_CUTS;
        octave++;
    }
    if (octave >= HISTOGRAM_OCTAVES) {
        octave = HISTOGRAM_OCTAVES - 1;
        cut = HISTOGRAM_CUTS - 1;
    }
    histogram->buckets[octave][cut]++;
    histogram->count++;
    if (ns > histogram->longest_ns) {
        histogram->longest_ns = ns;
    }
}

void histogram_sum(struct histogram *histogram, const struct histogram *other)
{
    for (uint32_t octave = 0; octave < HISTOGRAM_OCTAVES; octave++) {
        for (uint32_t cut = 0; cut < HISTOGRAM_CUTS; cut++) {
            histogram->buckets[octave][cut] += other->buckets[octave][cut];
        }
    }
    histogram->count += other->count;
    if (other->longest_ns > histogram->longest_ns) {
        histogram->longest_ns = other->longest_ns;
    }
}

static uint64_t histogram_middle_ns(uint32_t octave, uint32_t cut)
{
    uint32_t shift = octave == 0 ? 0 : octave - 1;
    uint64_t low = (octave == 0 ? (uint64_t) cut : (uint64_t) cut + HISTOGRAM_CUTS) << shift;

    return low + (UINT64_C(1) << shift) / 2;
}

uint64_t histogram_share_ns(const struct histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t) (share * (double) histogram->count);
    uint64_t seen = 0;

    for (uint32_t octave = 0; octave < HISTOGRAM_OCTAVES; octave++) {
        for (uint32_t cut = 0; cut < HISTOGRAM_CUTS; cut++) {
            seen += histogram->buckets[octave][cut];
            if (seen > wanted) {
                uint64_t middle = histogram_middle_ns(octave, cut);

                return middle < histogram->longest_ns ? middle : histogram->longest_ns;
            }
        }
    }
    return histogram->longest_ns;
}
