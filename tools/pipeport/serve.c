/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/serve.h"

#include "tools/pipeport/carriage.h"
#include "tools/pipeport/clock.h"
#include "tools/pipeport/framing.h"
#include "tools/pipeport/interrupt.h"
#include "tools/pipeport/log.h"
#include "tools/pipeport/payload.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/stream.h"
#include "tools/pipeport/system.h"

#define SERVE_HOME_TURNS 100 /* Of 10 ms, for the last operations to come home after the stop. */

/* Where the engine's memory stands, if more connections are open than ever at a look, or as many and less memory. */
static void serve_look(struct serve *serve)
{
    pipeport_engine_figures figures = {.size = sizeof(figures)};
    uint64_t open = serve_host_open(serve);

    if (open < serve->memory_open || open == 0 || pipeport_engine_stats(serve->engine, &figures) != PIPEPORT_OK ||
        serve_host_open(serve) != open) {
        return;
    }
    if (open > serve->memory_open || figures.memory_bytes < serve->memory_most) {
        serve->memory_open = open;
        serve->memory_most = figures.memory_bytes;
    }
}

/* What the framing takes: a message, or the next bytes of a stream that goes to all. */
static void serve_write_broadcast(const struct serve *serve, void *room)
{
    const pipeport_framing *framing = &serve->options.pipe.framing;
    struct payload payload = {.kind = PAYLOAD_KIND_BROADCAST,
                              .tag = PAYLOAD_TAG_ALL,
                              .sequence = serve->broadcasts,
                              .made_ns = clock_now_ns(),
                              .length = serve->options.broadcast_bytes,
                              .lacks = carriage_lacks(framing)};

    if (framing->kind == PIPEPORT_FRAMING_NONE) {
        stream_write(&(struct stream){.tag = PAYLOAD_TAG_ALL}, payload.sequence * payload.length, room, payload.length);
    } else {
        carriage_write(framing, &payload, room);
    }
}

static bool serve_broadcast(struct serve *serve)
{
    const pipeport_framing *framing = &serve->options.pipe.framing;
    uint64_t bytes = carriage_bytes(framing, serve->options.broadcast_bytes), began_ns;
    pipeport_message *message = NULL;
    void *room = NULL;
    uint32_t reached = 0;
    pipeport_status status = pipeport_message_create(&message, serve->engine, framing, bytes, &room);

    if (status == PIPEPORT_OK) {
        serve_write_broadcast(serve, room);
        began_ns = clock_now_ns();
        status = pipeport_broadcast_message(serve->server, message, &reached);
        serve->broadcast_call_ns += clock_now_ns() - began_ns;
        pipeport_message_release(message);
    }
    if (status != PIPEPORT_OK) {
        say_status("serve", "a broadcast was refused", status);
        return false;
    }
    serve->broadcasts++;
    serve->deliveries += reached;
    atomic_fetch_add_explicit(&serve->accepted_bytes, framing_frame_bytes(framing, bytes) * reached,
                              memory_order_relaxed);
    return true;
}

/* Sends the broadcasts that are due and tells in *turn_ms how long there is nothing to do. */
static bool serve_broadcasts_due(struct serve *serve, uint32_t *turn_ms)
{
    const struct serve_options *options = &serve->options;
    uint64_t now = clock_now_ns();

    *turn_ms = SERVE_TURN_MS;
    if (options->broadcast_every_ms == SERVE_NO_BROADCASTS ||
        (options->broadcasts != 0 && serve->broadcasts == options->broadcasts)) {
        return true;
    }
    if (serve->broadcast_due_ns == 0) {
        if (serve_host_open(serve) < options->wait_for) {
            return true;
        }
        serve->broadcast_due_ns = now + options->broadcast_every_ms * UINT64_C(1000000);
    }
    if (now >= serve->broadcast_due_ns) {
        if (!serve_broadcast(serve)) {
            return false;
        }
        serve->broadcast_due_ns += options->broadcast_every_ms * UINT64_C(1000000);
    }
    now = clock_now_ns();
    if (serve->broadcast_due_ns <= now) {
        *turn_ms = 0;
    } else if ((serve->broadcast_due_ns - now) / 1000000 < SERVE_TURN_MS) {
        *turn_ms = (uint32_t) ((serve->broadcast_due_ns - now + 999999) / 1000000);
    }
    return true;
}

static bool serve_is_over(const struct serve *serve, uint64_t began_ns)
{
    const struct serve_options *options = &serve->options;
    uint64_t opened = atomic_load_explicit(&serve->opened, memory_order_acquire);

    if (options->until_empty && opened >= options->wait_for && serve_host_open(serve) == 0) {
        return true;
    }
    return interrupt_came() ||
           (options->seconds != 0 && clock_now_ns() - began_ns >= options->seconds * UINT64_C(1000000000));
}

/* The main thread lends itself to the engine between its own duties, so that it needs no sleep; on Linux it only waits
 * there where the engine has workers. */
static bool serve_run(struct serve *serve)
{
    uint64_t began_ns = clock_now_ns();
    uint32_t turn_ms;
    bool fine = true;

    while (fine && !serve_is_over(serve, began_ns)) {
        serve_look(serve);
        fine = serve_broadcasts_due(serve, &turn_ms);
        if (fine) {
            pipeport_status status = pipeport_engine_run(serve->engine, turn_ms);

            if (status != PIPEPORT_OK) {
                say_status("serve", "the main thread cannot drain the port (fewer --workers may help)", status);
                fine = false;
            }
        }
    }
    serve->ran_ns = clock_now_ns() - began_ns;
    return fine;
}

static bool serve_stop(struct serve *serve)
{
    pipeport_stats stats = {.size = sizeof(stats)};
    pipeport_engine_figures figures = {.size = sizeof(figures)};

    if (pipeport_server_stats(serve->server, &stats) == PIPEPORT_OK) {
        serve->deliveries_refused = stats.broadcasts_refused;
        serve->deliveries_dropped = stats.broadcasts_dropped;
        serve->slow_peers = stats.slow_peers;
    }
    pipeport_server_stop(serve->server, serve->options.drain_ms);
    for (int turn = 0; turn < SERVE_HOME_TURNS; turn++) {
        if (pipeport_engine_stats(serve->engine, &figures) == PIPEPORT_OK &&
            figures.operations_armed == figures.operations_done) {
            break;
        }
        pipeport_engine_run(serve->engine, 10);
    }
    say_hush(serve->options.quiet);
    return serve_books_close(serve);
}

static pipeport_status serve_listen(struct serve *serve, const char *name)
{
    pipeport_engine_figures figures = {.size = sizeof(figures)};
    pipeport_events events;
    pipeport_status status;

    serve_host_events(serve, &events);
    status = pipeport_server_start(&serve->server, serve->engine, name, &serve->server_options, &events);
    if (status == PIPEPORT_OK && pipeport_engine_stats(serve->engine, &figures) == PIPEPORT_OK) {
        serve->memory_before = figures.memory_bytes;
    }
    return status;
}

/* Between the engine's birth and its end. */
static int serve_live(struct serve *serve)
{
    pipeport_status status = serve_listen(serve, serve->name);
    bool fine;

    if (status == PIPEPORT_INVALID) { /* The engine's log has said why. */
        return SAY_EXIT_USAGE;
    }
    if (status != PIPEPORT_OK) {
        say_error("serve", "'%s' cannot be served: %s (status %d)", serve->name, pipeport_status_text(status),
                  (int) status);
        return SAY_EXIT_FAIL;
    }
    say("listening on %s", pipeport_server_address(serve->server));
    say("driver: %s", pipeport_engine_driver(serve->engine));
    fine = serve_run(serve);
    fine &= serve_stop(serve);
    return fine && atomic_load(&serve->failures) == 0 ? SAY_EXIT_OK : SAY_EXIT_FAIL;
}

int serve_main(int count, char **arguments)
{
    static struct serve serve; /* Static: the counters are zero, and engine and events may keep pointing at it. */
    static char who[] = "serve";
    pipeport_engine_options engine = {.size = sizeof(engine), .log = log_line, .log_user = who};
    pipeport_status status;
    bool go;
    int code = serve_options_read(&serve, count, arguments, &go);

    if (!go) {
        return code;
    }
    if (!system_allows(who, serve.options.connections)) {
        return SAY_EXIT_FAIL;
    }
    engine.workers = pipe_options_workers(serve.options.workers);
    status = pipeport_engine_create(&serve.engine, &engine);
    if (status != PIPEPORT_OK) {
        say_status("serve", "the engine cannot start", status);
        return SAY_EXIT_FAIL;
    }
    interrupt_watch();
    code = SAY_EXIT_FAIL;
    if (serve_topics_init(&serve)) {
        code = serve_live(&serve);
    } else {
        say_error("serve", "there is not enough memory for --topics");
    }
    if (pipeport_engine_destroy(serve.engine) != PIPEPORT_OK) {
        say_error("serve", "the engine did not end");
        return SAY_EXIT_FAIL;
    }
    serve_topics_fini(&serve);
    return code;
}
