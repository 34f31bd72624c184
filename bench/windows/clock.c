/* SPDX-License-Identifier: MIT */
#include "bench/clock.h"
#include "bench/windows/win.h"

uint64_t clock_now_ns(void)
{
    LARGE_INTEGER frequency, now;
    uint64_t whole, rest;

    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&now);
    /* In two parts: counts times 10^9 would overflow after a quarter of an hour at 10 MHz. */
    whole = (uint64_t) (now.QuadPart / frequency.QuadPart);
    rest = (uint64_t) (now.QuadPart % frequency.QuadPart);
    return whole * UINT64_C(1000000000) + rest * UINT64_C(1000000000) / (uint64_t) frequency.QuadPart;
}

void clock_pause_ms(uint32_t ms)
{
    Sleep(ms); /* INFINITE is UINT32_MAX. */
}
