/* SPDX-License-Identifier: MIT */
/*
 * random.h - numbers that a seed replays. A test takes its seed from test_seed and prints it when it fails;
 * PIPEPORT_TEST_SEED=<that number> in the environment runs it again.
 */
#ifndef TESTS_SUPPORT_RANDOM_H
#define TESTS_SUPPORT_RANDOM_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t test_seed(void)
{
    const char *given = getenv("PIPEPORT_TEST_SEED");
    if (given != NULL) {
        return strtoull(given, NULL, 0);
    }
    return (uint64_t) time(NULL) * 1000000u + (uint64_t) clock(); /* Windows' C library has no timespec_get. */
}

/* Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (2014), its mix of 64 bits. */
static inline uint64_t test_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 to below - 1. */
static inline uint32_t test_random_below(uint64_t *state, uint32_t below)
{
    return (uint32_t) (test_random(state) % below);
}

#endif
