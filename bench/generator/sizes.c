/* SPDX-License-Identifier: MIT */
#include "bench/generator/sizes.h"

#include <stdio.h>
#include <string.h>

/* Reads decimal digits and moves on behind them; false where there are none or too many. */
static bool sizes_take_digits(const char **text, uint64_t *number)
{
    const char *start = *text;

    *number = 0;
    for (; **text >= '0' && **text <= '9' && *text - start < 12; (*text)++) {
        *number = *number * 10 + (uint64_t) (**text - '0');
    }
    return *text != start;
}

static bool sizes_take_bytes(const char **text, uint32_t *bytes)
{
    uint64_t number;
    const char *suffix;

    if (!sizes_take_digits(text, &number)) {
        return false;
    }
    suffix = **text == '\0' ? NULL : strchr("KkMmGg", **text);
    if (suffix != NULL) {
        number <<= 10 * ((*suffix & 0x5f) == 'K' ? 1 : (*suffix & 0x5f) == 'M' ? 2 : 3);
        (*text)++;
    }
    *bytes = (uint32_t) number;
    return number <= SIZES_BYTES_MAX;
}

/* BYTES, BYTES-BYTES, either with *WEIGHT behind, up to a comma or the end. */
static bool sizes_take_one(const char **text, struct plan_size *size)
{
    uint64_t weight = 1;

    if (!sizes_take_bytes(text, &size->min_bytes)) {
        return false;
    }
    size->max_bytes = size->min_bytes;
    if (**text == '-') {
        (*text)++;
        if (!sizes_take_bytes(text, &size->max_bytes) || size->max_bytes < size->min_bytes) {
            return false;
        }
    }
    if (**text == '*') {
        (*text)++;
        if (!sizes_take_digits(text, &weight) || weight == 0 || weight > SIZES_WEIGHT_MAX) {
            return false;
        }
    }
    size->weight = (uint32_t) weight;
    return **text == ',' || **text == '\0';
}

bool sizes_read(const char *text, struct plan *plan, struct sizes_fault *fault)
{
    plan->sizes_count = 0;
    for (;;) {
        const char *start = text;

        if (plan->sizes_count == PLAN_SIZES_MAX) {
            snprintf(fault->text, sizeof fault->text, "more than %d sizes; give fewer, or a range", PLAN_SIZES_MAX);
            return false;
        }
        if (!sizes_take_one(&text, &plan->sizes[plan->sizes_count])) {
            snprintf(fault->text, sizeof fault->text,
                     "'%.*s' is no size of 0 to 1G; give one such as 64, 4K, a range 64-4K, or 64*9 with a weight of "
                     "1 to 1000000",
                     (int) strcspn(start, ","), start);
            return false;
        }
        plan->sizes_count++;
        if (*text == '\0') {
            return true;
        }
        text++;
    }
}

/* splitmix64's finish (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators"). */
uint64_t sizes_mix(uint64_t number)
{
    number += UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

uint32_t sizes_draw(const struct plan *plan, uint32_t tag, uint64_t sequence)
{
    const struct plan_size *size = plan->sizes;
    uint64_t random, weights = 0, due;

    if (plan->sizes_count == 1 && size->min_bytes == size->max_bytes) {
        return size->min_bytes;
    }
    random = sizes_mix(plan->seed ^ sizes_mix((uint64_t) tag << 40 ^ sequence));
    for (uint32_t i = 0; i < plan->sizes_count; i++) {
        weights += plan->sizes[i].weight;
    }
    if (weights == 0) { /* Of a plan that was read there are some. */
        return size->min_bytes;
    }
    for (due = (random >> 32) % weights; due >= size->weight; size++) {
        due -= size->weight;
    }
    return size->min_bytes + (uint32_t) ((random & UINT32_MAX) % ((uint64_t) size->max_bytes - size->min_bytes + 1));
}

uint32_t sizes_shortest(const struct plan *plan)
{
    uint32_t shortest = UINT32_MAX;

    for (uint32_t i = 0; i < plan->sizes_count; i++) {
        shortest = plan->sizes[i].min_bytes < shortest ? plan->sizes[i].min_bytes : shortest;
    }
    return shortest;
}

uint32_t sizes_longest(const struct plan *plan)
{
    uint32_t longest = 0;

    for (uint32_t i = 0; i < plan->sizes_count; i++) {
        longest = plan->sizes[i].max_bytes > longest ? plan->sizes[i].max_bytes : longest;
    }
    return longest;
}
