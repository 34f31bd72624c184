/* SPDX-License-Identifier: MIT */
/*
 * lane.c - a lane's connections, one after the other, and its ring.
 *
 * Two hands must have let go of a client before it can be stopped and the lane be dialled again: the one that started
 * it, which learns its address only when pipeport_client_start returns, and its last event, which may come before that.
 * Each puts its half into `hand`; whoever finds the other's there goes on.
 */
#include "bench/generator/load.h"

#include <stdio.h>

#include "bench/generator/fan.h"
#include "bench/generator/machine.h"
#include "bench/generator/sizes.h"
#include "tools/pipeport/clock.h"
#include "tools/pipeport/say.h"

#define LANE_ENDED ((uintptr_t) 1)
#define LANE_ASKS 64 /* In one event. */
#define LANE_STOP_NS (UINT64_C(5) * 1000000000)
#define LANE_REST_NS (UINT64_C(50) * 1000000) /* After a failure. */

/* ---- The ring ---- */

bool lane_may_send(struct lane *lane, uint64_t now_ns)
{
    const struct load *load = lane->load;

    if (now_ns >= atomic_load_explicit(&load->end_ns, memory_order_relaxed) || load_phase(load) == LOAD_ENDING) {
        return false;
    }
    return load->plan->count == 0 || atomic_load_explicit(&lane->quota, memory_order_relaxed) > 0 ||
           now_ns < atomic_load_explicit(&load->begin_ns, memory_order_relaxed);
}

pipeport_status lane_give(struct lane *lane, pipeport_conn conn, struct payload *payload)
{
    struct load *load = lane->load;
    const unsigned char *data = load->content;

    if (load->plan->verify) {
        struct recorder *recorder = load_recorder(load);

        if (recorder == NULL) {
            return PIPEPORT_NO_MEMORY;
        }
        payload->seed = load->plan->seed;
        payload_write(payload, recorder->scratch);
        data = recorder->scratch;
    }
    return pipeport_send(load->engine, conn, data, payload->length);
}

/* With --count: one measured message less may be sent. Whoever finds none left must find this one in the ring. */
static void lane_spend(struct lane *lane, uint64_t planned_ns)
{
    uint64_t quota = atomic_load_explicit(&lane->quota, memory_order_relaxed);

    if (quota > 0 && planned_ns >= atomic_load_explicit(&lane->load->begin_ns, memory_order_relaxed)) {
        atomic_store_explicit(&lane->quota, quota - 1, memory_order_release);
    }
}

bool lane_send(struct lane *lane, uint64_t planned_ns, uint64_t now_ns)
{
    uint64_t sequence = atomic_load_explicit(&lane->sent, memory_order_relaxed);
    struct load_entry *entry = &lane->ring[sequence & lane->mask];
    struct payload payload = {.kind = PAYLOAD_KIND_REQUEST, .tag = lane->tag, .sequence = sequence};
    /* First, so that a message that counts as the old connection's does not go out on a new one. */
    pipeport_conn conn = {atomic_load_explicit(&lane->id, memory_order_acquire)};
    pipeport_status status;

    entry->planned_ns = planned_ns;
    entry->sent_ns = now_ns;
    entry->length = sizes_draw(lane->load->plan, lane->tag, sequence);
    payload.length = entry->length;
    atomic_store_explicit(&lane->sent, sequence + 1, memory_order_release);
    lane_spend(lane, planned_ns);
    status = lane_give(lane, conn, &payload);
    if (status == PIPEPORT_OK) {
        return true;
    }
    /* A closed loop's entry ends with its connection, and is sent anew. The pacer's may be behind that: the connection
     * after this one may have begun already. */
    if ((status != PIPEPORT_GONE && status != PIPEPORT_STOPPED) || lane->load->open_loop) {
        entry->length = LOAD_VOID;
    }
    if (status != PIPEPORT_GONE && status != PIPEPORT_STOPPED) { /* Of those `closed` tells. */
        load_object(lane->load, lane, RESULT_REFUSED, pipeport_status_text(status));
    }
    return false;
}

struct load_entry *lane_due(struct lane *lane)
{
    uint64_t sent = atomic_load_explicit(&lane->sent, memory_order_acquire);
    uint64_t done = atomic_load_explicit(&lane->done, memory_order_relaxed);

    while (done != sent && lane->ring[done & lane->mask].length == LOAD_VOID) {
        atomic_store_explicit(&lane->done, ++done, memory_order_release);
    }
    return done == sent ? NULL : &lane->ring[done & lane->mask];
}

void lane_record(struct load *load, const struct load_entry *entry, uint64_t now_ns)
{
    struct recorder *recorder = load_recorder(load);
    uint64_t begin_ns = atomic_load_explicit(&load->begin_ns, memory_order_relaxed);
    uint64_t end_ns = atomic_load_explicit(&load->end_ns, memory_order_relaxed);
    bool begun_within = entry->planned_ns >= begin_ns && entry->planned_ns < end_ns;

    if (recorder == NULL) {
        return;
    }
    recorder_count(&recorder->all, 1);
    if (load->plan->count != 0 ? begun_within : now_ns >= begin_ns && now_ns < end_ns) {
        recorder_count(&recorder->messages, 1);
        recorder_count(&recorder->bytes, entry->length);
        atomic_store_explicit(&recorder->last_ns, now_ns, memory_order_relaxed);
    }
    if (begun_within) {
        recorder_time(&recorder->service, now_ns - entry->sent_ns);
        if (load->open_loop) {
            recorder_time(&recorder->corrected, now_ns - entry->planned_ns);
        }
    }
}

void lane_take(struct lane *lane, const struct load_entry *entry, uint64_t now_ns)
{
    lane_record(lane->load, entry, now_ns);
    atomic_store_explicit(&lane->done, atomic_load_explicit(&lane->done, memory_order_relaxed) + 1,
                          memory_order_release);
}

/* Says so once, whoever finds it first: its events, or whoever primes it. */
static void lane_is_over(struct lane *lane)
{
    if (!atomic_exchange(&lane->over, true)) {
        atomic_fetch_sub_explicit(&lane->load->remaining, 1, memory_order_release);
    }
}

void lane_look_over(struct lane *lane)
{
    if (lane->load->plan->count != 0 && atomic_load_explicit(&lane->quota, memory_order_acquire) == 0 &&
        lane_due(lane) == NULL) {
        lane_is_over(lane);
    }
}

/* ---- Priming ---- */

/* Who never reads asks on until nothing more is taken, and whenever there is room. Not for broadcasts: all would get
 * them. */
static void lane_ask_on(struct lane *lane)
{
    int asks = lane->load->plan->mode == PLAN_BROADCAST ? 0 : LANE_ASKS;
    pipeport_conn conn = {atomic_load_explicit(&lane->id, memory_order_relaxed)};
    pipeport_status status = PIPEPORT_OK;

    for (int i = 0; i < asks && status == PIPEPORT_OK && load_phase(lane->load) == LOAD_RUNNING; i++) {
        status = pipeport_send(lane->load->engine, conn, lane->load->content, sizes_longest(lane->load->plan));
    }
}

void lane_end_visit(struct lane *lane)
{
    pipeport_conn conn = {atomic_load_explicit(&lane->id, memory_order_relaxed)};

    lane->answered = true;
    (void) pipeport_close(lane->load->engine, conn, PIPEPORT_DRAIN);
}

void lane_prime(struct lane *lane)
{
    const struct load *load = lane->load;
    uint64_t now_ns = clock_now_ns();

    if (lane->slow) {
        lane_ask_on(lane);
    } else if (load->plan->mode == PLAN_BROADCAST) {
        fan_prime(lane);
    } else if (load->plan->mode == PLAN_CHURN) { /* A visit begins where it is dialled. */
        if (!lane_may_send(lane, now_ns) || !lane_send(lane, lane->dial_ns, lane->dial_ns)) {
            lane_end_visit(lane);
        }
    } else if (!load->open_loop && lane_may_send(lane, now_ns)) {
        (void) lane_send(lane, now_ns, now_ns);
    } else if (!load->open_loop) {
        lane_look_over(lane);
    }
}

/* ---- Events ---- */

static bool lane_dials_again(const struct lane *lane)
{
    const struct load *load = lane->load;

    return load_phase(load) != LOAD_ENDING &&
           (load->plan->mode == PLAN_CHURN ? !atomic_load(&lane->over) : load->plan->kill_per_s > 0);
}

static void lane_learn_server(struct load *load, pipeport_conn conn)
{
    pipeport_peer peer;
    uint32_t unknown = 0;

    if (atomic_load_explicit(&load->server_process, memory_order_relaxed) == 0 &&
        pipeport_peer_of(load->engine, conn, &peer) == PIPEPORT_OK) {
        (void) atomic_compare_exchange_strong(&load->server_process, &unknown, peer.process_id);
    }
}

/* Its first dial has come to an end, good or bad. */
static void lane_is_settled(struct lane *lane)
{
    if (!lane->settled) {
        lane->settled = true;
        atomic_fetch_add_explicit(&lane->load->settled, 1, memory_order_release);
    }
}

/* The main thread sets the phase and then primes the lanes that are open: one of the two sees the other. Later
 * connections of a lane are its own to prime. */
static bool lane_primes_itself(struct lane *lane)
{
    bool first = !lane->opened_once;

    lane->opened_once = true;
    return atomic_load(&lane->load->phase) == LOAD_RUNNING && (!first || !atomic_exchange(&lane->primed, true));
}

/* What was in flight on the connection before this one is not due on this. In a closed loop by count others are sent
 * for it; an open loop has planned what it has planned. */
static void lane_begin_anew(struct lane *lane)
{
    const struct load *load = lane->load;
    uint64_t sent = atomic_load(&lane->sent), done = atomic_load(&lane->done), again = 0;

    for (; load->plan->count != 0 && !load->open_loop && done != sent; done++) {
        const struct load_entry *entry = &lane->ring[done & lane->mask];

        again += entry->length != LOAD_VOID && entry->planned_ns >= atomic_load(&load->begin_ns);
    }
    atomic_fetch_add(&lane->quota, again);
    atomic_store(&lane->done, sent);
    atomic_store(&lane->killed, false);
    lane->came_bytes = 0;
    lane->answered = false;
    lane->lost = false;
}

static void *lane_opened(void *user, pipeport_conn conn)
{
    struct lane *lane = user;
    struct load *load = lane->load;
    struct recorder *recorder = load_recorder(load);

    if (recorder != NULL) {
        recorder_time(&recorder->connecting, clock_now_ns() - lane->dial_ns);
    }
    lane_learn_server(load, conn);
    if (lane->slow) {
        (void) pipeport_pause(load->engine, conn);
    }
    lane_begin_anew(lane);
    atomic_store(&lane->id, conn.id);
    atomic_fetch_add(&load->connected, 1);
    atomic_fetch_add_explicit(&load->opened, 1, memory_order_relaxed);
    if (lane_primes_itself(lane)) {
        lane_prime(lane);
    }
    if (!lane->settled) {
        lane_is_settled(lane);
        if (lane->tag != 0) { /* After the first one the main thread looks round before it begins the others. */
            lane_dial_next(load);
        }
    }
    return lane;
}

static void lane_message(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    struct lane *lane = state;

    (void) user, (void) conn;
    switch (lane->load->plan->mode) {
    case PLAN_PING_PONG:
    case PLAN_PIPELINED:
    case PLAN_CHURN:
    case PLAN_IDLE:
        echo_message(lane, data, length);
        return;
    case PLAN_ONE_WAY: /* What comes is the server's own affair. */
        return;
    case PLAN_BROADCAST:
        fan_message(lane, data, length);
        return;
    }
}

static void lane_sent(void *user, void *state, pipeport_conn conn, uint64_t bytes)
{
    struct lane *lane = state;

    (void) user, (void) conn;
    one_way_sent(lane, bytes);
}

static void lane_drained(void *user, void *state, pipeport_conn conn)
{
    struct lane *lane = state;

    (void) user, (void) conn;
    if (lane->slow) {
        lane_ask_on(lane);
    }
}

/* The client's last event: it may be stopped by whoever sees both that and its address. */
static void lane_let_go(struct lane *lane, bool at_once)
{
    uintptr_t client = atomic_exchange(&lane->hand, LANE_ENDED);

    if (client == 0 || client == LANE_ENDED) {
        return; /* lane_dial has not returned from starting it and sees to it, or lane_stop_all does. */
    }
    pipeport_client_stop((pipeport_client *) client, 0);
    if (lane_dials_again(lane)) {
        if (at_once) {
            lane_dial(lane);
        } else {
            atomic_store(&lane->rest_ns, clock_now_ns() + LANE_REST_NS);
        }
    }
}

static void lane_closed(void *user, void *state, pipeport_conn conn, const pipeport_end *end)
{
    struct lane *lane = state;
    struct load *load = lane->load;

    (void) user, (void) conn;
    atomic_store(&lane->id, 0);
    atomic_fetch_sub(&load->connected, 1);
    if (load_phase(load) != LOAD_ENDING && !lane->slow && !atomic_load(&lane->killed) && end->why != PIPEPORT_OK &&
        !(load->plan->mode == PLAN_CHURN && lane->answered)) {
        char text[128];

        snprintf(text, sizeof text, "it ended before its time: %s", pipeport_status_text(end->why));
        load_object(load, lane, RESULT_LOST, text);
        atomic_fetch_add(&load->lost, 1);
        lane->lost = true;
        if (!lane_dials_again(lane) && load->plan->count != 0 && load->fan == NULL) { /* Its share is never done. */
            lane_is_over(lane);
        }
    }
    lane_let_go(lane, true);
}

/* Before lane 0 was connected nobody was: then it is the main thread that says so, and tries again or does not. */
static void lane_fails(struct lane *lane, pipeport_status why)
{
    struct load *load = lane->load;

    if (load_phase(load) == LOAD_CONNECTING && lane->tag == 0) {
        atomic_store(&load->first_wrong, (int32_t) why);
    } else if (load_phase(load) != LOAD_ENDING) {
        load_object(load, lane, RESULT_CONNECT, pipeport_status_text(why));
    }
    lane_is_settled(lane);
}

static void lane_failed(void *user, pipeport_status why, long system_code)
{
    struct lane *lane = user;
    bool first = !lane->settled;

    (void) system_code; /* The engine has logged it. */
    lane_fails(lane, why);
    lane_let_go(lane, false);
    if (first && lane->tag != 0) {
        lane_dial_next(lane->load);
    }
}

/* ---- Dialling ---- */

enum lane_dialled { LANE_LIVES, LANE_HAS_LIVED, LANE_FAILED };

static enum lane_dialled lane_dial_once(struct lane *lane)
{
    struct load *load = lane->load;
    bool hears_sent = load->plan->mode == PLAN_ONE_WAY && !lane->slow;
    pipeport_events events = {.size = sizeof events,
                              .user = lane,
                              .opened = lane_opened,
                              .message = lane_message,
                              .sent = hears_sent ? lane_sent : NULL,
                              .drained = lane_drained,
                              .closed = lane_closed,
                              .failed = lane_failed};
    pipeport_client *client = NULL;
    pipeport_status status;

    atomic_store(&lane->hand, 0);
    lane->dial_ns = clock_now_ns();
    status = pipeport_client_start(&client, load->engine, load->plan->name,
                                   lane->slow ? &load->slow_options : &load->client_options, &events);
    if (status != PIPEPORT_OK) {
        atomic_store(&lane->hand, LANE_ENDED);
        lane_fails(lane, status);
        if (lane_dials_again(lane)) {
            atomic_store(&lane->rest_ns, clock_now_ns() + LANE_REST_NS);
        }
        return LANE_FAILED;
    }
    if (atomic_exchange(&lane->hand, (uintptr_t) client) != LANE_ENDED) {
        return LANE_LIVES;
    }
    atomic_store(&lane->hand, LANE_ENDED);
    pipeport_client_stop(client, 0);
    return LANE_HAS_LIVED;
}

bool lane_dial(struct lane *lane)
{
    enum lane_dialled dialled = LANE_FAILED;

    atomic_fetch_add(&lane->load->dials_inside, 1);
    do {
        if (load_phase(lane->load) == LOAD_ENDING) {
            break;
        }
        dialled = lane_dial_once(lane);
    } while (dialled == LANE_HAS_LIVED && lane_dials_again(lane));
    atomic_fetch_sub(&lane->load->dials_inside, 1);
    return dialled != LANE_FAILED;
}

void lane_dial_next(struct load *load)
{
    uint32_t next;

    do {
        next = load_phase(load) == LOAD_ENDING || load->plan->ramp_per_s != 0 ? UINT32_MAX
                                                                              : atomic_fetch_add(&load->dial_next, 1);
    } while (next < load->plan->connections && !lane_dial(&load->lanes[next]));
}

void lane_stop_all(struct load *load, bool drain)
{
    uint64_t until_ns = clock_now_ns() + LANE_STOP_NS;

    while (atomic_load(&load->dials_inside) != 0 && clock_now_ns() < until_ns) {
        machine_pause_us(100);
    }
    for (uint32_t i = 0; i < load->plan->connections; i++) {
        pipeport_conn conn = {atomic_load(&load->lanes[i].id)};

        if (conn.id != 0) {
            (void) pipeport_close(load->engine, conn, drain && !load->lanes[i].slow ? PIPEPORT_DRAIN : PIPEPORT_ABORT);
        }
    }
    while (atomic_load(&load->connected) != 0 && clock_now_ns() < until_ns) {
        machine_pause_us(500);
    }
    for (uint32_t i = 0; i < load->plan->connections; i++) {
        uintptr_t client = atomic_exchange(&load->lanes[i].hand, LANE_ENDED);

        if (client != 0 && client != LANE_ENDED) {
            pipeport_client_stop((pipeport_client *) client, 0);
        }
    }
}
