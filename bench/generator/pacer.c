/* SPDX-License-Identifier: MIT */
#include "bench/generator/pacer.h"

#include <stdlib.h>

#include "bench/crew.h"
#include "bench/generator/fan.h"
#include "bench/generator/machine.h"
#include "tools/pipeport/clock.h"
#include "tools/pipeport/interrupt.h"

#define PACER_TRIES 5
#define PACER_TRY_US 1000u
#define PACER_LOOK_NS (UINT64_C(200) * 1000)       /* How often lanes that are behind are tried again. */
#define PACER_SLEEP_NS_MAX (UINT64_C(5) * 1000000) /* How long it looks away from a stop. */
#define PACER_STILL_NS (UINT64_C(1) * 1000000000)  /* So long without one that could be sent, and it gives up. */

/* How far a lane is. Its message number j is number j * lanes + place of the run. */
struct pacer_lane {
    struct lane *lane; /* NULL: the broadcasts. */
    uint64_t due;      /* Messages planned until now, */
    uint64_t measured; /* and those of them that are not of the warm-up: the last. */
    uint64_t sent;
};

struct pacer {
    struct load *load;
    struct crew_thread *thread;
    atomic_bool stop, ended;
    _Atomic uint64_t until_ns; /* From then on nothing is sent; LOAD_NEVER before the stop. */
    uint64_t start_ns;
    double step_ns;
    uint64_t margin_ns; /* The timer wakes no later than so much, as far as it was tried. */
    uint64_t next;      /* The next message of the run that is not due yet. */
    uint64_t left;      /* With --count: measured messages still to be planned. */
    bool over;          /* All is planned; only what is behind is left. */
    uint64_t behind;    /* Due and not sent, of all lanes. */
    uint64_t looked_ns; /* When those behind were tried last. */
    struct histogram late;
    uint32_t lanes_count;
    struct pacer_lane lanes[];
};

static uint64_t pacer_planned_ns(const struct pacer *pacer, uint64_t number)
{
    return pacer->start_ns + (uint64_t) ((double) number * pacer->step_ns);
}

/* Sleeping is as exact as the timer and the scheduler make it: tried, not assumed. */
static void pacer_try_timer(struct pacer *pacer)
{
    for (int i = 0; i < PACER_TRIES; i++) {
        uint64_t from_ns = clock_now_ns(), late_ns;

        machine_pause_us(PACER_TRY_US);
        late_ns = clock_now_ns() - from_ns - PACER_TRY_US * UINT64_C(1000);
        if (late_ns < UINT64_C(1000000000) && late_ns > pacer->margin_ns) {
            pacer->margin_ns = late_ns;
        }
    }
    pacer->margin_ns *= 2;
}

/* Sends what the lane is behind, as far as there is room, and time after a stop. */
static void pacer_catch_up(struct pacer *pacer, uint32_t place, bool in_time)
{
    struct pacer_lane *mine = &pacer->lanes[place];
    struct lane *lane = mine->lane;

    while (mine->sent < mine->due) {
        uint64_t planned_ns = pacer_planned_ns(pacer, mine->sent * pacer->lanes_count + place);
        uint64_t now_ns = clock_now_ns();

        if (now_ns >= atomic_load_explicit(&pacer->until_ns, memory_order_relaxed)) {
            return;
        }
        if (lane == NULL) {
            if (!fan_ask_planned(pacer->load, planned_ns, now_ns)) {
                return;
            }
        } else {
            if (atomic_load(&lane->id) == 0 || atomic_load_explicit(&lane->sent, memory_order_relaxed) -
                                                       atomic_load_explicit(&lane->done, memory_order_acquire) >
                                                   lane->mask) {
                return;
            }
            (void) lane_send(lane, planned_ns, now_ns); /* What is refused is counted, and gone. */
        }
        mine->sent++;
        pacer->behind--;
        if (in_time) {
            recorder_time(&pacer->late, now_ns - planned_ns);
        }
    }
}

/* One more message is due. False where the run has no more. */
static bool pacer_plan_next(struct pacer *pacer, uint64_t planned_ns)
{
    struct load *load = pacer->load;
    struct recorder *recorder = load_recorder(load);
    uint32_t place = (uint32_t) (pacer->next % pacer->lanes_count);
    struct pacer_lane *mine = &pacer->lanes[place];

    if (planned_ns >= atomic_load_explicit(&load->end_ns, memory_order_relaxed)) {
        return false;
    }
    if (planned_ns >= atomic_load_explicit(&load->begin_ns, memory_order_relaxed)) {
        if (load->plan->count != 0 && pacer->left-- == 0) {
            return false;
        }
        if (recorder != NULL) {
            recorder_count(&recorder->planned, 1);
        }
        mine->measured++;
    }
    pacer->next++;
    pacer->behind++;
    mine->due++;
    if (mine->sent + 1 == mine->due) {
        pacer_catch_up(pacer, place, true);
    }
    return true;
}

/* Until `until_ns`, or a little less: it looks again. */
static void pacer_wait(const struct pacer *pacer, uint64_t until_ns, uint64_t now_ns)
{
    uint64_t wait_ns = until_ns - now_ns;

    wait_ns = wait_ns > PACER_SLEEP_NS_MAX ? PACER_SLEEP_NS_MAX : wait_ns;
    if (wait_ns > pacer->margin_ns) {
        machine_pause_us((uint32_t) ((wait_ns - pacer->margin_ns) / 1000));
    } else {
        machine_yield();
    }
}

static void pacer_catch_up_all(struct pacer *pacer)
{
    for (uint32_t i = 0; i < pacer->lanes_count; i++) {
        pacer_catch_up(pacer, i, false);
    }
}

/* It may have slept over the end: what was to be planned until then is not left out. Then until nothing is behind, as
 * long as there is time and something can be sent. */
static void pacer_finish(struct pacer *pacer)
{
    uint64_t now_ns = clock_now_ns(), moved_ns = now_ns, behind;

    while (!pacer->over && pacer_planned_ns(pacer, pacer->next) <= now_ns) {
        pacer->over = !pacer_plan_next(pacer, pacer_planned_ns(pacer, pacer->next));
    }
    do {
        behind = pacer->behind;
        machine_yield();
        pacer_catch_up_all(pacer);
        now_ns = clock_now_ns();
        moved_ns = pacer->behind != behind ? now_ns : moved_ns;
    } while (pacer->behind != 0 && now_ns < atomic_load(&pacer->until_ns) && now_ns - moved_ns < PACER_STILL_NS &&
             !interrupt_came());
}

static void pacer_run(void *user)
{
    struct pacer *pacer = user;

    pacer_try_timer(pacer);
    while (load_phase(pacer->load) == LOAD_CONNECTING && !atomic_load(&pacer->stop)) {
        machine_yield();
    }
    pacer->start_ns = atomic_load(&pacer->load->begin_ns) - pacer->load->plan->warmup_ms * UINT64_C(1000000);
    while (!atomic_load_explicit(&pacer->stop, memory_order_relaxed)) {
        uint64_t now_ns = clock_now_ns();
        uint64_t planned_ns = pacer->over ? LOAD_NEVER : pacer_planned_ns(pacer, pacer->next);

        if (planned_ns <= now_ns) {
            pacer->over = !pacer_plan_next(pacer, planned_ns);
        } else {
            bool looks = pacer->behind != 0 && planned_ns > now_ns + PACER_LOOK_NS;

            pacer_wait(pacer, looks ? now_ns + PACER_LOOK_NS : planned_ns, now_ns);
        }
        if (pacer->behind != 0 && now_ns - pacer->looked_ns > PACER_LOOK_NS) {
            pacer->looked_ns = now_ns;
            pacer_catch_up_all(pacer);
        }
    }
    pacer_finish(pacer);
    atomic_store(&pacer->ended, true);
}

struct pacer *pacer_start(struct load *load)
{
    const struct plan *plan = load->plan;
    struct pacer *pacer = calloc(1, sizeof *pacer + plan->connections * sizeof pacer->lanes[0]);

    if (pacer == NULL) {
        return NULL;
    }
    pacer->load = load;
    atomic_store(&pacer->until_ns, LOAD_NEVER);
    pacer->step_ns = 1e9 / plan->rate_per_s;
    pacer->left = load->fan != NULL ? atomic_load(&load->fan->quota) : plan->count;
    if (load->fan != NULL) {
        pacer->lanes_count = 1;
    }
    for (uint32_t i = 0; i < plan->connections && load->fan == NULL; i++) {
        if (!load->lanes[i].slow) {
            pacer->lanes[pacer->lanes_count++].lane = &load->lanes[i];
        }
    }
    pacer->thread = crew_start(pacer_run, pacer);
    if (pacer->thread == NULL) {
        free(pacer);
        return NULL;
    }
    return pacer;
}

/* Measured, and not sent; of a broadcast all that it would have been. */
static uint64_t pacer_missing(const struct pacer *pacer)
{
    const struct load *load = pacer->load;
    uint64_t missing = 0;

    for (uint32_t i = 0; i < pacer->lanes_count; i++) {
        const struct pacer_lane *mine = &pacer->lanes[i];
        uint64_t behind = mine->due - mine->sent;

        missing += behind < mine->measured ? behind : mine->measured;
    }
    return load->fan != NULL ? missing * load->fan->receivers : missing;
}

void pacer_begin_stop(struct pacer *pacer, uint64_t finish_ns)
{
    if (!atomic_load(&pacer->stop)) {
        atomic_store(&pacer->until_ns, clock_now_ns() + finish_ns);
        atomic_store(&pacer->stop, true);
    }
}

bool pacer_has_ended(const struct pacer *pacer)
{
    return atomic_load(&pacer->ended);
}

void pacer_stop(struct pacer *pacer, uint64_t finish_ns, struct result_run *run)
{
    if (pacer == NULL) {
        return;
    }
    pacer_begin_stop(pacer, finish_ns);
    crew_join(pacer->thread);
    run->late_p50_ns = histogram_share_ns(&pacer->late, 0.5);
    run->late_p99_ns = histogram_share_ns(&pacer->late, 0.99);
    run->errors[RESULT_MISSING] += finish_ns != 0 && !interrupt_came() ? pacer_missing(pacer) : 0;
    free(pacer);
}
