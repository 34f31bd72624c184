/* SPDX-License-Identifier: MIT */
#include "bench/generator/peers_options.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "bench/generator/options.h"
#include "tools/pipeport/say.h"

#define PEERS_OPTIONS_AT(member) offsetof(struct peers_options, member)
#define PEERS_OPTIONS_LIST_BYTES 256
#define PEERS_OPTIONS_MS_MAX 3600000u
#define PEERS_OPTIONS_WARMUP_MS_MAX 60000u /* As the load has it. */

/* As typed. What is NULL was not given. */
struct peers_options {
    struct args_word mode;
    bool list;
    uint32_t connections, depth, bytes, rounds;
    const char *duration, *warmup, *only, *without, *bin, *json;
};

static const struct args_option peers_options_table[] = {
    {"--mode", "echo|broadcast|churn|idle",
     "echo: --depth messages in flight on each connection, each is sent back; broadcast: the last connection asks, and "
     "the server sends what it asks to all; churn: connect, exchange one message, close; idle: exchange one message "
     "and hold, for the server's memory [echo]",
     ARGS_CHOICE, PEERS_OPTIONS_AT(mode), 0, 0},
    {"--connections", "N", "connections; churn: at a time [64]", ARGS_NUMBER, PEERS_OPTIONS_AT(connections), 1, 10000},
    {"--depth", "D", "messages in flight on each connection; broadcast: in all [1]", ARGS_NUMBER,
     PEERS_OPTIONS_AT(depth), 1, 65536},
    {"--size", "S", "bytes of the messages [64]; K and M multiply by 1024", ARGS_SIZE, PEERS_OPTIONS_AT(bytes), 16,
     16u << 20},
    {"--rounds", "N", "visits to each server [5]", ARGS_NUMBER, PEERS_OPTIONS_AT(rounds), CONTEST_ROUNDS_MIN,
     CONTEST_ROUNDS_MAX},
    {"--duration", "TIME", "measured time of a visit, 1s or 500ms [1s]", ARGS_TEXT, PEERS_OPTIONS_AT(duration), 0, 0},
    {"--warmup", "TIME", "not measured, before it [200ms]", ARGS_TEXT, PEERS_OPTIONS_AT(warmup), 0, 0},
    {"--only", PEERS_OPTIONS_PEERS, "these, and pipeport [all that are there]", ARGS_TEXT, PEERS_OPTIONS_AT(only), 0,
     0},
    {"--without", PEERS_OPTIONS_PEERS, "all but these", ARGS_TEXT, PEERS_OPTIONS_AT(without), 0, 0},
    {"--bin", "DIR", "where the servers and the load are [beside this program]", ARGS_TEXT, PEERS_OPTIONS_AT(bin), 0,
     0},
    {"--json", "FILE", "write everything that was found, each round of it", ARGS_TEXT, PEERS_OPTIONS_AT(json), 0, 0},
    {"--list", NULL, "say which peers there are, and whether they are here; nothing is started", ARGS_FLAG,
     PEERS_OPTIONS_AT(list), 0, 0},
};

const struct args_command peers_options_command = {
    "peers", "[options]",
    "Compares pipeport's server with servers on other libraries and schemes, in one run: all are started, and a load "
    "visits them in turn, A B C A B C ... Each round gives the ratio of pipeport's figure to that of each peer. The "
    "load is none of theirs: it is a program of raw system calls, which checks every reply. Only where the protocol is "
    "a library's own, its client visits: nng and ZeroMQ, on Linux, with the same checks; nng-raw and zeromq-raw are "
    "the same servers visited by the raw load, which speaks their protocols too, so that no client takes its part. On "
    "Linux all servers run on one processor and the load on another.\n"
    "Exit codes: 0 all right, 1 a server failed or nothing was compared, 2 wrong arguments.",
    peers_options_table, sizeof(peers_options_table) / sizeof(peers_options_table[0])};

/* Sets `wanted` of each peer in the list to `value`. */
static bool peers_options_mark(const char *word, const char *list, bool value, struct contest_plan *plan)
{
    char all[PEERS_OPTIONS_LIST_BYTES];

    for (const char *at = list;;) {
        size_t length = strcspn(at, ","), found = rival_find(at, length);

        if (found == rivals_count) {
            rival_list(all, sizeof all);
            say_error("peers", "%s: '%.*s' is no peer on this system; give some of %s", word, (int) length, at, all);
            return false;
        }
        if (found == 0 && !value) {
            say_error("peers", "%s: %s is what the others are compared with; leave it in", word, rivals[0]->word);
            return false;
        }
        plan->wanted[found] = value;
        at += length;
        if (*at == '\0') {
            return true;
        }
        at++;
    }
}

static bool peers_options_choose(const struct peers_options *options, struct contest_plan *plan)
{
    const char *word = options->only != NULL ? "--only" : "--without";

    if (options->only != NULL && options->without != NULL) {
        say_error("peers", "--only and --without both choose the peers; give one");
        return false;
    }
    for (size_t i = 0; i < rivals_count; i++) {
        plan->wanted[i] = i == 0 || options->only == NULL;
    }
    if ((options->only != NULL && !peers_options_mark(word, options->only, true, plan)) ||
        (options->without != NULL && !peers_options_mark(word, options->without, false, plan))) {
        return false;
    }
    for (size_t i = 1; i < rivals_count; i++) {
        if (plan->wanted[i]) {
            return true;
        }
    }
    say_error("peers", "%s: it leaves nobody to compare %s with; leave one in", word, rivals[0]->word);
    return false;
}

static bool peers_options_time(const char *word, const char *text, uint32_t most_ms, uint32_t *ms)
{
    if (text == NULL) {
        return true;
    }
    if (!options_take_time(text, ms) || *ms > most_ms) {
        say_error("peers", "%s: '%s' is no time up to %" PRIu32 " s; give one such as 1s or 500ms", word, text,
                  most_ms / 1000);
        return false;
    }
    return true;
}

static bool peers_options_times(const struct peers_options *options, struct rival_task *task)
{
    task->duration_ms = 1000;
    task->warmup_ms = 200;
    if (!peers_options_time("--duration", options->duration, PEERS_OPTIONS_MS_MAX, &task->duration_ms) ||
        !peers_options_time("--warmup", options->warmup, PEERS_OPTIONS_WARMUP_MS_MAX, &task->warmup_ms)) {
        return false;
    }
    if (task->duration_ms == 0) {
        say_error("peers", "--duration: nothing can be measured in no time; give 1ms or more");
        return false;
    }
    if (task->mode == RIVAL_IDLE && (options->duration != NULL || options->warmup != NULL)) {
        say_error("peers", "%s: in idle nothing is timed; leave it out",
                  options->duration != NULL ? "--duration" : "--warmup");
        return false;
    }
    return true;
}

/* How options go together, and what is not on every system. */
static bool peers_options_fit(const struct rival_task *task)
{
    const char *mode = rival_mode_text(task->mode);

    if (task->depth > 1 && (task->mode == RIVAL_CHURN || task->mode == RIVAL_IDLE)) {
        say_error("peers", "--depth: %s exchanges one message on each connection; leave it out", mode);
        return false;
    }
    if (task->depth > rival_depth_max) {
        say_error("peers", "--depth: on this system the load keeps %" PRIu32 " in flight at most; give that or less",
                  rival_depth_max);
        return false;
    }
    if (task->bytes > rival_bytes_max) {
        say_error("peers", "--size: on this system the load sends %" PRIu32 " bytes at most; give that or less",
                  rival_bytes_max);
        return false;
    }
    return true;
}

static bool peers_options_settle(const struct peers_options *options, struct contest_plan *plan)
{
    plan->task.mode = (enum rival_mode) options->mode.number;
    plan->task.connections = options->connections;
    plan->task.depth = options->depth;
    plan->task.bytes = options->bytes;
    plan->rounds = options->rounds;
    plan->bin = options->bin;
    plan->json = options->json;
    plan->list = options->list;
    if (plan->json != NULL && plan->json[0] == '\0') {
        say_error("peers", "--json: the name of a file is empty; give one, or leave --json out");
        return false;
    }
    return peers_options_choose(options, plan) && peers_options_times(options, &plan->task) &&
           peers_options_fit(&plan->task);
}

enum args_result peers_options_read(int count, char **arguments, struct contest_plan *plan)
{
    struct peers_options options = {.connections = 64, .depth = 1, .bytes = 64, .rounds = CONTEST_ROUNDS_MIN};
    const char *name = NULL;
    enum args_result result = args_parse(&peers_options_command, count, arguments, &options, &name);

    if (result == ARGS_GO && name != NULL) {
        say_error("peers", "'%s': there is no NAME, as the servers are started here; leave it out", name);
        return ARGS_WRONG;
    }
    if (result == ARGS_GO && !peers_options_settle(&options, plan)) {
        return ARGS_WRONG;
    }
    return result;
}
