/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/serve.h"

#include <string.h>

#include "tools/pipeport/clock.h"
#include "tools/pipeport/framing.h"
#include "tools/pipeport/interrupt.h"
#include "tools/pipeport/log.h"
#include "tools/pipeport/payload.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/system.h"

#define SERVE_AT(member) offsetof(struct serve_options, member)
#define SERVE_MESSAGE_BYTES (1u << 20)
#define SERVE_QUEUE_LEAST (4u << 20)
#define SERVE_QUEUE_TIMES 8u /* Echoes of the longest messages that wait besides broadcasts. */
#define SERVE_HOME_TURNS 100 /* Of 10 ms, for the last operations to come home after the stop. */

static const struct args_option serve_table[] = {
    {"--echo", NULL, "answer every message with itself [without --sink and --broadcast-every]", ARGS_FLAG,
     SERVE_AT(echo), 0, 0},
    {"--sink", NULL, "read messages and answer nothing", ARGS_FLAG, SERVE_AT(sink), 0, 0},
    {"--topics", NULL,
     "messages are a topic and a message, two strings as .NET's BinaryWriter writes\nthem; each goes to who has "
     "subscribed "
     "to its topic: who has sent the topic\n`subscribe` with the other topic as message, and not `unsubscribe` since",
     ARGS_FLAG, SERVE_AT(topics), 0, 0},
    {"--framing", FRAMING_OPERAND, FRAMING_TEXT, ARGS_FRAMING, SERVE_AT(framing), 0, 0},
    {"--broadcast-every", "MS",
     "send one message to all, every MS milliseconds (0: one after another);\n"
     "with --echo or --sink; they are what `pipeport swarm --broadcasts` verifies",
     ARGS_NUMBER, SERVE_AT(broadcast_every_ms), 0, 3600000},
    {"--broadcasts", "N", "that many of them [no end]", ARGS_NUMBER, SERVE_AT(broadcasts), 1, UINT32_MAX},
    {"--broadcast-size", "BYTES", "of each, 40 or more [1K]", ARGS_SIZE, SERVE_AT(broadcast_bytes),
     PAYLOAD_HEADER_BYTES, 1u << 30},
    {"--wait-for", "N", "the first when N connections are open [1]; --until-empty waits for N too", ARGS_NUMBER,
     SERVE_AT(wait_for), 1, 1000000},
    {"--connections", "N", "open at one time; one more waits [255]", ARGS_NUMBER, SERVE_AT(connections), 1, 1000000},
    {"--accepts", "N", "idle instances kept ready [the engine's default]", ARGS_NUMBER, SERVE_AT(accepts), 1, 255},
    {"--workers", "N",
     "threads that drain the port, the main thread is one of them\n"
     "[the main thread and one for each processor]",
     ARGS_NUMBER, SERVE_AT(workers), 1, 64},
    {"--message-max", "BYTES",
     "longest message, both ways [1M; with the\nframing message what the system takes, if that is less]", ARGS_SIZE,
     SERVE_AT(message_bytes), 1, 1u << 30},
    {"--queue", "BYTES", "bound of what waits for one client\n[8 of the longest messages, at least 4M]", ARGS_SIZE,
     SERVE_AT(queue_bytes), 5, UINT32_MAX},
    {"--direction", "duplex|to-server|to-client",
     "which way messages go [duplex]; without --echo and broadcasts where the\nserver only reads, without --echo where "
     "it only writes",
     ARGS_CHOICE, SERVE_AT(direction), 0, 0},
    {"--access", "owner|local-users|group:GID|sddl:TEXT|app-containers",
     "who may connect [owner]; group on Linux only, sddl and app-containers on\nWindows only", ARGS_TEXT,
     SERVE_AT(access), 0, 0},
    {"--when-full", "refuse|drop-newest|disconnect",
     "what becomes of a message for whom --queue has no room [refuse]: it is not\n"
     "queued; the same, and a broadcast is lost without a word; who reads so late is\n"
     "disconnected. An echo waits with the first two",
     ARGS_CHOICE, SERVE_AT(when_full), 0, 0},
    {"--buffer", "BYTES", "asked of the system for each pipe and way [the engine's default]", ARGS_SIZE,
     SERVE_AT(buffer_bytes), 512, 16u << 20},
    {"--first-message", "MS", "close who sends no message for so long after connecting [never]", ARGS_NUMBER,
     SERVE_AT(first_message_ms), 1, UINT32_MAX},
    {"--idle", "MS", "close who sends nothing for so long [never]", ARGS_NUMBER, SERVE_AT(idle_ms), 1, UINT32_MAX},
    {"--write-stall", "MS", "close who reads nothing for so long while something waits\n[the engine's default]",
     ARGS_NUMBER, SERVE_AT(write_stall_ms), 1, UINT32_MAX},
    {"--seconds", "S", "end after S seconds [not by itself]", ARGS_NUMBER, SERVE_AT(seconds), 1, UINT32_MAX},
    {"--until-empty", NULL, "end when somebody was there and all have gone", ARGS_FLAG, SERVE_AT(until_empty), 0, 0},
    {"--drain", "MS", "at the end, so long for what waits to be written [5000]", ARGS_NUMBER, SERVE_AT(drain_ms), 0,
     UINT32_MAX},
    {"--fault", "lose|double|flip|swap", "spoil one echo, so that who checks echoes can be checked", ARGS_CHOICE,
     SERVE_AT(fault), 0, 0},
    {"--fault-at", "N", "the N-th of the connection that is there first, or the next one that is not empty [10]",
     ARGS_NUMBER, SERVE_AT(fault_at), 1, UINT32_MAX},
    {"--quiet", NULL, "no summary, only what is wrong", ARGS_FLAG, SERVE_AT(quiet), 0, 0},
};

static const struct args_command serve_command = {
    "serve", "NAME [options]",
    "Serves the pipe NAME. Says `listening on ADDRESS` when it does, and at the end what came, what went and whether\n"
    "the accounting balances. Ctrl-C writes what waits and ends it; a second one ends it at once.\n"
    "Exit codes: 0 all right, 1 something failed, 2 wrong arguments.",
    serve_table, sizeof(serve_table) / sizeof(serve_table[0])};

void serve_help(void)
{
    args_help(&serve_command);
}

/* Of --access; its text may go on behind the colon. */
static bool serve_read_access(const char *text, pipeport_options *options)
{
    static const struct {
        const char *word;
        uint32_t access;
    } words[] = {{"owner", PIPEPORT_ACCESS_OWNER},
                 {"local-users", PIPEPORT_ACCESS_LOCAL_USERS},
                 {"app-containers", PIPEPORT_ACCESS_APP_CONTAINERS}};
    uint64_t group = 0;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i].word) == 0) {
            options->access = words[i].access;
            return true;
        }
    }
    if (strncmp(text, "sddl:", 5) == 0) {
        options->access = PIPEPORT_ACCESS_SDDL;
        options->access_sddl = text + 5;
        return true;
    }
    if (strncmp(text, "group:", 6) != 0) {
        say_error("serve",
                  "--access: '%s' is unknown; give one of owner, local-users, group:GID, sddl:TEXT, app-containers",
                  text);
        return false;
    }
    for (const char *digit = text + 6; *digit >= '0' && *digit <= '9' && group < UINT32_MAX; digit++) {
        group = group * 10 + (uint64_t) (*digit - '0');
        if (digit[1] == '\0' && group < UINT32_MAX) {
            options->access = PIPEPORT_ACCESS_GROUP;
            options->access_group = (uint32_t) group;
            return true;
        }
    }
    say_error("serve", "--access: '%s' is no group; give its number, 0 to 4294967294", text + 6);
    return false;
}

static bool serve_settle_direction(struct serve *serve)
{
    const struct serve_options *options = &serve->options;
    bool broadcasts = options->broadcast_every_ms != SERVE_NO_BROADCASTS;
    const char *way = options->direction.text;

    if (options->topics && (options->echo || options->sink || options->direction.number != PIPEPORT_DUPLEX)) {
        say_error("serve", "--topics and %s exclude each other; give one",
                  options->echo   ? "--echo"
                  : options->sink ? "--sink"
                                  : "--direction");
        return false;
    }
    if (options->direction.number == PIPEPORT_DUPLEX) {
        serve->echoes = options->echo || (!options->sink && !broadcasts);
        return true;
    }
    if (options->echo) {
        say_error("serve", "--echo and --direction %s exclude each other; give one", way);
        return false;
    }
    if (broadcasts && options->direction.number == PIPEPORT_TO_SERVER) {
        say_error("serve", "--broadcast-every and --direction %s exclude each other; give one", way);
        return false;
    }
    return true;
}

/* What the server is to be, and whether that can be: the library's own words where it cannot. */
static int serve_settle_server(struct serve *serve)
{
    const struct serve_options *options = &serve->options;
    char why[512];
    pipeport_status status;

    serve->server_options = (pipeport_options){.size = sizeof(pipeport_options),
                                               .framing = options->framing,
                                               .connections_max = options->connections,
                                               .accepts_pending = options->accepts,
                                               .message_bytes_max = options->message_bytes,
                                               .send_queue_bytes_max = options->queue_bytes,
                                               .first_message_ms = options->first_message_ms,
                                               .idle_ms = options->idle_ms,
                                               .write_stall_ms = options->write_stall_ms,
                                               .pipe_buffer_bytes = options->buffer_bytes,
                                               .when_full = options->when_full.number,
                                               .direction = options->direction.number};
    if (options->access != NULL && !serve_read_access(options->access, &serve->server_options)) {
        return SAY_EXIT_USAGE;
    }
    status = pipeport_options_check(&serve->server_options, PIPEPORT_SERVER, why, sizeof(why));
    if (status != PIPEPORT_OK) {
        say_error("serve", "%s", why);
        return status == PIPEPORT_INVALID ? SAY_EXIT_USAGE : SAY_EXIT_FAIL;
    }
    return SAY_EXIT_OK;
}

/* What the table cannot say: how options go together. */
static bool serve_settle(struct serve *serve)
{
    struct serve_options *options = &serve->options;
    uint32_t overhead = framing_overhead_max(&options->framing);
    uint64_t queue, longest;

    if (options->message_bytes == 0 && options->framing.kind != PIPEPORT_FRAMING_MESSAGE) {
        options->message_bytes = SERVE_MESSAGE_BYTES;
    }
    longest = options->message_bytes == 0 ? SERVE_MESSAGE_BYTES : options->message_bytes;
    queue = SERVE_QUEUE_TIMES * longest;
    if (options->echo && options->sink) {
        say_error("serve", "--echo and --sink exclude each other; give one");
        return false;
    }
    if (options->broadcast_every_ms != SERVE_NO_BROADCASTS &&
        (options->framing.kind == PIPEPORT_FRAMING_DELIMITER || options->framing.flags & PIPEPORT_KEEP)) {
        say_error("serve",
                  "--broadcast-every: what is broadcast fits no delimiter and no keep; give another --framing");
        return false;
    }
    if (options->broadcast_bytes > longest) {
        say_error("serve", "--broadcast-size is above --message-max (%u); give less, or raise --message-max",
                  (unsigned) longest);
        return false;
    }
    if (options->queue_bytes == 0) {
        queue = queue < SERVE_QUEUE_LEAST ? SERVE_QUEUE_LEAST : queue;
        options->queue_bytes = queue > UINT32_MAX ? UINT32_MAX : (uint32_t) queue;
    }
    if (options->queue_bytes < longest + overhead) {
        say_error("serve", "--queue is below --message-max and %u bytes (%u); give at least that", (unsigned) overhead,
                  (unsigned) (longest + overhead));
        return false;
    }
    return serve_settle_direction(serve);
}

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

static bool serve_broadcast(struct serve *serve)
{
    struct payload payload = {.kind = PAYLOAD_KIND_BROADCAST, .tag = PAYLOAD_TAG_ALL, .sequence = serve->broadcasts};
    pipeport_message *message = NULL;
    void *room = NULL;
    uint32_t reached = 0;
    pipeport_status status;

    payload.length = serve->options.broadcast_bytes;
    status = pipeport_message_create(&message, serve->engine, &serve->options.framing, payload.length, &room);
    if (status == PIPEPORT_OK) {
        payload.made_ns = clock_now_ns();
        payload_write(&payload, room);
        payload.made_ns = clock_now_ns();
        status = pipeport_broadcast_message(serve->server, message, &reached);
        serve->broadcast_call_ns += clock_now_ns() - payload.made_ns;
        pipeport_message_release(message);
    }
    if (status != PIPEPORT_OK) {
        say_status("serve", "a broadcast was refused", status);
        return false;
    }
    serve->broadcasts++;
    serve->deliveries += reached;
    atomic_fetch_add_explicit(&serve->accepted_bytes,
                              framing_frame_bytes(&serve->options.framing, payload.length) * reached,
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

/* The main thread lends itself to the engine between its own duties, so that it needs no sleep. */
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
static int serve_live(struct serve *serve, const char *name)
{
    pipeport_status status = serve_listen(serve, name);
    bool fine;

    if (status == PIPEPORT_INVALID) { /* The engine's log has said why. */
        if (serve->options.access != NULL) {
            say_error("serve", "with --access %s the NAME is an absolute path on Linux; give one",
                      serve->options.access);
        }
        return SAY_EXIT_USAGE;
    }
    if (status != PIPEPORT_OK) {
        say_error("serve", "'%s' cannot be served: %s (status %d)", name, pipeport_status_text(status), (int) status);
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
    const char *name;
    pipeport_status status;
    int code;

    serve.options = (struct serve_options){.broadcast_every_ms = SERVE_NO_BROADCASTS,
                                           .broadcast_bytes = 1024,
                                           .wait_for = 1,
                                           .connections = 255,
                                           .drain_ms = 5000,
                                           .fault_at = 10};
    switch (args_parse(&serve_command, count, arguments, &serve.options, &name)) {
    case ARGS_HELP:
        return SAY_EXIT_OK;
    case ARGS_WRONG:
        return SAY_EXIT_USAGE;
    case ARGS_GO:
        break;
    }
    if (!serve_settle(&serve)) {
        return SAY_EXIT_USAGE;
    }
    code = serve_settle_server(&serve);
    if (code != SAY_EXIT_OK) {
        return code;
    }
    if (!system_allows(who, serve.options.connections)) {
        return SAY_EXIT_FAIL;
    }
    engine.workers = serve.options.workers == 1  ? PIPEPORT_HOST_THREADS
                     : serve.options.workers > 1 ? serve.options.workers - 1
                                                 : 0;
    status = pipeport_engine_create(&serve.engine, &engine);
    if (status != PIPEPORT_OK) {
        say_status("serve", "the engine cannot start", status);
        return SAY_EXIT_FAIL;
    }
    interrupt_watch();
    code = serve_live(&serve, name);
    if (pipeport_engine_destroy(serve.engine) != PIPEPORT_OK) {
        say_error("serve", "the engine did not end");
        return SAY_EXIT_FAIL;
    }
    return code;
}
