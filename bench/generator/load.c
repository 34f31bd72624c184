/* SPDX-License-Identifier: MIT */
#include "bench/generator/load.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/generator/sizes.h"
#include "tools/pipeport/framing.h"
#include "tools/pipeport/log.h"
#include "tools/pipeport/say.h"

#define LOAD_QUEUE_LEAST (4u << 20)
#define LOAD_MESSAGE_LEAST (1u << 20)
#define LOAD_SLOW_QUEUE (64u << 10)
#define LOAD_CONNECT_MS 10000u
#define LOAD_ENTRIES_MAX (UINT64_C(1) << 22) /* Of all rings in an open loop, where the plan does not bound them. */
#define LOAD_OBJECTIONS_SAID 5

static _Thread_local struct recorder *load_mine;
static _Thread_local uint32_t load_mine_of;

static struct recorder *load_make_recorder(struct load *load)
{
    struct recorder *recorder = calloc(1, sizeof *recorder);
    uint32_t place;

    if (recorder == NULL) {
        return NULL;
    }
    if (load->plan->verify) {
        recorder->scratch = malloc((size_t) sizes_longest(load->plan) + 1);
    }
    place = atomic_fetch_add(&load->recorders_count, 1);
    if (place >= LOAD_RECORDERS_MAX || (load->plan->verify && recorder->scratch == NULL)) {
        free(recorder->scratch);
        free(recorder);
        return NULL;
    }
    atomic_store_explicit(&load->recorders[place], recorder, memory_order_release);
    return recorder;
}

struct recorder *load_recorder(struct load *load)
{
    if (load_mine_of != load->number) {
        load_mine = load_make_recorder(load);
        load_mine_of = load_mine == NULL ? 0 : load->number;
    }
    return load_mine;
}

void load_object(struct load *load, const struct lane *lane, enum result_error error, const char *what)
{
    struct recorder *recorder = load_recorder(load);

    if (recorder != NULL) {
        recorder_count(&recorder->errors[error], 1);
    }
    if (atomic_fetch_add_explicit(&load->objections, 1, memory_order_relaxed) < LOAD_OBJECTIONS_SAID) {
        if (load->clear != NULL) {
            load->clear();
        }
        if (lane == NULL) {
            say_error("run", "%s", what);
        } else {
            say_error("run", "connection %" PRIu32 ": %s", lane->tag, what);
        }
    }
}

uint64_t load_all(const struct load *load)
{
    uint64_t all = 0;

    for (uint32_t i = 0; i < LOAD_RECORDERS_MAX; i++) {
        const struct recorder *recorder = atomic_load_explicit(&load->recorders[i], memory_order_acquire);

        all += recorder == NULL ? 0 : atomic_load_explicit(&recorder->all, memory_order_relaxed);
    }
    return all;
}

uint64_t load_errors(const struct load *load)
{
    uint64_t errors = 0;

    for (uint32_t i = 0; i < LOAD_RECORDERS_MAX; i++) {
        const struct recorder *recorder = atomic_load_explicit(&load->recorders[i], memory_order_acquire);

        for (uint32_t k = 0; recorder != NULL && k < RESULT_ERRORS; k++) {
            errors += atomic_load_explicit(&recorder->errors[k], memory_order_relaxed);
        }
    }
    return errors;
}

/* Bytes that no delimiter is among: letters, or, where the delimiter is one, digits. */
static void load_fill_content(struct load *load, uint32_t length)
{
    uint8_t delimiter = load->plan->framing.delimiter;
    char first = delimiter >= 'a' && delimiter <= 'p' ? '0' : 'a';

    for (uint32_t i = 0; i < length; i++) {
        load->content[i] = (unsigned char) (first + (char) (sizes_mix(load->plan->seed ^ i / 8) >> (i % 8 * 8) & 7));
    }
}

/* How many messages of one lane may be in flight: what the plan says, in an open loop as many as memory bears. */
static uint64_t load_ring_entries(const struct plan *plan)
{
    uint64_t frame = (uint64_t) sizes_longest(plan) + framing_overhead_max(&plan->framing);
    uint64_t wanted = plan->depth, entries = 4;

    if (plan->rate_per_s > 0) {
        wanted = LOAD_ENTRIES_MAX / plan->connections;
        wanted = wanted > 4096 ? 4096 : wanted;
        wanted = wanted * frame > UINT32_MAX / 2 ? UINT32_MAX / 2 / frame : wanted;
    }
    while (entries < wanted) {
        entries *= 2;
    }
    return entries;
}

static void load_set_options(struct load *load, uint64_t entries)
{
    const struct plan *plan = load->plan;
    uint32_t longest = sizes_longest(plan), overhead = framing_overhead_max(&plan->framing);
    bool roomy = plan->framing.kind != PIPEPORT_FRAMING_MESSAGE && longest < LOAD_MESSAGE_LEAST;
    uint32_t message = roomy ? LOAD_MESSAGE_LEAST : longest; /* So that a reply that is too long can be told. */
    uint64_t queue = entries * ((uint64_t) longest + overhead);

    queue = queue < LOAD_QUEUE_LEAST ? LOAD_QUEUE_LEAST : queue;
    queue = queue < (uint64_t) message + overhead ? (uint64_t) message + overhead : queue;
    load->client_options = (pipeport_options){.size = sizeof(pipeport_options),
                                              .framing = plan->framing,
                                              .message_bytes_max = message,
                                              .send_queue_bytes_max = queue > UINT32_MAX ? UINT32_MAX
                                                                                         : (uint32_t) queue,
                                              .connect_ms = LOAD_CONNECT_MS,
                                              .write_stall_ms = UINT32_MAX};
    load->slow_options = load->client_options;
    load->slow_options.message_bytes_max = longest == 0 ? 1 : longest;
    load->slow_options.send_queue_bytes_max = longest + overhead + LOAD_SLOW_QUEUE;
}

static bool load_make_lanes(struct load *load)
{
    const struct plan *plan = load->plan;
    uint64_t entries = load_ring_entries(plan);
    uint32_t readers = plan_readers(plan), slow = plan->connections - readers;
    uint64_t quota;

    load_set_options(load, entries);
    load->lanes = calloc(plan->connections, sizeof *load->lanes);
    load->entries = calloc((size_t) plan->connections * entries, sizeof *load->entries);
    load->content = malloc((size_t) sizes_longest(plan) + 2);
    if (load->lanes == NULL || load->entries == NULL || load->content == NULL) {
        say_error("run", "there is not enough memory for so many connections and messages in flight; give fewer");
        return false;
    }
    load_fill_content(load, sizes_longest(plan) + 2); /* A broadcast's first calls are of 2 bytes at most. */
    for (uint32_t i = 0; i < plan->connections; i++) {
        struct lane *lane = &load->lanes[i];

        lane->load = load;
        lane->tag = i;
        lane->slow = i < slow; /* They come first: a server that hears of a reader has heard of them. */
        lane->ring = load->entries + (size_t) i * entries;
        lane->mask = (uint32_t) entries - 1;
        quota = lane->slow ? 0 : plan->count / readers + (i - slow < plan->count % readers);
        atomic_store(&lane->quota, quota);
        atomic_store(&lane->over, plan->count != 0 && quota == 0);
    }
    atomic_store(&load->remaining, plan->count == 0 || plan->count > readers ? readers : (uint32_t) plan->count);
    return true;
}

bool load_create(struct load *load, const struct plan *plan, uint32_t number)
{
    static char who[] = "run";
    pipeport_engine_options engine = {
        .size = sizeof engine, .workers = plan->threads, .log = log_line, .log_user = who};
    pipeport_status status;

    memset(load, 0, sizeof *load);
    load->plan = plan;
    load->number = number;
    load->open_loop = plan->rate_per_s > 0;
    atomic_store(&load->begin_ns, LOAD_NEVER);
    atomic_store(&load->end_ns, LOAD_NEVER);
    if (!load_make_lanes(load)) {
        return false;
    }
    status = pipeport_engine_create(&load->engine, &engine);
    if (status != PIPEPORT_OK) {
        say_status("run", "the engine cannot start", status);
        return false;
    }
    return true;
}

void load_destroy(struct load *load)
{
    if (load->engine != NULL && pipeport_engine_destroy(load->engine) != PIPEPORT_OK) {
        say_error("run", "the engine did not end");
    }
    for (uint32_t i = 0; i < LOAD_RECORDERS_MAX; i++) {
        struct recorder *recorder = atomic_load(&load->recorders[i]);

        if (recorder != NULL) {
            free(recorder->scratch);
            free(recorder);
        }
    }
    free(load->lanes);
    free(load->entries);
    free(load->content);
    free(load->fan);
}
