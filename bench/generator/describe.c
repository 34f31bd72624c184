/* SPDX-License-Identifier: MIT */
#include "bench/generator/describe.h"

#include "bench/generator/figure.h"
#include "tools/pipeport/say.h"

#define DESCRIBE_BEHIND 0.99 /* So much of what was planned must have come, or it is said. */

static void describe_size(const struct plan_size *size, struct text *text)
{
    struct figure least, most;

    if (size->min_bytes == size->max_bytes) {
        text_add(text, "%s byte%s", figure_count(&least, size->min_bytes), size->min_bytes == 1 ? "" : "s");
    } else {
        text_add(text, "%s to %s bytes", figure_count(&least, size->min_bytes), figure_count(&most, size->max_bytes));
    }
}

void describe_sizes(const struct plan *plan, struct text *text)
{
    struct figure weight, all;
    uint64_t weights = 0;

    for (uint32_t i = 0; i < plan->sizes_count; i++) {
        weights += plan->sizes[i].weight;
    }
    for (uint32_t i = 0; i < plan->sizes_count; i++) {
        text_add(text, "%s", i == 0 ? "" : ", ");
        describe_size(&plan->sizes[i], text);
        if (plan->sizes_count > 1) {
            text_add(text, " (%s of %s)", figure_count(&weight, plan->sizes[i].weight), figure_count(&all, weights));
        }
    }
}

static void describe_seconds(uint32_t ms, struct text *text)
{
    if (ms % 1000 == 0) {
        text_add(text, "%u s", (unsigned) (ms / 1000));
    } else {
        text_add(text, "%.10g s", (double) ms / 1e3);
    }
}

static void describe_length(const struct plan *plan, struct text *text)
{
    struct figure figure;

    if (plan->duration_ms > 0) {
        text_add(text, ", ");
        describe_seconds(plan->duration_ms, text);
    }
    if (plan->count > 0) {
        text_add(text, ", %s message%s", figure_count(&figure, plan->count), plan->count == 1 ? "" : "s");
    }
    if (plan->warmup_ms > 0) {
        text_add(text, " after ");
        describe_seconds(plan->warmup_ms, text);
        text_add(text, " of warm-up");
    }
}

void describe_load(const struct plan *plan, struct text *text)
{
    struct figure figure;

    text_add(text, "%s, %s connection%s", plan_mode_text(plan->mode), figure_count(&figure, plan->connections),
             plan->connections == 1 ? "" : "s");
    if ((plan->mode == PLAN_PIPELINED || plan->mode == PLAN_ONE_WAY) && !describe_is_open_loop(plan)) {
        text_add(text, ", depth %u", (unsigned) plan->depth);
    }
    if (plan->mode != PLAN_IDLE && plan->sizes_count > 0) {
        text_add(text, ", ");
        describe_sizes(plan, text);
    }
}

void describe_course(const struct plan *plan, struct text *text)
{
    struct figure figure;

    if (describe_is_open_loop(plan)) {
        text_add(text, "open loop at %s", figure_rate(&figure, plan->rate_per_s));
    } else {
        text_add(text, "%s", plan->mode == PLAN_IDLE ? "held" : "closed loop");
    }
    describe_length(plan, text);
    if (plan->slow_percent > 0) {
        text_add(text, ", %u %% never read", (unsigned) plan->slow_percent);
    }
    if (plan->kill_per_s > 0.0) {
        text_add(text, ", %s killed", figure_rate(&figure, plan->kill_per_s));
    }
}

const char *describe_noun(enum plan_mode mode, uint64_t count)
{
    switch (mode) {
    case PLAN_PING_PONG:
    case PLAN_PIPELINED:
    case PLAN_ONE_WAY:
    case PLAN_IDLE:
        break;
    case PLAN_BROADCAST:
        return count == 1 ? "delivery" : "deliveries";
    case PLAN_CHURN:
        return count == 1 ? "visit" : "visits";
    }
    return count == 1 ? "message" : "messages";
}

bool describe_is_open_loop(const struct plan *plan)
{
    return plan->rate_per_s > 0.0;
}

const char *describe_error(enum result_error error)
{
    switch (error) {
    case RESULT_CONNECT:
        return "connections could not be made";
    case RESULT_LOST:
        return "connections ended while messages were due";
    case RESULT_REFUSED:
        return "messages were not accepted for sending";
    case RESULT_DAMAGED:
        return "messages came back changed";
    case RESULT_ORDER:
        return "messages were lost, doubled or overtaken";
    case RESULT_MISSING:
        return "messages were never sent, or never answered";
    case RESULT_ERRORS:
        break;
    }
    return "";
}

const char *describe_cure(enum result_error error)
{
    switch (error) {
    case RESULT_CONNECT:
        return "look whether the server runs under this name and takes so many; try a slower --ramp";
    case RESULT_LOST:
        return "look above for what was wrong with them, and into the server's log for why it ended them";
    case RESULT_REFUSED:
        return "a queue or the memory is full: lower --rate or --depth, or let the peer read faster";
    case RESULT_DAMAGED:
        return "look whether the server echoes exactly, and whether --framing is the server's";
    case RESULT_ORDER:
        return "the server must answer each connection's messages in their order";
    case RESULT_MISSING:
        return "the server was too slow or dropped them: lower --rate, or look into its log";
    case RESULT_ERRORS:
        break;
    }
    return "";
}

void describe_planned(const struct plan *plan, const struct result_run *run, struct text *text)
{
    uint64_t done = plan->mode == PLAN_BROADCAST ? run->messages / plan_readers(plan) : run->messages;
    struct figure came, planned;

    text_add(text, "%s of %s planned", figure_count(&came, done), figure_count(&planned, run->planned));
    if ((double) done >= DESCRIBE_BEHIND * (double) run->planned) {
        return;
    }
    text_add(text, run->killed > 0 || run->errors[RESULT_LOST] > 0
                       ? ": the others were lost with their connections, or are behind the plan"
                       : ": behind the plan, so the latencies grow with the length of the run");
}

void describe_killed(const struct plan *plan, const struct result_run *run, struct text *text)
{
    struct figure killed, came, planned;

    text_add(text, "%s connection%s, %s of %s planned", figure_count(&killed, run->killed), run->killed == 1 ? "" : "s",
             figure_rate(&came, say_rate(run->killed, run->measured_ns)), figure_rate(&planned, plan->kill_per_s));
}
