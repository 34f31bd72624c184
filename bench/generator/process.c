/* SPDX-License-Identifier: MIT */
#include "bench/generator/process.h"

#include "tools/pipeport/clock.h"
#include "tools/pipeport/interrupt.h"

#define PROCESS_HEAR_MS 100

enum process_heard process_hear(struct process *process, const char *begin, uint32_t wait_ms, char *line, size_t room)
{
    uint64_t until_ns = clock_now_ns() + wait_ms * UINT64_C(1000000);

    while (clock_now_ns() < until_ns) {
        bool runs = process_runs(process, PROCESS_HEAR_MS);

        if (said_line(process_said(process), begin, line, room)) {
            return PROCESS_HEARD;
        }
        if (interrupt_came()) {
            return PROCESS_HEARD_INTERRUPT;
        }
        if (!runs) {
            return PROCESS_HEARD_END;
        }
    }
    return PROCESS_HEARD_NOTHING;
}
