/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/swarm.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tools/pipeport/clock.h"
#include "tools/pipeport/interrupt.h"
#include "tools/pipeport/log.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/system.h"

#define SWARM_TURN_MS 20u    /* How long the main thread looks away from Ctrl-C and the clock. */
#define SWARM_LINGER_MS 50u  /* After the last message, for one that should not come. */
#define SWARM_CLOSE_MS 10000 /* For all to close; what takes longer is aborted. */

static bool swarm_init(struct swarm *swarm)
{
    const struct swarm_options *options = &swarm->options;
    bool counted = options->broadcasts != SWARM_ANY_BROADCASTS && options->broadcasts > 0;

    swarm->clients = calloc(options->connections, sizeof(*swarm->clients));
    swarm->sent_ns = calloc((size_t) options->connections * options->depth, sizeof(*swarm->sent_ns));
    swarm->round_trips = histogram_create();
    swarm->delays = histogram_create();
    swarm->slowest_ns = counted ? calloc(options->broadcasts, sizeof(*swarm->slowest_ns)) : NULL;
    if (swarm->clients == NULL || swarm->sent_ns == NULL || swarm->round_trips == NULL || swarm->delays == NULL ||
        (counted && swarm->slowest_ns == NULL)) {
        say_error("swarm", "there is not enough memory for that many connections and messages in flight");
        return false;
    }
    for (uint32_t i = 0; i < options->connections; i++) {
        swarm->clients[i].swarm = swarm;
        swarm->clients[i].tag = i;
        swarm->clients[i].sent_ns = swarm->sent_ns + (size_t) i * options->depth;
    }
    if (!swarm_topics_init(swarm)) {
        say_error("swarm", "there is not enough memory for that many connections with --topics");
        return false;
    }
    atomic_store(&swarm->remaining, options->connections);
    return true;
}

static void swarm_fini(struct swarm *swarm)
{
    free(swarm->clients);
    free(swarm->sent_ns);
    free(swarm->slowest_ns);
    swarm_topics_fini(swarm);
    histogram_destroy(swarm->round_trips);
    histogram_destroy(swarm->delays);
}

/* Lends the main thread to the engine until *number is `wanted`; false where it ends otherwise: nothing came for too
 * long, Ctrl-C, somebody could not connect. */
static bool swarm_wait(struct swarm *swarm, const _Atomic uint32_t *number, uint32_t wanted)
{
    uint64_t alive_ns = clock_now_ns();
    uint64_t events = atomic_load_explicit(&swarm->events, memory_order_relaxed);

    while (atomic_load_explicit(number, memory_order_acquire) != wanted) {
        uint64_t now_ns = clock_now_ns(), seen = atomic_load_explicit(&swarm->events, memory_order_relaxed);
        pipeport_status status = pipeport_engine_run(swarm->engine, SWARM_TURN_MS);

        if (status != PIPEPORT_OK) {
            say_status("swarm", "the main thread cannot drain the port (fewer --threads may help)", status);
            return false;
        }
        if (seen != events) {
            events = seen;
            alive_ns = now_ns;
        }
        swarm->timed_out = now_ns - alive_ns > swarm->options.timeout_s * UINT64_C(1000000000);
        swarm->interrupted = interrupt_came();
        if (swarm->timed_out || swarm->interrupted || atomic_load(&swarm->ending)) {
            return false;
        }
    }
    return true;
}

static void swarm_connect(struct swarm *swarm)
{
    uint32_t window = swarm->options.window < swarm->options.connections ? swarm->options.window
                                                                         : swarm->options.connections;

    swarm->dial_ns = clock_now_ns();
    for (uint32_t i = 0; i < window; i++) {
        swarm_client_dial(swarm);
    }
}

/* False where not everybody got everything; why is in swarm->errors, timed_out, interrupted, or has been said. */
static bool swarm_run(struct swarm *swarm)
{
    swarm_connect(swarm);
    if (!swarm_wait(swarm, &swarm->opened, swarm->options.connections)) {
        return false;
    }
    swarm->all_connected = true;
    swarm_report_connected(swarm);
    if (swarm->options.topics > 0 && !swarm_wait(swarm, &swarm->subscribed, swarm->options.connections)) {
        return false;
    }
    pipeport_engine_run(swarm->engine, swarm->options.settle_ms);
    swarm->start_ns = clock_now_ns();
    for (uint32_t i = 0; i < swarm->options.connections && swarm->options.messages > 0; i++) {
        if (swarm->options.topics > 0) {
            swarm_topics_push(&swarm->clients[i]);
        } else {
            swarm_send_begin(&swarm->clients[i]);
        }
    }
    if (!swarm_wait(swarm, &swarm->remaining, 0)) {
        return false;
    }
    pipeport_engine_run(swarm->engine, SWARM_LINGER_MS);
    return true;
}

/* How many are open, also of those that have opened meanwhile. */
static uint32_t swarm_open(struct swarm *swarm)
{
    uint32_t closed = atomic_load(&swarm->closed); /* First: who has closed has opened. */

    return atomic_load(&swarm->opened) - closed;
}

/* All of them, or as many as do within SWARM_CLOSE_MS of began_ns: it says how many did not. */
static void swarm_close(struct swarm *swarm, pipeport_closing how, uint64_t began_ns)
{
    uint32_t left;

    for (uint32_t i = 0; i < swarm->options.connections; i++) {
        if (swarm->clients[i].client != NULL) {
            pipeport_close(swarm->engine, swarm->clients[i].conn, how);
        }
    }
    while ((left = swarm_open(swarm)) != 0 && clock_now_ns() - began_ns < SWARM_CLOSE_MS * UINT64_C(1000000)) {
        pipeport_engine_run(swarm->engine, 1);
    }
    if (left != 0) {
        say_error("swarm", "%" PRIu32 " connections are not closed %d s after they were to be; they are %s", left,
                  SWARM_CLOSE_MS / 1000, how == PIPEPORT_DRAIN ? "aborted" : "waited for");
    }
}

static void swarm_stop(struct swarm *swarm, bool fine)
{
    uint64_t began_ns = clock_now_ns();
    pipeport_engine_figures figures = {.size = sizeof(figures)};

    atomic_store(&swarm->ending, true);
    while (atomic_load(&swarm->dials_entered) != atomic_load(&swarm->dials_left)) {
        pipeport_engine_run(swarm->engine, 1);
    }
    swarm_close(swarm, fine || swarm->interrupted ? PIPEPORT_DRAIN : PIPEPORT_ABORT, began_ns);
    for (uint32_t i = 0; i < swarm->options.connections; i++) {
        pipeport_client_stop(swarm->clients[i].client, 0);
    }
    while (pipeport_engine_stats(swarm->engine, &figures) == PIPEPORT_OK &&
           figures.operations_armed != figures.operations_done &&
           clock_now_ns() - began_ns < SWARM_CLOSE_MS * UINT64_C(2000000)) {
        pipeport_engine_run(swarm->engine, 1);
    }
}

static int swarm_live(struct swarm *swarm)
{
    static char who[] = "swarm";
    pipeport_engine_options engine = {.size = sizeof(engine), .log = log_line, .log_user = who};
    pipeport_status status;
    bool fine;

    engine.workers = pipe_options_workers(swarm->options.threads);
    status = pipeport_engine_create(&swarm->engine, &engine);
    if (status != PIPEPORT_OK) {
        say_status("swarm", "the engine cannot start", status);
        return SAY_EXIT_FAIL;
    }
    interrupt_watch();
    fine = swarm_run(swarm);
    swarm_stop(swarm, fine);
    if (!atomic_load(&swarm->name_wrong)) {
        fine &= swarm_report(swarm);
    }
    if (pipeport_engine_destroy(swarm->engine) != PIPEPORT_OK) {
        say_error("swarm", "the engine did not end");
        return SAY_EXIT_FAIL;
    }
    if (atomic_load(&swarm->name_wrong)) { /* The engine's log has said why. */
        return SAY_EXIT_USAGE;
    }
    return fine ? SAY_EXIT_OK : SAY_EXIT_FAIL;
}

int swarm_main(int count, char **arguments)
{
    static struct swarm swarm; /* Static: the counters are zero, and the events may keep pointing at it. */
    bool go;
    int code = swarm_options_read(&swarm, count, arguments, &go);

    if (!go) {
        return code;
    }
    code = SAY_EXIT_FAIL;
    if (system_allows("swarm", swarm.options.connections) && swarm_init(&swarm)) {
        code = swarm_live(&swarm);
    }
    swarm_fini(&swarm);
    return code;
}
