/* SPDX-License-Identifier: MIT */
#include "bench/generator/self.h"

#include <stddef.h>
#include <stdio.h>

#include "bench/generator/machine.h"
#include "bench/generator/sizes.h"
#include "bench/generator/words.h"
#include "tools/pipeport/args.h"
#include "tools/pipeport/framing.h"
#include "tools/pipeport/log.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/system.h"

#define SELF_AT(member) offsetof(struct self_options, member)
#define SELF_QUEUE_LEAST (4u << 20)
#define SELF_MESSAGE_LEAST (1u << 20)
#define SELF_DRAIN_MS 1000
#define SELF_WAIT_MS 10000 /* For its server to begin, and to end. */
#define SELF_PATH_BYTES 4096

enum self_way { SELF_ECHO, SELF_SWALLOW, SELF_BROADCAST }; /* In the order of the words of --way. */

struct self_options {
    pipeport_framing framing;
    uint32_t connections, threads, message_bytes, queue_bytes;
    struct args_word way;
};

struct self {
    struct self_options options;
    pipeport_engine *engine;
    pipeport_server *server;
};

static const struct args_option self_table[] = {
    {"--connections", "N", "connections at a time", ARGS_NUMBER, SELF_AT(connections), 1, 1000000},
    {"--threads", "T", "workers of the engine [one per processor]", ARGS_NUMBER, SELF_AT(threads), 0, 64},
    {"--framing", FRAMING_OPERAND, FRAMING_TEXT, ARGS_FRAMING, SELF_AT(framing), 0, 0},
    {"--message-max", "BYTES", "longest message", ARGS_SIZE, SELF_AT(message_bytes), 1, 1u << 30},
    {"--queue", "BYTES", "bound of what waits for one connection", ARGS_SIZE, SELF_AT(queue_bytes), 5, UINT32_MAX},
    {"--way", "echo|swallow|broadcast", "what becomes of a message", ARGS_CHOICE, SELF_AT(way), 0, 0},
};

static const struct args_command self_command = {"serve-self", "NAME [options]",
                                                 "The server of `run --self`. It serves until its stdin ends.",
                                                 self_table, sizeof(self_table) / sizeof(self_table[0])};

static void self_echo(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    const struct self *self = user;

    (void) state;
    (void) pipeport_send(self->engine, conn, data, length); /* FULL and GONE: the load misses it, and says so. */
}

static void self_swallow(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    (void) user, (void) state, (void) conn, (void) data, (void) length;
}

static void self_broadcast(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    const struct self *self = user;

    (void) state, (void) conn;
    (void) pipeport_broadcast(self->server, data, length, NULL);
}

static int self_serve(struct self *self, const char *name)
{
    static char who[] = "serve-self";
    static void (*const ways[])(void *, void *, pipeport_conn, const void *, size_t) = {self_echo, self_swallow,
                                                                                        self_broadcast};
    pipeport_engine_options engine = {
        .size = sizeof engine, .workers = self->options.threads, .log = log_line, .log_user = who};
    pipeport_options options = {.size = sizeof options,
                                .framing = self->options.framing,
                                .connections_max = self->options.connections,
                                .message_bytes_max = self->options.message_bytes,
                                .send_queue_bytes_max = self->options.queue_bytes,
                                .write_stall_ms = UINT32_MAX};
    pipeport_events events = {.size = sizeof events, .user = self, .message = ways[self->options.way.number]};
    pipeport_status status = pipeport_engine_create(&self->engine, &engine);

    if (status != PIPEPORT_OK) {
        say_status(who, "the engine cannot start", status);
        return SAY_EXIT_FAIL;
    }
    status = pipeport_server_start(&self->server, self->engine, name, &options, &events);
    if (status == PIPEPORT_OK) {
        say("listening on %s", pipeport_server_address(self->server)); /* Whoever started it waits for that. */
        while (getchar() != EOF) {                                     /* Whoever holds the other end says when. */
        }
    } else {
        say_status(who, "it cannot serve", status);
    }
    pipeport_server_stop(self->server, SELF_DRAIN_MS);
    return pipeport_engine_destroy(self->engine) == PIPEPORT_OK && status == PIPEPORT_OK ? SAY_EXIT_OK : SAY_EXIT_FAIL;
}

int self_main(int count, char **arguments)
{
    static struct self self; /* The events keep pointing at it. */
    const char *name;
    enum args_result read;

    self.options.connections = 255;
    read = args_parse(&self_command, count, arguments, &self.options, &name);
    if (read != ARGS_GO) {
        return args_exit(read);
    }
    return system_allows("serve-self", self.options.connections) ? self_serve(&self, name) : SAY_EXIT_FAIL;
}

/* All that may be on its way to one connection fits its queue: what `depth` asks for, and of a broadcast all of it; and
 * a message of `longest` beside. Where that is more than a queue can be told to hold, as much as it can. */
static uint32_t self_queue_bytes(const struct plan *plan, uint32_t longest)
{
    uint64_t frame = (uint64_t) sizes_longest(plan) + framing_overhead_max(&plan->framing);
    uint64_t bytes = frame * ((uint64_t) plan->depth + 1);

    bytes = bytes < SELF_QUEUE_LEAST ? SELF_QUEUE_LEAST : bytes;
    bytes = plan->rate_per_s > 0 && bytes < 16 * SELF_QUEUE_LEAST ? 16 * SELF_QUEUE_LEAST : bytes;
    bytes += longest;
    return bytes > UINT32_MAX ? UINT32_MAX : (uint32_t) bytes;
}

static void self_add_words(const struct plan *plan, struct words *words)
{
    static const char *const ways[] = {"echo", "swallow", "broadcast"};
    uint32_t longest = sizes_longest(plan);
    enum self_way way = plan->mode == PLAN_ONE_WAY     ? SELF_SWALLOW
                        : plan->mode == PLAN_BROADCAST ? SELF_BROADCAST
                                                       : SELF_ECHO;

    if (plan->framing.kind != PIPEPORT_FRAMING_MESSAGE && longest < SELF_MESSAGE_LEAST) {
        longest = SELF_MESSAGE_LEAST;
    }
    words_add(words, "serve-self");
    words_add(words, plan->name);
    /* Churn: whoever comes again may be there before the server has seen him go. */
    words_add_number(words, "--connections", plan->connections * (plan->mode == PLAN_CHURN ? 2 : 1) + 8);
    words_add_number(words, "--message-max", longest);
    words_add_number(words, "--queue", self_queue_bytes(plan, longest));
    words_add(words, "--way");
    words_add(words, ways[way]);
    words_add(words, "--framing");
    words_add(words, plan->framing_text);
}

struct process *self_start(const struct plan *plan)
{
    struct process_how how = {.processor = PROCESS_ANY_PROCESSOR, .errors_apart = true};
    char program[SELF_PATH_BYTES];
    struct words words = {.count = 0};
    struct process *server = NULL;

    if (machine_program(program, sizeof program)) {
        words_add(&words, program);
        self_add_words(plan, &words);
        server = process_start(&words, how);
    }
    if (server == NULL) {
        say_error("run", "--self: its server cannot be started: the system refuses another process; start a server "
                         "by hand and give its NAME");
    }
    return server;
}

bool self_serves(struct process *server)
{
    char line[256];
    enum process_heard heard = process_hear(server, PROCESS_LISTENING, SELF_WAIT_MS, line, sizeof line);

    if (heard == PROCESS_HEARD_END || heard == PROCESS_HEARD_NOTHING) {
        say_error("run", "--self: its server did not begin to serve");
    }
    return heard == PROCESS_HEARD;
}

bool self_end(struct process *server)
{
    bool well = server == NULL || (process_ends(server, SELF_WAIT_MS) && process_ended_well(server));

    process_end(server, 0);
    return well;
}
