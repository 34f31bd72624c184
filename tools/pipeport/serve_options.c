/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/carriage.h"
#include "tools/pipeport/framing.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/serve.h"

#define OPTIONS_AT(member) offsetof(struct serve_options, member)
#define OPTIONS_QUEUE_TIMES 8u /* Echoes of the longest messages that wait besides broadcasts. */

static const struct args_option options_table[] = {
    {"--echo", NULL, "answer every message with itself [without --sink and --broadcast-every]", ARGS_FLAG,
     OPTIONS_AT(echo), 0, 0},
    {"--sink", NULL, "read messages and answer nothing", ARGS_FLAG, OPTIONS_AT(sink), 0, 0},
    {"--topics", NULL,
     "messages are a topic and a message, two strings as .NET's BinaryWriter writes them; each goes to who has "
     "subscribed to its topic: who has sent the topic `subscribe` with the other topic as message, and not "
     "`unsubscribe` since",
     ARGS_FLAG, OPTIONS_AT(topics), 0, 0},
    {"--topics-max", "N",
     "that many topics at most of one connection [4096 shared out among --connections: 16 of each of 255]; it is told "
     "of one more that is refused, under the topic `refused`",
     ARGS_NUMBER, OPTIONS_AT(topics_max), 1, PIPEPORT_GROUPS_MAX},
    {"--verify", NULL,
     "check that messages are those of `pipeport swarm`, whole and in order, and close whose are not; of messages "
     "before the first of 40 bytes or more only that they came",
     ARGS_FLAG, OPTIONS_AT(verify), 0, 0},
    {"--seed", "X", "the swarm's --seed, for --verify [1]", ARGS_NUMBER, OPTIONS_AT(seed), 0, UINT32_MAX},
    {"--framing", FRAMING_OPERAND, FRAMING_TEXT, ARGS_FRAMING, OPTIONS_AT(pipe.framing), 0, 0},
    {"--broadcast-every", "MS",
     "send one message to all, every MS milliseconds (0: one after another); with --echo or --sink; they are what "
     "`pipeport swarm --broadcasts` verifies",
     ARGS_NUMBER, OPTIONS_AT(broadcast_every_ms), 0, 3600000},
    {"--broadcasts", "N", "that many of them [no end]", ARGS_NUMBER, OPTIONS_AT(broadcasts), 1, UINT32_MAX},
    {"--broadcast-size", "BYTES", "of each, 40 or more, with delim 80 [1K]", ARGS_SIZE, OPTIONS_AT(broadcast_bytes),
     PAYLOAD_HEADER_BYTES, 1u << 30},
    {"--wait-for", "N", "the first when N connections are open [1]; --until-empty waits for N too", ARGS_NUMBER,
     OPTIONS_AT(wait_for), 1, 1000000},
    {"--connections", "N", "open at one time; one more waits [255]", ARGS_NUMBER, OPTIONS_AT(connections), 1, 1000000},
    {"--accepts", "N", "idle instances kept ready [the engine's default]", ARGS_NUMBER, OPTIONS_AT(accepts), 1, 255},
    {"--workers", "N",
     "threads that drain the port; 1 is the main thread alone [one for each processor; on Windows the main one, too]",
     ARGS_NUMBER, OPTIONS_AT(workers), 1, 64},
    {"--message-max", "BYTES",
     "longest message, both ways [1M; with the framing message what the system takes, if that is less]", ARGS_SIZE,
     OPTIONS_AT(pipe.message_bytes), 1, 1u << 30},
    {"--queue", "BYTES", "bound of what waits for one client [8 of the longest messages, at least 4M]", ARGS_SIZE,
     OPTIONS_AT(pipe.queue_bytes), 5, UINT32_MAX},
    {"--direction", PIPE_OPTIONS_DIRECTION,
     "which way messages go [duplex]; without --echo and broadcasts where the server only reads, without --echo where "
     "it only writes",
     ARGS_CHOICE, OPTIONS_AT(pipe.direction), 0, 0},
    {"--access", "owner|local-users|group:GID|sddl:TEXT|app-containers",
     "who may connect [owner]; group on Linux only, sddl and app-containers on Windows only", ARGS_TEXT,
     OPTIONS_AT(pipe.access), 0, 0},
    {"--when-full", PIPE_OPTIONS_WHEN_FULL,
     "what becomes of a message for whom --queue has no room [refuse]: it is not queued; the same, and a broadcast is "
     "lost without a word; who reads so late is disconnected. An echo waits with the first two",
     ARGS_CHOICE, OPTIONS_AT(pipe.when_full), 0, 0},
    {"--buffer", "BYTES", "asked of the system for each pipe and way [the engine's default]", ARGS_SIZE,
     OPTIONS_AT(pipe.buffer_bytes), 512, 16u << 20},
    {"--first-message", "MS", "close who sends no message for so long after connecting [never]", ARGS_NUMBER,
     OPTIONS_AT(first_message_ms), 1, UINT32_MAX},
    {"--idle", "MS", "close who sends nothing for so long [never]", ARGS_NUMBER, OPTIONS_AT(idle_ms), 1, UINT32_MAX},
    {"--write-stall", "MS", "close who does not take one write within so long [the engine's default]", ARGS_NUMBER,
     OPTIONS_AT(write_stall_ms), 1, UINT32_MAX},
    {"--seconds", "S", "end after S seconds [not by itself]", ARGS_NUMBER, OPTIONS_AT(seconds), 1, UINT32_MAX},
    {"--until-empty", NULL, "end when somebody was there and all have gone", ARGS_FLAG, OPTIONS_AT(until_empty), 0, 0},
    {"--drain", "MS", "at the end, so long for what waits to be written [5000]", ARGS_NUMBER, OPTIONS_AT(drain_ms), 0,
     UINT32_MAX},
    {"--fault", "lose|double|flip|swap|astray",
     "spoil one echo, or one message of a topic, so that who checks them can be checked; swap: echoes only; astray: "
     "topics only, it goes to all",
     ARGS_CHOICE, OPTIONS_AT(fault), 0, 0},
    {"--fault-at", "N", "the N-th of the connection that is there first, or the next one that is not empty [10]",
     ARGS_NUMBER, OPTIONS_AT(fault_at), 1, UINT32_MAX},
    {"--quiet", NULL, "no summary, only what is wrong", ARGS_FLAG, OPTIONS_AT(quiet), 0, 0},
};

static const struct args_command options_command = {
    "serve", "NAME [options]",
    "Serves the pipe NAME. Says `listening on ADDRESS` when it does, and at the end what came, what went and whether "
    "the accounting balances. Ctrl-C writes what waits and ends it; a second one ends it at once.\n"
    "Exit codes: 0 all right, 1 something failed, 2 wrong arguments.",
    options_table, sizeof(options_table) / sizeof(options_table[0])};

void serve_help(void)
{
    args_help(&options_command);
}

static bool options_settle_way(struct serve *serve)
{
    const struct serve_options *options = &serve->options;
    bool broadcasts = options->broadcast_every_ms != SERVE_NO_BROADCASTS;
    const char *way = options->pipe.direction.text;

    if (options->verify && options->pipe.direction.number == PIPEPORT_TO_CLIENT) {
        say_error("serve", "--verify and --direction to-client exclude each other; give one");
        return false;
    }
    if (options->pipe.direction.number == PIPEPORT_DUPLEX) {
        serve->echoes = options->echo || (!options->sink && !broadcasts);
        return true;
    }
    if (options->echo) {
        say_error("serve", "--echo and --direction %s exclude each other; give one", way);
        return false;
    }
    if (broadcasts && options->pipe.direction.number == PIPEPORT_TO_SERVER) {
        say_error("serve", "--broadcast-every and --direction %s exclude each other; give one", way);
        return false;
    }
    return true;
}

static int options_settle_server(struct serve *serve)
{
    const struct serve_options *options = &serve->options;

    serve->server_options = (pipeport_options){.connections_max = options->connections,
                                               .accepts_pending = options->accepts,
                                               .message_bytes_max = options->pipe.message_bytes,
                                               .first_message_ms = options->first_message_ms,
                                               .idle_ms = options->idle_ms,
                                               .write_stall_ms = options->write_stall_ms};
    return pipe_options_settle(&options->pipe, PIPEPORT_SERVER, &serve->server_options);
}

static bool options_settle_broadcasts(const struct serve_options *options, uint64_t longest)
{
    uint32_t least = (uint32_t) payload_header_bytes(carriage_lacks(&options->pipe.framing));
    bool streams = options->pipe.framing.kind == PIPEPORT_FRAMING_NONE;

    if (options->broadcast_every_ms == SERVE_NO_BROADCASTS) {
        return true;
    }
    if (options->topics) {
        say_error("serve", "--topics and --broadcast-every exclude each other; give one");
        return false;
    }
    if (streams && options->echo) {
        say_error("serve",
                  "--echo and --broadcast-every exclude each other with --framing none, where nobody could tell "
                  "one from the other; give one");
        return false;
    }
    if (options->broadcast_bytes < least) {
        say_error("serve", "--broadcast-size: in the framing delim a broadcast takes %u bytes or more; give that",
                  (unsigned) least);
        return false;
    }
    if (!pipe_options_say(&options->pipe, "--broadcast-size", options->broadcast_bytes, options->broadcast_bytes)) {
        return false;
    }
    if (carriage_bytes(&options->pipe.framing, options->broadcast_bytes) > longest) {
        say_error("serve", "--broadcast-size is above --message-max (%u); give less, or raise --message-max",
                  (unsigned) longest);
        return false;
    }
    return true;
}

/* --topics, and what else has to do with them. */
static bool options_settle_topics(struct serve_options *options)
{
    bool astray = options->fault.text != NULL && options->fault.number == SERVE_ASTRAY;
    bool swap = options->fault.text != NULL && options->fault.number == SERVE_SWAP;

    if (options->topics ? swap : astray) {
        say_error("serve", "--fault %s is for %s; %s --topics, or give another", options->fault.text,
                  swap ? "echoes" : "topics", swap ? "leave out" : "give");
        return false;
    }
    if (!options->topics) {
        if (options->topics_max != 0) {
            say_error("serve", "--topics-max is for --topics; give that too");
        }
        return options->topics_max == 0;
    }
    if (options->echo || options->sink || options->verify || options->pipe.direction.number != PIPEPORT_DUPLEX) {
        say_error("serve", "--topics and %s exclude each other; give one",
                  options->echo     ? "--echo"
                  : options->sink   ? "--sink"
                  : options->verify ? "--verify"
                                    : "--direction");
        return false;
    }
    if (options->pipe.framing.kind == PIPEPORT_FRAMING_NONE || options->pipe.framing.flags & PIPEPORT_KEEP) {
        say_error("serve", "--topics: a message is a topic and a message, which it is not with keep and in none; give "
                           "another --framing");
        return false;
    }
    if (options->topics_max == 0) {
        options->topics_max = PIPEPORT_GROUPS_MAX / options->connections;
        options->topics_max += options->topics_max == 0;
    }
    return true;
}

/* What the table cannot say: how options go together. */
static bool options_settle(struct serve *serve)
{
    struct serve_options *options = &serve->options;
    uint64_t longest;

    if (options->pipe.message_bytes == 0 && options->pipe.framing.kind != PIPEPORT_FRAMING_MESSAGE) {
        options->pipe.message_bytes = PIPE_OPTIONS_MESSAGE_BYTES;
    }
    longest = options->pipe.message_bytes == 0 ? PIPE_OPTIONS_MESSAGE_BYTES : options->pipe.message_bytes;
    if (options->echo && options->sink) {
        say_error("serve", "--echo and --sink exclude each other; give one");
        return false;
    }
    return options_settle_broadcasts(options, longest) &&
           pipe_options_settle_queue(&options->pipe, OPTIONS_QUEUE_TIMES * longest, longest) &&
           options_settle_topics(options) && options_settle_way(serve);
}

int serve_options_read(struct serve *serve, int count, char **arguments, bool *go)
{
    enum args_result read;
    int code;

    *go = false;
    serve->options = (struct serve_options){.pipe = {.who = "serve"},
                                            .broadcast_every_ms = SERVE_NO_BROADCASTS,
                                            .broadcast_bytes = 1024,
                                            .wait_for = 1,
                                            .connections = 255,
                                            .seed = 1,
                                            .drain_ms = 5000,
                                            .fault_at = 10};
    read = args_parse(&options_command, count, arguments, &serve->options, &serve->name);
    if (read != ARGS_GO) {
        return args_exit(read);
    }
    if (!options_settle(serve)) {
        return SAY_EXIT_USAGE;
    }
    code = options_settle_server(serve);
    *go = code == SAY_EXIT_OK;
    return code;
}
