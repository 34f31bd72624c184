/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/carriage.h"
#include "tools/pipeport/framing.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/swarm.h"

#define OPTIONS_AT(member) offsetof(struct swarm_options, member)
#define OPTIONS_NO_MESSAGES UINT32_MAX /* --messages was not given. */
#define OPTIONS_SIZE 64

static const struct args_option options_table[] = {
    {"--connections", "N", "clients [1]", ARGS_NUMBER, OPTIONS_AT(connections), 1, 1000000},
    {"--messages", "M", "messages of each client [100]; 0: only listen for broadcasts", ARGS_NUMBER,
     OPTIONS_AT(messages), 0, UINT32_MAX - 1},
    {"--size", "S[,S...]",
     "bytes of the messages, in turn [64, with --topics 80]; K, M, G multiply by 1024; 0 is a size, but not with "
     "--topics nor in the framings message and none",
     ARGS_SIZES, OPTIONS_AT(sizes), 0, 1u << 30},
    {"--framing", FRAMING_OPERAND, FRAMING_TEXT, ARGS_FRAMING, OPTIONS_AT(pipe.framing), 0, 0},
    {"--direction", PIPE_OPTIONS_DIRECTION,
     "which way messages go, as the server says it [duplex]; to-server: only send (`pipeport serve --verify` looks at "
     "what comes); to-client: only listen",
     ARGS_CHOICE, OPTIONS_AT(pipe.direction), 0, 0},
    {"--topics", "T",
     "instead of echoes, for a server with --topics: each client subscribes to one of T topics and sends to all of "
     "them in turn; each message must come to the topic's subscribers and to nobody else",
     ARGS_NUMBER, OPTIONS_AT(topics), 1, 4096},
    {"--depth", "D", "messages of one client in flight [1]", ARGS_NUMBER, OPTIONS_AT(depth), 1, 65536},
    {"--threads", "T",
     "that drain the port; 1 is the main thread alone [one for each processor; on Windows the main one, too]",
     ARGS_NUMBER, OPTIONS_AT(threads), 1, 64},
    {"--broadcasts", "N",
     "expect exactly N broadcasts on every connection, from the first on, and wait for them [check what comes]; in the "
     "framing none each of --size bytes",
     ARGS_NUMBER, OPTIONS_AT(broadcasts), 0, 100000000},
    {"--access", "user:ID|process:N",
     "the server must be this user's (a uid; on Windows a SID), or this process [any]; who may connect is the server's "
     "to say (`pipeport serve --access`)",
     ARGS_TEXT, OPTIONS_AT(pipe.access), 0, 0},
    {"--when-full", PIPE_OPTIONS_WHEN_FULL,
     "what becomes of a message for whom --queue has no room [refuse]: it waits; the connection ends. drop-newest is "
     "about broadcasts, and so the server's alone",
     ARGS_CHOICE, OPTIONS_AT(pipe.when_full), 0, 0},
    {"--seed", "X", "what the bytes of the messages grow from [1]", ARGS_NUMBER, OPTIONS_AT(seed), 0, UINT32_MAX},
    {"--timeout", "S", "give up when nothing at all came for S seconds [60]", ARGS_NUMBER, OPTIONS_AT(timeout_s), 1,
     1000000},
    {"--window", "N", "clients that connect at the same time [64]", ARGS_NUMBER, OPTIONS_AT(window), 1, 1000000},
    {"--connect", "MS", "wait so long while every instance of the pipe is taken [30000]", ARGS_NUMBER,
     OPTIONS_AT(connect_ms), 1, UINT32_MAX},
    {"--settle", "MS",
     "rest between the last connection and the first message, so that the server's memory can be seen at rest [200]",
     ARGS_NUMBER, OPTIONS_AT(settle_ms), 0, 60000},
    {"--message-max", "BYTES", "longest message, both ways [the longest --size, at least 1M]", ARGS_SIZE,
     OPTIONS_AT(pipe.message_bytes), 1, 1u << 30},
    {"--queue", "BYTES", "bound of what waits to be sent on one connection [what --depth takes, at least 4M]",
     ARGS_SIZE, OPTIONS_AT(pipe.queue_bytes), 5, UINT32_MAX},
    {"--buffer", "BYTES", "asked of the system for each pipe and way [the engine's default]", ARGS_SIZE,
     OPTIONS_AT(pipe.buffer_bytes), 512, 16u << 20},
};

static const struct args_command options_command = {
    "swarm", "NAME [options]",
    "Connects many clients to the pipe NAME, where `pipeport serve` with the same --framing and --direction echoes, "
    "broadcasts, listens or passes topics on. Every message carries its connection, its number and a checksum; "
    "whatever comes is checked for loss, doubling, order and corruption. Says the figures and, as its last line, "
    "`verified: ...` when all was right.\n"
    "Exit codes: 0 verified, 1 something was wrong, 2 wrong arguments.",
    options_table, sizeof(options_table) / sizeof(options_table[0])};

void swarm_help(void)
{
    args_help(&options_command);
}

static bool options_refuse(const char *text)
{
    say_error("swarm", "%s", text);
    return false;
}

/* Which way messages go, and so who is there to send any. */
static bool options_settle_way(struct swarm_options *options)
{
    bool broadcasts = options->broadcasts != SWARM_ANY_BROADCASTS && options->broadcasts > 0;

    if (options->messages == OPTIONS_NO_MESSAGES) {
        options->messages = options->pipe.direction.number == PIPEPORT_TO_CLIENT ? 0 : 100;
    } else if (options->pipe.direction.number == PIPEPORT_TO_CLIENT && options->messages != 0) {
        return options_refuse("--direction to-client lets nobody send to the server; give --messages 0 with it");
    }
    if (options->pipe.direction.number == PIPEPORT_TO_SERVER) {
        if (broadcasts) {
            return options_refuse("--direction to-server lets the server send nothing; leave --broadcasts out");
        }
        if (options->messages == 0) {
            return options_refuse("--direction to-server with --messages 0 lets nobody send anything; give 1 or more");
        }
    }
    return true;
}

/* Two strings of UTF-8, their lengths in front, are what a message of a topic is. */
static bool options_settle_topics(const struct swarm_options *options)
{
    const pipeport_framing *framing = &options->pipe.framing;

    if (options->topics == 0) {
        return true;
    }
    if (options->pipe.direction.number != PIPEPORT_DUPLEX) {
        return options_refuse("--topics and --direction exclude each other; give one");
    }
    if (options->messages == 0) {
        return options_refuse("--topics with --messages 0 leaves nothing to verify; give 1 or more");
    }
    if (options->broadcasts != SWARM_ANY_BROADCASTS) {
        return options_refuse("--topics and --broadcasts exclude each other; give one");
    }
    if (options->topics > options->connections) {
        say_error("swarm", "--topics: %u of them want as many --connections to subscribe; give %u or less",
                  (unsigned) options->topics, (unsigned) options->connections);
        return false;
    }
    if (framing->kind == PIPEPORT_FRAMING_NONE || framing->kind == PIPEPORT_FRAMING_DELIMITER ||
        framing->flags & PIPEPORT_KEEP) {
        return options_refuse("--topics: a topic and a message with their lengths go into no delim, no keep and no "
                              "none; give another --framing");
    }
    for (uint32_t i = 0; i < options->sizes.count; i++) {
        if (options->sizes.bytes[i] < PAYLOAD_HEADER_BYTES_MAX) {
            say_error("swarm",
                      "--size: with --topics a message says who sent it, which takes %d bytes; give that or "
                      "more, not %u",
                      PAYLOAD_HEADER_BYTES_MAX, (unsigned) options->sizes.bytes[i]);
            return false;
        }
    }
    return true;
}

/* What a framing asks of what is sent. */
static bool options_settle_framing(const struct swarm_options *options)
{
    const pipeport_framing *framing = &options->pipe.framing;
    bool whole = framing->kind == PIPEPORT_FRAMING_MESSAGE, none = framing->kind == PIPEPORT_FRAMING_NONE;

    if (none && options->messages > 0 && options->broadcasts != SWARM_ANY_BROADCASTS && options->broadcasts > 0) {
        return options_refuse("--framing: in none a broadcast cannot be told from an echo; give --messages 0, or leave "
                              "--broadcasts out");
    }
    for (uint32_t i = 0; i < options->sizes.count; i++) {
        uint32_t size = options->sizes.bytes[i];

        if (size == 0 && (whole || none)) {
            say_error("swarm", "--size: an empty message cannot be sent in the framing %s; give 1 or more",
                      whole ? "message" : "none");
            return false;
        }
        if (!pipe_options_say(&options->pipe, "--size", size,
                              options->topics > 0 ? swarm_topics_bytes(options->topics - 1, size) : size)) {
            return false;
        }
    }
    return true;
}

/* Bounds of messages and queues, from what is to be sent. In the framing message the system has a bound of its own,
 * which the engine takes where none is asked for. */
static bool options_settle_bounds(struct swarm *swarm)
{
    struct swarm_options *options = &swarm->options;
    uint64_t longest = 0, queue;

    for (uint32_t i = 0; i < options->sizes.count; i++) {
        uint32_t size = options->sizes.bytes[i];
        uint64_t bytes = options->topics > 0 ? swarm_topics_bytes(options->topics - 1, size)
                                             : carriage_bytes(&options->pipe.framing, size);

        longest = bytes > longest ? bytes : longest;
    }
    swarm->client_options = (pipeport_options){.message_bytes_max = options->pipe.message_bytes,
                                               .connect_ms = options->connect_ms};
    if (options->pipe.message_bytes == 0) {
        options->pipe.message_bytes = longest > PIPE_OPTIONS_MESSAGE_BYTES ? (uint32_t) longest
                                                                           : PIPE_OPTIONS_MESSAGE_BYTES;
    }
    if (options->pipe.framing.kind != PIPEPORT_FRAMING_MESSAGE || longest > PIPE_OPTIONS_MESSAGE_BYTES) {
        swarm->client_options.message_bytes_max = options->pipe.message_bytes;
    }
    if (longest > options->pipe.message_bytes) {
        say_error("swarm", "--size: %u is above --message-max (%u); give less, or raise --message-max",
                  (unsigned) longest, (unsigned) options->pipe.message_bytes);
        return false;
    }
    queue = options->depth * (longest + framing_overhead_max(&options->pipe.framing));
    queue = queue < (uint64_t) options->pipe.message_bytes * 2 ? (uint64_t) options->pipe.message_bytes * 2 : queue;
    return pipe_options_settle_queue(&options->pipe, queue, options->pipe.message_bytes);
}

int swarm_options_read(struct swarm *swarm, int count, char **arguments, bool *go)
{
    struct swarm_options *options = &swarm->options;
    enum args_result read;
    int code;

    *go = false;
    *options = (struct swarm_options){.pipe = {.who = "swarm"},
                                      .connections = 1,
                                      .messages = OPTIONS_NO_MESSAGES,
                                      .depth = 1,
                                      .broadcasts = SWARM_ANY_BROADCASTS,
                                      .seed = 1,
                                      .timeout_s = 60,
                                      .window = 64,
                                      .settle_ms = 200,
                                      .connect_ms = 30000};
    read = args_parse(&options_command, count, arguments, options, &swarm->name);
    if (read != ARGS_GO) {
        return args_exit(read);
    }
    if (options->sizes.count == 0) {
        options->sizes.bytes[options->sizes.count++] = options->topics > 0 ? PAYLOAD_HEADER_BYTES_MAX : OPTIONS_SIZE;
    }
    if (!options_settle_way(options) || !options_settle_topics(options) || !options_settle_framing(options) ||
        !options_settle_bounds(swarm)) {
        return SAY_EXIT_USAGE;
    }
    code = pipe_options_settle(&options->pipe, PIPEPORT_CLIENT, &swarm->client_options);
    *go = code == SAY_EXIT_OK;
    return code;
}
