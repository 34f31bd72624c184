/* SPDX-License-Identifier: MIT */
#include "bench/generator/fan.h"

#include <inttypes.h>
#include <stdlib.h>

#include "bench/generator/machine.h"
#include "bench/generator/sizes.h"
#include "tools/pipeport/clock.h"
#include "tools/pipeport/interrupt.h"
#include "tools/pipeport/say.h"

#define FAN_GATHER_NS (UINT64_C(10) * 1000000000)
#define FAN_TURN_US 500u
#define FAN_CALL_TURNS 40u /* Between two calls. */

struct fan *fan_create(struct load *load)
{
    const struct plan *plan = load->plan;
    struct fan *fan = calloc(1, sizeof *fan + plan->depth * sizeof fan->places[0]);

    if (fan == NULL) {
        return NULL;
    }
    fan->asker = &load->lanes[plan->connections - 1];
    fan->receivers = plan_readers(plan);
    fan->places_count = plan->depth;
    atomic_store(&fan->quota, (plan->count + fan->receivers - 1) / fan->receivers);
    return fan;
}

/* Until everybody counted himself into `number`, or Ctrl-C, or too long. With `calls` one more is sent now and then. */
static bool fan_wait(struct load *load, const _Atomic uint32_t *number, bool calls)
{
    struct fan *fan = load->fan;
    pipeport_conn conn = {atomic_load(&fan->asker->id)};
    uint64_t until_ns = clock_now_ns() + FAN_GATHER_NS;

    for (uint32_t turn = 0; atomic_load(number) < fan->receivers; turn++) {
        if (clock_now_ns() > until_ns || interrupt_came()) {
            return false;
        }
        if (calls && turn % FAN_CALL_TURNS == 0) {
            (void) pipeport_send(load->engine, conn, load->content, 1); /* One that is lost is sent again. */
        }
        machine_pause_us(FAN_TURN_US);
    }
    return true;
}

bool fan_gather(struct load *load)
{
    struct fan *fan = load->fan;
    pipeport_conn conn = {atomic_load(&fan->asker->id)};

    if (fan_wait(load, &fan->called, true) && pipeport_send(load->engine, conn, load->content, 2) == PIPEPORT_OK &&
        fan_wait(load, &fan->ready, false)) {
        return true;
    }
    if (!interrupt_came()) {
        say_error("run",
                  "what was asked reached %" PRIu32 " of %" PRIu32
                  " connections; broadcast wants a server that sends each message that it gets to all connections, the "
                  "sender too",
                  atomic_load(&fan->called), fan->receivers);
    }
    return false;
}

static void fan_take_call(struct lane *lane, size_t length)
{
    struct fan *fan = lane->load->fan;

    if (length == 1 && !lane->answered) {
        lane->answered = true;
        atomic_fetch_add(&fan->called, 1);
    } else if (length == 2) {
        atomic_fetch_add(&fan->ready, 1);
    }
}

static bool fan_may_ask(const struct load *load, uint64_t now_ns)
{
    if (now_ns >= atomic_load_explicit(&load->end_ns, memory_order_relaxed) || load_phase(load) == LOAD_ENDING) {
        return false;
    }
    return load->plan->count == 0 || atomic_load_explicit(&load->fan->quota, memory_order_relaxed) > 0 ||
           now_ns < atomic_load_explicit(&load->begin_ns, memory_order_relaxed);
}

static void fan_ask(struct load *load, uint64_t planned_ns, uint64_t now_ns)
{
    struct fan *fan = load->fan;
    uint64_t number = atomic_load_explicit(&fan->asked, memory_order_relaxed);
    uint64_t quota = atomic_load_explicit(&fan->quota, memory_order_relaxed);
    struct fan_place *place = &fan->places[number % fan->places_count];
    struct payload payload = {.kind = PAYLOAD_KIND_BROADCAST, .tag = PAYLOAD_TAG_ALL, .sequence = number};
    pipeport_conn conn = {atomic_load(&fan->asker->id)};
    pipeport_status status;

    place->entry.planned_ns = planned_ns;
    place->entry.sent_ns = now_ns;
    place->entry.length = sizes_draw(load->plan, PAYLOAD_TAG_ALL, number);
    payload.length = place->entry.length;
    if (quota > 0 && planned_ns >= atomic_load_explicit(&load->begin_ns, memory_order_relaxed)) {
        atomic_store_explicit(&fan->quota, quota - 1, memory_order_relaxed);
    }
    atomic_store_explicit(&place->waiting, fan->receivers, memory_order_relaxed);
    atomic_store_explicit(&fan->asked, number + 1, memory_order_release);
    status = lane_give(fan->asker, conn, &payload);
    if (status != PIPEPORT_OK && status != PIPEPORT_GONE && status != PIPEPORT_STOPPED) {
        load_object(load, fan->asker, RESULT_REFUSED, pipeport_status_text(status));
    }
}

/* Two receivers may each be the last of their message at the same time: only one of them asks, for both. */
static void fan_credit(struct load *load, uint32_t credits, uint64_t now_ns)
{
    struct fan *fan = load->fan;

    if (atomic_fetch_add(&fan->credits, credits) != 0) {
        return;
    }
    do {
        if (fan_may_ask(load, now_ns)) {
            fan_ask(load, now_ns, now_ns);
        }
    } while (atomic_fetch_sub(&fan->credits, 1) != 1);
}

void fan_prime(struct lane *lane)
{
    struct load *load = lane->load;

    if (lane == load->fan->asker && !load->open_loop) {
        fan_credit(load, load->fan->places_count, clock_now_ns());
    }
}

bool fan_ask_planned(struct load *load, uint64_t planned_ns, uint64_t now_ns)
{
    struct fan *fan = load->fan;
    uint64_t asked = atomic_load_explicit(&fan->asked, memory_order_relaxed);

    if (atomic_load_explicit(&fan->places[asked % fan->places_count].waiting, memory_order_acquire) != 0) {
        return false;
    }
    fan_ask(load, planned_ns, now_ns);
    return true;
}

/* Everybody has this one. */
static void fan_complete(struct load *load, const struct load_entry *entry, uint64_t now_ns)
{
    struct recorder *recorder = load_recorder(load);
    uint64_t begin_ns = atomic_load_explicit(&load->begin_ns, memory_order_relaxed);

    if (recorder != NULL && entry->planned_ns >= begin_ns &&
        entry->planned_ns < atomic_load_explicit(&load->end_ns, memory_order_relaxed)) {
        recorder_time(&recorder->last, now_ns - entry->planned_ns);
    }
}

static bool fan_is_right(struct lane *lane, const struct load_entry *entry, const void *data, size_t length)
{
    struct load *load = lane->load;
    struct payload expected = {.kind = PAYLOAD_KIND_BROADCAST,
                               .tag = PAYLOAD_TAG_ALL,
                               .sequence = lane->broadcast_next,
                               .seed = load->plan->seed,
                               .length = entry->length};
    struct payload found;
    enum payload_verdict verdict;

    if (!load->plan->verify) {
        if (length != entry->length) {
            load_object(load, lane, RESULT_DAMAGED, "a broadcast came that is not as long as the one that was sent");
        }
        return length == entry->length;
    }
    verdict = payload_read(&expected, data, length, &found);
    if (verdict != PAYLOAD_GOOD) {
        load_object(load, lane, verdict == PAYLOAD_AHEAD || verdict == PAYLOAD_AGAIN ? RESULT_ORDER : RESULT_DAMAGED,
                    payload_verdict_text(verdict));
    }
    return verdict == PAYLOAD_GOOD;
}

void fan_message(struct lane *lane, const void *data, size_t length)
{
    struct load *load = lane->load;
    struct fan *fan = load->fan;
    struct fan_place *place = &fan->places[lane->broadcast_next % fan->places_count];
    uint64_t now_ns = clock_now_ns();
    struct load_entry entry;

    if (load_phase(load) == LOAD_CONNECTING) {
        fan_take_call(lane, length);
        return;
    }
    if (lane->broadcast_next >= atomic_load_explicit(&fan->asked, memory_order_acquire)) {
        load_object(load, lane, RESULT_ORDER, "a broadcast came where none was due");
        return;
    }
    entry = place->entry; /* Whoever counts the last receiver out may write it anew. */
    if (fan_is_right(lane, &entry, data, length)) {
        lane_record(load, &entry, now_ns);
    }
    lane->broadcast_next++;
    if (atomic_fetch_sub_explicit(&place->waiting, 1, memory_order_acq_rel) != 1) {
        return;
    }
    fan_complete(load, &entry, now_ns);
    atomic_fetch_add_explicit(&fan->completed, 1, memory_order_release);
    if (!load->open_loop) {
        fan_credit(load, 1, now_ns);
    }
    if (load->plan->count != 0 && atomic_load_explicit(&fan->quota, memory_order_relaxed) == 0 &&
        atomic_load(&fan->completed) == atomic_load(&fan->asked)) { /* The main thread waits for this one alone. */
        atomic_store(&load->remaining, 0);
    }
}
