/* SPDX-License-Identifier: MIT */
#include "bench/generator/plan.h"

const char *plan_mode_text(enum plan_mode mode)
{
    switch (mode) {
    case PLAN_PING_PONG:
        return "ping-pong";
    case PLAN_PIPELINED:
        return "pipelined";
    case PLAN_ONE_WAY:
        return "one-way";
    case PLAN_BROADCAST:
        return "broadcast";
    case PLAN_CHURN:
        return "churn";
    case PLAN_IDLE:
        return "idle";
    }
    return "unknown";
}

uint32_t plan_readers(const struct plan *plan)
{
    return plan->connections - (uint32_t) ((uint64_t) plan->connections * plan->slow_percent / 100);
}
