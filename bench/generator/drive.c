/* SPDX-License-Identifier: MIT */
#include "bench/generator/drive.h"

#include <inttypes.h>
#include <stdlib.h>

#include "bench/generator/dials.h"
#include "bench/generator/fan.h"
#include "bench/generator/line.h"
#include "bench/generator/live.h"
#include "bench/generator/machine.h"
#include "bench/generator/pacer.h"
#include "bench/generator/self.h"
#include "bench/generator/series.h"
#include "bench/generator/sizes.h"
#include "bench/generator/tally.h"
#include "tools/pipeport/clock.h"
#include "tools/pipeport/interrupt.h"
#include "tools/pipeport/say.h"

#define DRIVE_TURN_US 2000u
#define DRIVE_S_NS UINT64_C(1000000000)
#define DRIVE_MS_NS UINT64_C(1000000)
#define DRIVE_GRACE_NS (10 * DRIVE_S_NS) /* For what is behind its moment at the end; for what is in flight then, */
#define DRIVE_STILL_NS (1 * DRIVE_S_NS)  /* unless so long nothing of it comes. */
#define DRIVE_REST_US 50000u

struct drive {
    struct load *load;
    const struct plan *plan;
    struct result_run *run;
    struct series *series;
    struct live *live;
    struct process *server; /* Of --self. */
    struct pacer *pacer;
    uint64_t turn_ns; /* The present turn's. */
    uint64_t begin_ns, end_ns;
    uint64_t seen_all, seen_ns; /* How much had come, and when it last was more. */
    uint64_t opened_ns;         /* When a connection was last seen to have been made, */
    uint32_t seen_opened;       /* and how many had been. */
    uint64_t killed, redial_ns;
    struct dials_ramp ramp; /* Of churn. */
    uint64_t client_cpu_ns, server_cpu_ns, memory_bytes;
    bool measuring;
};

static uint32_t drive_server(const struct drive *drive)
{
    if (drive->plan->server_pid != 0) {
        return drive->plan->server_pid;
    }
    return drive->server != NULL ? process_id(drive->server) : atomic_load(&drive->load->server_process);
}

/* ---- Running ---- */

/* From here on lanes send. */
static void drive_start(struct drive *drive)
{
    struct load *load = drive->load;

    drive->begin_ns = clock_now_ns() + drive->plan->warmup_ms * DRIVE_MS_NS;
    drive->end_ns = drive->plan->count != 0 ? LOAD_NEVER : drive->begin_ns + drive->plan->duration_ms * DRIVE_MS_NS;
    drive->series->cut_ns = drive->begin_ns;
    drive->seen_ns = clock_now_ns();
    atomic_store(&load->begin_ns, drive->begin_ns);
    atomic_store(&load->end_ns, drive->end_ns);
    atomic_store(&load->phase, LOAD_RUNNING);
    for (uint32_t i = 0; i < drive->plan->connections; i++) {
        struct lane *lane = &load->lanes[i];

        if (atomic_load(&lane->id) != 0 && !atomic_exchange(&lane->primed, true)) {
            lane_prime(lane);
        }
    }
}

static void drive_kill(struct drive *drive)
{
    struct load *load = drive->load;
    uint32_t readers = plan_readers(drive->plan);
    struct lane *first = &load->lanes[drive->plan->connections - readers]; /* Behind the slow ones. */
    uint64_t due = (uint64_t) ((double) (drive->turn_ns - drive->begin_ns) * drive->plan->kill_per_s / 1e9);

    for (; drive->killed < due; drive->killed++) {
        uint64_t random = sizes_mix(drive->plan->seed ^ sizes_mix(~drive->killed));
        struct lane *lane = &first[random % readers];
        pipeport_conn conn = {atomic_load(&lane->id)};
        struct recorder *recorder = load_recorder(load);

        if (conn.id == 0 || recorder == NULL) {
            continue; /* Just now there is nobody there to be killed. */
        }
        atomic_store(&lane->killed, true);
        if (pipeport_close(load->engine, conn, PIPEPORT_ABORT) == PIPEPORT_OK) {
            recorder_count(&recorder->killed, 1);
        }
    }
}

static void drive_redial(struct drive *drive)
{
    for (uint32_t i = 0; i < drive->plan->connections; i++) {
        struct lane *lane = &drive->load->lanes[i];
        uint64_t rest_ns = atomic_load(&lane->rest_ns);

        if (rest_ns != 0 && rest_ns <= drive->turn_ns) {
            atomic_store(&lane->rest_ns, 0);
            (void) lane_dial(lane);
        }
    }
}

/* The measured time begins. */
static void drive_measure(struct drive *drive)
{
    drive->measuring = true;
    drive->client_cpu_ns = machine_cpu_ns(0);
    drive->server_cpu_ns = drive_server(drive) == 0 ? 0 : machine_cpu_ns(drive_server(drive));
}

static bool drive_has_in_flight(const struct drive *drive)
{
    const struct load *load = drive->load;

    if (drive->plan->mode == PLAN_BROADCAST) {
        return atomic_load(&load->fan->asked) != atomic_load(&load->fan->completed);
    }
    for (uint32_t i = 0; i < drive->plan->connections; i++) {
        const struct lane *lane = &load->lanes[i];

        if (!lane->slow && atomic_load(&lane->id) != 0 && atomic_load(&lane->sent) != atomic_load(&lane->done)) {
            return true;
        }
    }
    return false;
}

/* Must something come? */
static bool drive_is_due(const struct drive *drive)
{
    return drive->plan->mode == PLAN_CHURN || drive->plan->count != 0 || drive_has_in_flight(drive);
}

/* Also when all have been made. */
static bool drive_makes_connections(const struct plan *plan)
{
    return plan->mode == PLAN_CHURN || plan->kill_per_s > 0;
}

/* With nothing that came. Who makes connections still, and has none at this moment, ends them himself. */
static bool drive_server_is_gone(struct drive *drive, uint64_t still_ns)
{
    const struct load *load = drive->load;
    uint32_t opened = atomic_load_explicit(&load->opened, memory_order_relaxed);

    if (opened != drive->seen_opened) {
        drive->seen_opened = opened;
        drive->opened_ns = drive->turn_ns;
    }
    return atomic_load(&load->connected) == 0 && still_ns > DRIVE_STILL_NS &&
           drive->turn_ns - drive->opened_ns > DRIVE_STILL_NS;
}

/* Is there no sense in going on? Says so. */
static bool drive_is_broken(struct drive *drive)
{
    const struct load *load = drive->load;
    uint64_t all = load_all(load), still_ns = drive->turn_ns - drive->seen_ns;

    if (all != drive->seen_all) {
        drive->seen_all = all;
        drive->seen_ns = drive->turn_ns;
        return false;
    }
    if (drive_server_is_gone(drive, still_ns)) {
        line_clear();
        say_error("run", drive_makes_connections(drive->plan)
                             ? "the server is gone: no connection is left, and none can be made"
                             : "no connection is left: the server has ended all of them, or is gone");
        return true;
    }
    if (drive->plan->mode == PLAN_BROADCAST && atomic_load(&load->lost) != 0 && still_ns > DRIVE_STILL_NS) {
        line_clear();
        say_error("run", "a broadcast cannot reach all any more: a connection was lost");
        return true;
    }
    if (still_ns > drive->plan->silence_ms * DRIVE_MS_NS && drive_is_due(drive)) {
        line_clear();
        say_error("run", "nothing came for %" PRIu32 " ms, and something is due; %s", drive->plan->silence_ms,
                  drive->plan->kill_per_s > 0 ? "a lower --kill-rate lets it come before its connection is ended"
                                              : "--timeout gives it longer");
        return true;
    }
    return false;
}

static enum drive_end drive_turns(struct drive *drive)
{
    struct load *load = drive->load;
    uint32_t connected;

    for (;;) {
        machine_pause_us(DRIVE_TURN_US);
        drive->turn_ns = clock_now_ns();
        connected = atomic_load(&load->connected);
        if (connected > drive->run->connected) {
            drive->run->connected = connected;
        }
        if (!drive->measuring && drive->turn_ns >= drive->begin_ns) {
            drive_measure(drive);
        }
        if (interrupt_came()) {
            return DRIVE_INTERRUPTED;
        }
        if (drive->turn_ns >= drive->end_ns || (drive->plan->count != 0 && atomic_load(&load->remaining) == 0)) {
            return DRIVE_DONE;
        }
        if (drive_is_broken(drive)) {
            return DRIVE_BROKEN;
        }
        if (drive->measuring && drive->turn_ns - drive->series->cut_ns >= DRIVE_S_NS) {
            (void) series_keep(drive->series, load, drive->run, drive->turn_ns);
        }
        if (drive->plan->kill_per_s > 0 && drive->measuring) {
            drive_kill(drive);
        }
        if (drive->ramp.next != 0) {
            dials_ramp(load, &drive->ramp, drive->turn_ns);
        }
        if (drive->turn_ns - drive->redial_ns > 10 * DRIVE_MS_NS) {
            drive->redial_ns = drive->turn_ns;
            drive_redial(drive);
        }
        live_running(drive->live, drive->turn_ns);
    }
}

/* ---- The end ---- */

/* An open loop sends what it is behind with. */
static void drive_catch_up(const struct drive *drive)
{
    pacer_begin_stop(drive->pacer, DRIVE_GRACE_NS);
    while (!pacer_has_ended(drive->pacer)) {
        machine_pause_us(DRIVE_TURN_US / 4);
        live_running(drive->live, clock_now_ns());
    }
}

/* What is in flight may come home. */
static void drive_grace(const struct drive *drive)
{
    uint64_t from_ns = clock_now_ns(), seen_ns = from_ns, seen = load_all(drive->load);

    while (drive_has_in_flight(drive) && atomic_load(&drive->load->connected) != 0) {
        uint64_t now_ns = clock_now_ns(), all = load_all(drive->load);

        seen_ns = all != seen ? now_ns : seen_ns;
        seen = all;
        if (now_ns - seen_ns > DRIVE_STILL_NS || now_ns - from_ns > DRIVE_GRACE_NS) {
            return;
        }
        machine_pause_us(DRIVE_TURN_US / 4);
    }
}

/* The measured time is over: what was spent in it, before anything else costs something. */
static void drive_stop_measuring(struct drive *drive, enum drive_end end)
{
    struct result_run *run = drive->run;
    uint32_t server = drive_server(drive);
    uint64_t end_ns = drive->turn_ns < drive->end_ns ? drive->turn_ns : drive->end_ns;
    uint64_t memory_bytes;

    if (end == DRIVE_DONE && drive->plan->count != 0 && tally_last_ns(drive->load) > drive->begin_ns) {
        end_ns = tally_last_ns(drive->load);
    }
    if (!drive->measuring) {
        drive_measure(drive);
    }
    run->measured_ns = end_ns > drive->begin_ns ? end_ns - drive->begin_ns : 0;
    run->client_cpu_ns = machine_cpu_ns(0) - drive->client_cpu_ns;
    run->server_cpu_ns = server == 0 ? 0 : machine_cpu_ns(server) - drive->server_cpu_ns;
    run->server_cpu_ns = run->server_cpu_ns > UINT64_MAX / 2 ? 0 : run->server_cpu_ns; /* It has ended meanwhile. */
    memory_bytes = server == 0 || drive->plan->mode != PLAN_IDLE ? 0 : machine_memory_bytes(server);
    if (memory_bytes > drive->memory_bytes && drive->memory_bytes != 0 && run->connected > 1) {
        run->server_idle_bytes = (memory_bytes - drive->memory_bytes) / (run->connected - 1);
    }
    if (atomic_load(&drive->load->end_ns) > end_ns && drive->plan->count == 0) {
        atomic_store(&drive->load->end_ns, end_ns);
    }
    if (run->measured_ns > 0 && end_ns > drive->series->cut_ns) {
        (void) series_keep(drive->series, drive->load, run, end_ns);
    }
}

static enum drive_end drive_all(struct drive *drive)
{
    struct load *load = drive->load;
    bool churn = drive->plan->mode == PLAN_CHURN;
    enum drive_end end;

    if ((drive->server != NULL && !self_serves(drive->server)) || !dials_first(load, drive->live)) {
        return interrupt_came()                                      ? DRIVE_INTERRUPTED
               : atomic_load(&load->first_wrong) == PIPEPORT_INVALID ? DRIVE_MISNAMED
                                                                     : DRIVE_FAILED;
    }
    if (drive->plan->mode == PLAN_IDLE) { /* With one connection, and at rest. */
        machine_pause_us(DRIVE_REST_US);
    }
    drive->memory_bytes = drive_server(drive) == 0 ? 0 : machine_memory_bytes(drive_server(drive));
    if (!churn && (!dials_others(load, drive->live) || !dials_wait(load, drive->live, drive->plan->connections))) {
        return interrupt_came() ? DRIVE_INTERRUPTED : DRIVE_FAILED;
    }
    if (load->fan != NULL && !fan_gather(load)) {
        return interrupt_came() ? DRIVE_INTERRUPTED : DRIVE_FAILED;
    }
    if (load->open_loop) {
        drive->pacer = pacer_start(load);
        if (drive->pacer == NULL) {
            say_error("run", "--rate: the thread that keeps the pace cannot be started");
            return DRIVE_FAILED;
        }
        machine_pause_us(DRIVE_REST_US); /* While it tries the timer. */
    }
    drive_start(drive);
    if (churn && drive->plan->ramp_per_s != 0) {
        drive->ramp = (struct dials_ramp){clock_now_ns(), 1};
    } else if (churn) {
        (void) dials_others(load, drive->live);
    }
    end = drive_turns(drive);
    drive_stop_measuring(drive, end);
    return end;
}

enum drive_end drive(struct load *load, struct result_run *run)
{
    struct drive drive = {.load = load, .plan = load->plan, .run = run};
    enum drive_end end = DRIVE_FAILED;

    drive.series = calloc(1, sizeof *drive.series);
    drive.live = live_create(load);
    load->clear = line_clear;
    drive.server = load->plan->self ? self_start(load->plan) : NULL;
    load->fan = load->plan->mode == PLAN_BROADCAST ? fan_create(load) : NULL;
    if (drive.series == NULL || drive.live == NULL || (load->plan->mode == PLAN_BROADCAST && load->fan == NULL)) {
        say_error("run", "there is not enough memory for the result");
    } else if (!load->plan->self || drive.server != NULL) {
        end = drive_all(&drive);
    }
    if (end == DRIVE_DONE && drive.pacer != NULL) {
        drive_catch_up(&drive);
    }
    pacer_stop(drive.pacer, end == DRIVE_DONE ? DRIVE_GRACE_NS : 0, run);
    end = end == DRIVE_DONE && drive.pacer != NULL && interrupt_came() ? DRIVE_INTERRUPTED : end;
    atomic_store(&load->phase, LOAD_ENDING);
    live_end(drive.live);
    if (end == DRIVE_DONE || end == DRIVE_INTERRUPTED) {
        drive_grace(&drive);
    }
    lane_stop_all(load, end == DRIVE_DONE || end == DRIVE_INTERRUPTED);
    if (end < DRIVE_FAILED && !tally_sum(load, run)) {
        end = DRIVE_FAILED;
    }
    if (!self_end(drive.server) && end < DRIVE_FAILED) {
        say_error("run", "--self: its server did not end well");
    }
    free(drive.series);
    return end;
}
