/* SPDX-License-Identifier: MIT */
/*
 * stamp.h - a moment of pp_os_now_ms in 32 bits, for what thousands of connections keep each.
 *
 * A stamp says how old something is as long as that is younger than AGE_MS_MAX; what looks older is of another thread's
 * clock, a little ahead of ours, and counts as new. So a bound on an age is at most BOUND_MS_MAX, and who looks is not
 * a day late.
 */
#ifndef PP_CONN_STAMP_H
#define PP_CONN_STAMP_H

#include <stdint.h>

#define PP_STAMP_DAY_MS (UINT32_C(24) * 60 * 60 * 1000)
#define PP_STAMP_AGE_MS_MAX (49 * PP_STAMP_DAY_MS)
#define PP_STAMP_BOUND_MS_MAX (48 * PP_STAMP_DAY_MS)

/* Never 0, so that 0 may say: none. One moment in 2^32 looks a millisecond older for that. */
static inline uint32_t pp_stamp_of(uint64_t now_ms)
{
    return (uint32_t) now_ms != 0 ? (uint32_t) now_ms : UINT32_MAX;
}

/* When something that began at `stamp` and may last bound_ms is due. */
static inline uint64_t pp_stamp_due_ms(uint32_t stamp, uint32_t bound_ms, uint64_t now_ms)
{
    uint32_t age_ms = (uint32_t) now_ms - stamp;
    uint32_t may_ms = bound_ms < PP_STAMP_BOUND_MS_MAX ? bound_ms : PP_STAMP_BOUND_MS_MAX;
    return now_ms - (age_ms <= PP_STAMP_AGE_MS_MAX ? age_ms : 0) + may_ms;
}

#endif
