/* SPDX-License-Identifier: MIT */
#include "bench/generator/options.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/generator/assertions.h"
#include "bench/generator/machine.h"
#include "bench/generator/sizes.h"
#include "tools/pipeport/framing.h"
#include "tools/pipeport/say.h"

#define OPTIONS_AT(member) offsetof(struct options, member)
#define OPTIONS_FRAMING "len:0,4,le,0"
#define OPTIONS_TIME_MS_MAX (7.0 * 86400000.0)
#define OPTIONS_DEPTH 16u            /* Of the modes that want one, where it is not given. */
#define OPTIONS_BROADCAST_RATED 256u /* Broadcasts under way at most, in an open loop. */

/* As typed. What is 0 or NULL was not given. */
struct options {
    struct args_word mode;
    bool self, verify;
    uint32_t connections, threads, depth, ramp, count, seed, repeat, server_pid;
    const char *size, *duration, *warmup, *rate, *slow, *kill_rate, *framing, *timeout;
    const char *json, *hgrm, *html, *assertions;
};

static const struct args_option options_table[] = {
    {"--self", NULL, "a server of our own, in a process of its own; no NAME then", ARGS_FLAG, OPTIONS_AT(self), 0, 0},
    {"--mode", "ping-pong|pipelined|one-way|broadcast|churn|idle",
     "ping-pong: one message in flight on each connection; pipelined: --depth of them; one-way: only sent; broadcast: "
     "the last connection asks, and the server sends what it asks to all; churn: connect, exchange one message, close; "
     "idle: connect, exchange one message and hold, for the server's memory [ping-pong; with --depth above 1 "
     "pipelined]",
     ARGS_CHOICE, OPTIONS_AT(mode), 0, 0},
    {"--connections", "N", "connections; churn: at a time [64]", ARGS_NUMBER, OPTIONS_AT(connections), 1, 65536},
    {"--threads", "T", "threads that send and receive [half of the processors]", ARGS_NUMBER, OPTIONS_AT(threads), 1,
     64},
    {"--depth", "D", "messages in flight on each connection [16]; broadcast: in all [1; with --rate 256]", ARGS_NUMBER,
     OPTIONS_AT(depth), 1, 65536},
    {"--ramp", "N", "connect N a second [as fast as they come]", ARGS_NUMBER, OPTIONS_AT(ramp), 1, 1000000},
    {"--size", "S[,S...]",
     "bytes of the messages [64]: one, a list 64,1K, a range 64-4K, any of them with a weight 64*9,64K*1; K, M and G "
     "multiply by 1024; each is drawn anew",
     ARGS_TEXT, OPTIONS_AT(size), 0, 0},
    {"--duration", "TIME", "measured time, 10s, 500ms or 2m [10s]", ARGS_TEXT, OPTIONS_AT(duration), 0, 0},
    {"--count", "N", "measured messages of all connections, instead of a time", ARGS_NUMBER, OPTIONS_AT(count), 1,
     UINT32_MAX},
    {"--warmup", "TIME", "not measured, before it [1s; with --count or --mode idle 0s]", ARGS_TEXT, OPTIONS_AT(warmup),
     0, 0},
    {"--rate", "R",
     "open loop: plan R messages a second of all connections, send each at its planned moment whatever came back, and "
     "count latency from that moment; K and M multiply by 1000 [closed loop: send when something came back]",
     ARGS_TEXT, OPTIONS_AT(rate), 0, 0},
    {"--slow-readers", "N%", "so many of 100 connections ask and never read, 0 to 99 [0%]", ARGS_TEXT, OPTIONS_AT(slow),
     0, 0},
    {"--kill-rate", "R", "abort R connections a second and connect them anew [0]", ARGS_TEXT, OPTIONS_AT(kill_rate), 0,
     0},
    {"--verify", NULL, "check number and checksum of each message [its length only]", ARGS_FLAG, OPTIONS_AT(verify), 0,
     0},
    {"--seed", "X", "what sizes, contents and who is killed grow from [1]", ARGS_NUMBER, OPTIONS_AT(seed), 0,
     UINT32_MAX},
    {"--framing", FRAMING_OPERAND, FRAMING_TEXT, ARGS_TEXT, OPTIONS_AT(framing), 0, 0},
    {"--repeat", "N", "runs, one after the other [1]", ARGS_NUMBER, OPTIONS_AT(repeat), 1, 1000},
    {"--server-pid", "PID", "whose processor time and memory to tell [whoever is at the other end]", ARGS_NUMBER,
     OPTIONS_AT(server_pid), 1, UINT32_MAX},
    {"--timeout", "TIME", "end when so long nothing came while something is due [10s]", ARGS_TEXT, OPTIONS_AT(timeout),
     0, 0},
    {"--json", "FILE", "write everything that was found, for `compare` and other programs", ARGS_TEXT, OPTIONS_AT(json),
     0, 0},
    {"--hgrm", "FILE", "write the percentiles in HdrHistogram's format", ARGS_TEXT, OPTIONS_AT(hgrm), 0, 0},
    {"--html", "FILE", "write a page with curves and tables", ARGS_TEXT, OPTIONS_AT(html), 0, 0},
    {"--assert", "LIST", "what must hold, such as 'p99<200us,errors=0'; else the exit code is 1", ARGS_TEXT,
     OPTIONS_AT(assertions), 0, 0},
};

const struct args_command options_command = {
    "run", "[NAME] [options]",
    "Loads the server of the pipe NAME, which sends each message back in the --framing, and tells how many a second it "
    "was and how long each took. Broadcast mode: the server sends each message that it gets to all its connections, "
    "the sender too. One-way mode: it reads.\n"
    "Exit codes: 0 all right, 1 something was wrong, 2 wrong arguments.",
    options_table, sizeof(options_table) / sizeof(options_table[0])};

/* A decimal number with a fraction perhaps, and what stands behind it; NULL where there is none. */
static const char *options_take_decimal(const char *text, double *value)
{
    double scale = 1.0;
    const char *start = text;

    *value = 0.0;
    for (; *text >= '0' && *text <= '9'; text++) {
        *value = *value * 10.0 + (*text - '0');
    }
    if (text == start || text - start > 12) {
        return NULL;
    }
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9'; text++) {
            scale /= 10.0;
            *value += (*text - '0') * scale;
        }
    }
    return text;
}

bool options_take_time(const char *text, uint32_t *ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1.0}, {"s", 1e3}, {"", 1e3}, {"m", 6e4}, {"h", 3.6e6}};
    double value;
    const char *unit = options_take_decimal(text, &value);

    for (size_t i = 0; unit != NULL && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(unit, units[i].unit) == 0 && value * units[i].ms <= OPTIONS_TIME_MS_MAX) {
            *ms = (uint32_t) (value * units[i].ms + 0.5);
            return true;
        }
    }
    return false;
}

bool options_take_rate(const char *text, double *per_s)
{
    const char *unit = options_take_decimal(text, per_s);

    if (unit == NULL) {
        return false;
    }
    if (*unit == 'K' || *unit == 'k') {
        *per_s *= 1e3;
        unit++;
    } else if (*unit == 'M') {
        *per_s *= 1e6;
        unit++;
    }
    return *unit == '\0' && *per_s > 0 && *per_s <= 1e8;
}

static bool options_time(const char *word, const char *text, uint32_t *ms)
{
    if (text != NULL && !options_take_time(text, ms)) {
        say_error("run", "%s: '%s' is no time up to a week; give one such as 10s, 500ms or 2m", word, text);
        return false;
    }
    return true;
}

static bool options_rate(const char *word, const char *text, double *per_s)
{
    if (text != NULL && !options_take_rate(text, per_s)) {
        say_error("run", "%s: '%s' is no rate above 0 and up to 100M; give one such as 1000, 2.5K or 1M", word, text);
        return false;
    }
    return true;
}

/* The default, given by hand. */
static bool options_is_zero(const char *text)
{
    return text != NULL && strcmp(text, "0") == 0;
}

/* "25%", or "25" alone. */
static bool options_slow(const char *text, uint32_t *percent)
{
    const char *at = text;

    *percent = 0;
    if (text == NULL) {
        return true;
    }
    for (; *at >= '0' && *at <= '9' && at - text < 2; at++) {
        *percent = *percent * 10 + (uint32_t) (*at - '0');
    }
    if (at == text || strcmp(at, *at == '%' ? "%" : "") != 0) {
        say_error("run", "--slow-readers: '%s' is no part of 100 connections; give one such as 5%% or 25%%", text);
        return false;
    }
    return true;
}

static bool options_framing_says(const struct plan *plan, uint32_t bytes)
{
    if (!framing_says(&plan->framing, bytes)) {
        say_error("run",
                  "--framing: the length field of %s cannot tell of a message of %u bytes; give another --size or a "
                  "--framing that can",
                  plan->framing_text, (unsigned) bytes);
        return false;
    }
    return true;
}

/* Not every framing carries every message. */
static bool options_framing_carries(const struct plan *plan)
{
    const pipeport_framing *framing = &plan->framing;

    if (framing->flags & PIPEPORT_KEEP && framing->kind == PIPEPORT_FRAMING_LENGTH) {
        say_error("run", "--framing: keep changes nothing on the wire; leave it out here");
        return false;
    }
    if (plan->verify && (framing->kind == PIPEPORT_FRAMING_NONE || framing->kind == PIPEPORT_FRAMING_DELIMITER)) {
        say_error("run",
                  "--verify: what is verified are whole messages that hold every byte, which %s does not carry; "
                  "leave --verify out or give another --framing",
                  plan->framing_text);
        return false;
    }
    if (framing->kind == PIPEPORT_FRAMING_NONE && (plan->mode == PLAN_BROADCAST)) {
        say_error("run", "--framing: with none there are no messages to deliver; give another");
        return false;
    }
    if ((framing->kind == PIPEPORT_FRAMING_NONE || framing->kind == PIPEPORT_FRAMING_MESSAGE) &&
        sizes_shortest(plan) == 0) {
        say_error("run", "--size: an empty message cannot be sent in the framing %s; give 1 or more",
                  plan->framing_text);
        return false;
    }
    return options_framing_says(plan, sizes_shortest(plan)) && options_framing_says(plan, sizes_longest(plan)) &&
           (plan->mode != PLAN_BROADCAST || options_framing_says(plan, 1)); /* It calls with that. */
}

/* A part of so few connections may be nobody. */
static bool options_slow_are_some(const struct plan *plan)
{
    uint32_t percent = plan->slow_percent;

    if (percent > 0 && plan_readers(plan) == plan->connections) {
        say_error("run", "--slow-readers: %u%% of %u connection%s is less than one; give --connections %u or more%s",
                  (unsigned) percent, (unsigned) plan->connections, plan->connections == 1 ? "" : "s",
                  (unsigned) ((100 + percent - 1) / percent),
                  plan->connections == 1 ? "" : ", or a larger part of them");
        return false;
    }
    return true;
}

/* How options go together. */
static bool options_fit(const struct options *options, const struct plan *plan)
{
    const char *mode = plan_mode_text(plan->mode);

    if ((plan->name == NULL) != plan->self) {
        say_error("run",
                  plan->self ? "--self makes its own server: leave the NAME '%s' out, or leave --self out"
                             : "no NAME; write pipeport-bench run NAME, or --self for a server of our own%.0s",
                  plan->name == NULL ? "" : plan->name);
        return false;
    }
    if (options->duration != NULL && options->count != 0) {
        say_error("run", "--duration and --count both say how long; give one");
        return false;
    }
    if (plan->mode == PLAN_PING_PONG && options->depth > 1) {
        say_error("run", "--depth: ping-pong has one message in flight; give --mode pipelined");
        return false;
    }
    if ((plan->mode == PLAN_CHURN || plan->mode == PLAN_IDLE) && options->depth != 0) {
        say_error("run", "--depth: %s has one message on each connection; leave it out", mode);
        return false;
    }
    if (plan->rate_per_s > 0 && plan->mode != PLAN_BROADCAST && options->depth != 0) {
        say_error("run",
                  "--depth bounds a closed loop; with --rate each message goes at its moment, whatever is in flight; "
                  "give one of them");
        return false;
    }
    if (plan->rate_per_s > 0 && (plan->mode == PLAN_CHURN || plan->mode == PLAN_IDLE)) {
        say_error("run", "--rate plans messages, and %s has none to plan; leave it out (--ramp bounds connecting)",
                  mode);
        return false;
    }
    if (plan->kill_per_s > 0 && (plan->mode == PLAN_BROADCAST || plan->mode == PLAN_CHURN || plan->mode == PLAN_IDLE)) {
        say_error("run", "--kill-rate: who is killed would be missed in %s; give ping-pong, pipelined or one-way",
                  mode);
        return false;
    }
    if (plan->slow_percent > 0 && (plan->mode == PLAN_CHURN || plan->mode == PLAN_IDLE)) {
        say_error("run", "--slow-readers: in %s nobody has enough to read; leave it out", mode);
        return false;
    }
    if (plan->mode == PLAN_IDLE && plan->count != 0) {
        say_error("run", "--count: idle holds connections for a time; give --duration");
        return false;
    }
    return true;
}

static bool options_ms(const struct options *options, struct plan *plan)
{
    plan->warmup_ms = options->count != 0 || plan->mode == PLAN_IDLE ? 0 : 1000;
    plan->duration_ms = 10000;
    plan->silence_ms = 10000;
    if (!options_time("--duration", options->duration, &plan->duration_ms) ||
        !options_time("--warmup", options->warmup, &plan->warmup_ms) ||
        !options_time("--timeout", options->timeout, &plan->silence_ms)) {
        return false;
    }
    if (plan->duration_ms == 0 || plan->silence_ms == 0) {
        say_error("run", "%s: nothing can be measured in no time; give 1ms or more",
                  plan->duration_ms == 0 ? "--duration" : "--timeout");
        return false;
    }
    plan->duration_ms = options->count != 0 ? 0 : plan->duration_ms;
    return true;
}

static bool options_assertions(const char *text)
{
    struct assertions assertions;
    struct assertions_fault fault;

    if (text != NULL && !assertions_read(text, &assertions, &fault)) {
        say_error("run", "--assert: %s", fault.text);
        return false;
    }
    return true;
}

static void options_set_depth(const struct options *options, struct plan *plan)
{
    plan->mode = options->mode.text == NULL && options->depth > 1 ? PLAN_PIPELINED
                                                                  : (enum plan_mode) options->mode.number;
    plan->depth = options->depth;
    if (plan->depth == 0) {
        plan->depth = plan->mode == PLAN_PIPELINED || plan->mode == PLAN_ONE_WAY ? OPTIONS_DEPTH
                      : plan->mode == PLAN_BROADCAST && options->rate != NULL    ? OPTIONS_BROADCAST_RATED
                                                                                 : 1;
    }
}

static bool options_settle(const struct options *options, struct plan *plan)
{
    struct sizes_fault size_fault;
    struct framing_fault framing_fault;

    options_set_depth(options, plan);
    plan->self = options->self;
    plan->verify = options->verify;
    plan->connections = options->connections;
    plan->threads = options->threads != 0 ? options->threads : (machine_processors() + 1) / 2;
    plan->threads = plan->threads > 64 ? 64 : plan->threads;
    plan->ramp_per_s = options->ramp;
    plan->count = options->count;
    plan->seed = options->seed;
    plan->repeat = options->repeat;
    plan->server_pid = options->server_pid;
    plan->json = options->json;
    plan->hgrm = options->hgrm;
    plan->html = options->html;
    plan->assertions = options->assertions;
    plan->framing_text = options->framing;
    if (!framing_read(options->framing, &plan->framing, &framing_fault)) {
        say_error("run", "--framing: %s", framing_fault.text);
        return false;
    }
    if (!sizes_read(options->size, plan, &size_fault)) {
        say_error("run", "--size: %s", size_fault.text);
        return false;
    }
    return options_rate("--rate", options->rate, &plan->rate_per_s) &&
           (options_is_zero(options->kill_rate) ||
            options_rate("--kill-rate", options->kill_rate, &plan->kill_per_s)) &&
           options_slow(options->slow, &plan->slow_percent) && options_ms(options, plan) &&
           options_assertions(options->assertions) && options_fit(options, plan) && options_slow_are_some(plan) &&
           options_framing_carries(plan);
}

/* Each of the files that are asked for has a name, and one of its own: the later would replace the earlier. */
static bool options_files(const struct options *options)
{
    const struct {
        const char *word, *path;
    } files[] = {{"--json", options->json}, {"--hgrm", options->hgrm}, {"--html", options->html}};

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (files[i].path != NULL && files[i].path[0] == '\0') {
            say_error("run", "%s: the name of a file is empty; give one, or leave %s out", files[i].word,
                      files[i].word);
            return false;
        }
        for (size_t j = 0; files[i].path != NULL && j < i; j++) {
            if (files[j].path != NULL && strcmp(files[j].path, files[i].path) == 0) {
                say_error("run", "%s and %s: both would be written to '%s'; give two names", files[j].word,
                          files[i].word, files[i].path);
                return false;
            }
        }
    }
    return true;
}

enum args_result options_read(int count, char **arguments, struct plan *plan)
{
    struct options options = {.connections = 64, .size = "64", .seed = 1, .repeat = 1, .framing = OPTIONS_FRAMING};
    enum args_result result = args_parse(&options_command, count, arguments, &options, &plan->name);

    if (result == ARGS_GO && (!options_files(&options) || !options_settle(&options, plan))) {
        return ARGS_WRONG;
    }
    return result;
}
