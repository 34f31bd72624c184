/* SPDX-License-Identifier: MIT */
#include "bench/generator/dials.h"

#include <inttypes.h>

#include "bench/generator/machine.h"
#include "tools/pipeport/clock.h"
#include "tools/pipeport/interrupt.h"
#include "tools/pipeport/say.h"

#define DIALS_S_NS UINT64_C(1000000000)
#define DIALS_WINDOW 64u                    /* Dialled at the same time. */
#define DIALS_PATIENCE_NS (15 * DIALS_S_NS) /* Without one more that came or failed. */
#define DIALS_LOOK_US 500u
#define DIALS_STEP_US 1000u

bool dials_wait(const struct load *load, struct live *live, uint32_t wanted)
{
    uint32_t seen = 0;
    uint64_t seen_ns = clock_now_ns();

    for (;;) {
        uint32_t now = atomic_load_explicit(&load->settled, memory_order_acquire);

        if (now >= wanted) {
            return true;
        }
        if (now != seen) {
            seen = now;
            seen_ns = clock_now_ns();
        }
        if (interrupt_came()) {
            return false;
        }
        if (clock_now_ns() - seen_ns > DIALS_PATIENCE_NS) {
            say_error("run", "'%s': no more than %" PRIu32 " of %" PRIu32 " connections came", load->plan->name, now,
                      load->plan->connections);
            return false;
        }
        live_connecting(live, now);
        machine_pause_us(DIALS_LOOK_US);
    }
}

bool dials_first(struct load *load, struct live *live)
{
    pipeport_status wrong;

    atomic_store(&load->dial_next, 1);
    (void) lane_dial(&load->lanes[0]);
    if (dials_wait(load, live, 1) && atomic_load(&load->first_wrong) == 0) {
        atomic_store(&load->lanes[0].rest_ns, 0);
        return true;
    }
    wrong = (pipeport_status) atomic_load(&load->first_wrong);
    if (wrong == PIPEPORT_NO_SERVER) {
        say_error("run", "'%s': nobody serves this name; start the server first, or give --self", load->plan->name);
    } else if (wrong != PIPEPORT_OK && wrong != PIPEPORT_INVALID) { /* Of that the engine's log has said more. */
        say_status("run", load->plan->name, wrong);
    }
    return false;
}

void dials_ramp(struct load *load, struct dials_ramp *ramp, uint64_t now_ns)
{
    uint64_t due = 1 + (now_ns - ramp->from_ns) * load->plan->ramp_per_s / DIALS_S_NS;

    for (; ramp->next < load->plan->connections && ramp->next <= due; ramp->next++) {
        (void) lane_dial(&load->lanes[ramp->next]);
    }
}

static bool dials_ramp_all(struct load *load, struct live *live)
{
    struct dials_ramp ramp = {clock_now_ns(), 1};

    while (ramp.next < load->plan->connections) {
        dials_ramp(load, &ramp, clock_now_ns());
        if (interrupt_came()) {
            return false;
        }
        live_connecting(live, atomic_load(&load->settled));
        machine_pause_us(DIALS_STEP_US);
    }
    return true;
}

bool dials_others(struct load *load, struct live *live)
{
    if (load->plan->ramp_per_s != 0) {
        return dials_ramp_all(load, live);
    }
    for (uint32_t i = 0; i < DIALS_WINDOW; i++) {
        lane_dial_next(load);
    }
    return true;
}
