/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/swarm.h"

#include <stdlib.h>

#include "tools/pipeport/clock.h"
#include "tools/pipeport/framing.h"
#include "tools/pipeport/interrupt.h"
#include "tools/pipeport/log.h"
#include "tools/pipeport/payload.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/system.h"

#define SWARM_AT(member) offsetof(struct swarm_options, member)
#define SWARM_MESSAGE_LEAST (1u << 20)
#define SWARM_QUEUE_LEAST (4u << 20)
#define SWARM_TURN_MS 20u    /* How long the main thread looks away from Ctrl-C and the clock. */
#define SWARM_LINGER_MS 50u  /* After the last message, for one that should not come. */
#define SWARM_CLOSE_MS 10000 /* For all to close; what takes longer is aborted. */

static const struct args_option swarm_table[] = {
    {"--connections", "N", "clients [1]", ARGS_NUMBER, SWARM_AT(connections), 1, 1000000},
    {"--messages", "M", "requests of each client [100]; 0: only listen for broadcasts", ARGS_NUMBER, SWARM_AT(messages),
     0, UINT32_MAX},
    {"--size", "S[,S...]", "bytes of the messages, in turn [64]; K, M, G multiply by 1024; 0 is a size", ARGS_SIZES,
     SWARM_AT(sizes), 0, 1u << 30},
    {"--framing", FRAMING_OPERAND, FRAMING_TEXT, ARGS_FRAMING, SWARM_AT(framing), 0, 0},
    {"--direction", "duplex|to-client",
     "which way messages go, as the server says it [duplex]; to-client: only listen,\nwith --messages 0", ARGS_CHOICE,
     SWARM_AT(direction), 0, 0},
    {"--depth", "D", "requests of one client in flight [1]", ARGS_NUMBER, SWARM_AT(depth), 1, 65536},
    {"--threads", "T",
     "that drain the port, the main thread is one of them\n"
     "[the main thread and one for each processor]",
     ARGS_NUMBER, SWARM_AT(threads), 1, 64},
    {"--broadcasts", "N",
     "expect exactly N broadcasts on every connection, from the first on, and\n"
     "wait for them [check what comes]",
     ARGS_NUMBER, SWARM_AT(broadcasts), 0, 100000000},
    {"--seed", "X", "what the bytes of the messages grow from [1]", ARGS_NUMBER, SWARM_AT(seed), 0, UINT32_MAX},
    {"--timeout", "S", "give up when nothing at all came for S seconds [60]", ARGS_NUMBER, SWARM_AT(timeout_s), 1,
     1000000},
    {"--window", "N", "clients that connect at the same time [64]", ARGS_NUMBER, SWARM_AT(window), 1, 1000000},
    {"--connect", "MS", "wait so long while every instance of the pipe is taken [30000]", ARGS_NUMBER,
     SWARM_AT(connect_ms), 1, UINT32_MAX},
    {"--settle", "MS",
     "rest between the last connection and the first message, so that the server's\n"
     "memory can be seen at rest [200]",
     ARGS_NUMBER, SWARM_AT(settle_ms), 0, 60000},
    {"--message-max", "BYTES", "longest message, both ways [the longest --size, at least 1M]", ARGS_SIZE,
     SWARM_AT(message_bytes), 1, 1u << 30},
    {"--queue", "BYTES", "bound of what waits to be sent on one connection\n[what --depth takes, at least 4M]",
     ARGS_SIZE, SWARM_AT(queue_bytes), 5, UINT32_MAX},
    {"--buffer", "BYTES", "asked of the system for each pipe and way [the engine's default]", ARGS_SIZE,
     SWARM_AT(buffer_bytes), 512, 16u << 20},
};

static const struct args_command swarm_command = {
    "swarm", "NAME [options]",
    "Connects many clients to the pipe NAME, where `pipeport serve` echoes. Every message carries its connection, its\n"
    "number and a checksum; every echo and every broadcast is checked for loss, doubling, order and corruption. Says "
    "the\n"
    "figures and, as its last line, `verified: ...` when all was right.\n"
    "Exit codes: 0 verified, 1 something was wrong, 2 wrong arguments.",
    swarm_table, sizeof(swarm_table) / sizeof(swarm_table[0])};

void swarm_help(void)
{
    args_help(&swarm_command);
}

/* Not every framing carries what is verified here: messages of any bytes and any length. */
static bool swarm_can_speak(const struct swarm_options *options)
{
    const pipeport_framing *framing = &options->framing;

    if (options->direction.number == SWARM_TO_CLIENT && options->messages != 0) {
        say_error("swarm", "--direction to-client lets nobody send to the server; give --messages 0 with it");
        return false;
    }
    if (framing->kind == PIPEPORT_FRAMING_NONE) {
        say_error("swarm", "--framing: there are no messages to verify in none; give another");
        return false;
    }
    if (framing->kind == PIPEPORT_FRAMING_DELIMITER) {
        say_error("swarm", "--framing: what is verified holds every byte, so also a delimiter; give another");
        return false;
    }
    if (framing->flags & PIPEPORT_KEEP) {
        say_error("swarm", "--framing: keep changes nothing on the wire; leave it out here");
        return false;
    }
    for (uint32_t i = 0; framing->kind == PIPEPORT_FRAMING_MESSAGE && i < options->sizes.count; i++) {
        if (options->sizes.bytes[i] == 0) {
            say_error("swarm", "--size: an empty message cannot be sent in the framing message; give 1 or more");
            return false;
        }
    }
    return true;
}

/* What the table cannot say: how options go together. */
static bool swarm_settle(struct swarm_options *options)
{
    uint32_t longest = 0;
    uint32_t overhead = framing_overhead_max(&options->framing);
    uint64_t queue;

    if (!swarm_can_speak(options)) {
        return false;
    }
    for (uint32_t i = 0; i < options->sizes.count; i++) {
        longest = options->sizes.bytes[i] > longest ? options->sizes.bytes[i] : longest;
    }
    if (options->message_bytes == 0) {
        options->message_bytes = longest > SWARM_MESSAGE_LEAST ? longest : SWARM_MESSAGE_LEAST;
    }
    if (longest > options->message_bytes) {
        say_error("swarm", "--size: %u is above --message-max (%u); give less, or raise --message-max",
                  (unsigned) longest, (unsigned) options->message_bytes);
        return false;
    }
    if (options->queue_bytes == 0) {
        queue = options->depth * ((uint64_t) longest + overhead);
        queue = queue < SWARM_QUEUE_LEAST ? SWARM_QUEUE_LEAST : queue;
        queue = queue < (uint64_t) options->message_bytes * 2 ? (uint64_t) options->message_bytes * 2 : queue;
        options->queue_bytes = queue > UINT32_MAX ? UINT32_MAX : (uint32_t) queue;
    }
    if (options->queue_bytes < (uint64_t) options->message_bytes + overhead) {
        say_error("swarm", "--queue is below --message-max and %u bytes (%u); give at least that", (unsigned) overhead,
                  (unsigned) (options->message_bytes + overhead));
        return false;
    }
    return true;
}

static bool swarm_init(struct swarm *swarm)
{
    const struct swarm_options *options = &swarm->options;
    bool counted = options->broadcasts != SWARM_ANY_BROADCASTS && options->broadcasts > 0;

    swarm->client_options = (pipeport_options){
        .size = sizeof(pipeport_options),
        .framing = options->framing,
        .direction = options->direction.number == SWARM_TO_CLIENT ? PIPEPORT_TO_CLIENT : PIPEPORT_DUPLEX,
        .message_bytes_max = options->message_bytes,
        .send_queue_bytes_max = options->queue_bytes,
        .connect_ms = options->connect_ms,
        .pipe_buffer_bytes = options->buffer_bytes};
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
    atomic_store(&swarm->remaining, options->connections);
    return true;
}

static void swarm_fini(struct swarm *swarm)
{
    free(swarm->clients);
    free(swarm->sent_ns);
    free(swarm->slowest_ns);
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
    pipeport_engine_run(swarm->engine, swarm->options.settle_ms);
    swarm->start_ns = clock_now_ns();
    for (uint32_t i = 0; i < swarm->options.connections && swarm->options.messages > 0; i++) {
        swarm_client_begin(&swarm->clients[i]);
    }
    if (!swarm_wait(swarm, &swarm->remaining, 0)) {
        return false;
    }
    pipeport_engine_run(swarm->engine, SWARM_LINGER_MS);
    return true;
}

static void swarm_stop(struct swarm *swarm, bool fine)
{
    uint64_t began_ns = clock_now_ns();
    pipeport_engine_figures figures = {.size = sizeof(figures)};
    pipeport_closing how = fine || swarm->interrupted ? PIPEPORT_DRAIN : PIPEPORT_ABORT;

    atomic_store(&swarm->ending, true);
    while (atomic_load(&swarm->dials_entered) != atomic_load(&swarm->dials_left)) {
        pipeport_engine_run(swarm->engine, 1);
    }
    for (uint32_t i = 0; i < swarm->options.connections; i++) {
        if (swarm->clients[i].client != NULL) {
            pipeport_close(swarm->engine, swarm->clients[i].conn, how);
        }
    }
    while (atomic_load(&swarm->closed) != atomic_load(&swarm->opened) &&
           clock_now_ns() - began_ns < SWARM_CLOSE_MS * UINT64_C(1000000)) {
        pipeport_engine_run(swarm->engine, 1);
    }
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
    uint32_t threads = swarm->options.threads;
    pipeport_status status;
    bool fine;

    engine.workers = threads == 1 ? PIPEPORT_HOST_THREADS : threads > 1 ? threads - 1 : 0;
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
    int code = SAY_EXIT_FAIL;

    swarm.options = (struct swarm_options){.connections = 1,
                                           .messages = 100,
                                           .depth = 1,
                                           .sizes = {{64}, 1},
                                           .broadcasts = SWARM_ANY_BROADCASTS,
                                           .seed = 1,
                                           .timeout_s = 60,
                                           .window = 64,
                                           .settle_ms = 200,
                                           .connect_ms = 30000};
    switch (args_parse(&swarm_command, count, arguments, &swarm.options, &swarm.name)) {
    case ARGS_HELP:
        return SAY_EXIT_OK;
    case ARGS_WRONG:
        return SAY_EXIT_USAGE;
    case ARGS_GO:
        break;
    }
    if (!swarm_settle(&swarm.options)) {
        return SAY_EXIT_USAGE;
    }
    if (system_allows("swarm", swarm.options.connections) && swarm_init(&swarm)) {
        code = swarm_live(&swarm);
    }
    swarm_fini(&swarm);
    return code;
}
