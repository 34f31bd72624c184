/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tools/pipeport/carriage.h"
#include "tools/pipeport/framing.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/serve.h"

#define OPTIONS_AT(member) offsetof(struct serve_options, member)
#define OPTIONS_MESSAGE_BYTES (1u << 20)
#define OPTIONS_QUEUE_LEAST (4u << 20)
#define OPTIONS_QUEUE_TIMES 8u /* Echoes of the longest messages that wait besides broadcasts. */

static const struct args_option options_table[] = {
    {"--echo", NULL, "answer every message with itself [without --sink and --broadcast-every]", ARGS_FLAG,
     OPTIONS_AT(echo), 0, 0},
    {"--sink", NULL, "read messages and answer nothing", ARGS_FLAG, OPTIONS_AT(sink), 0, 0},
    {"--topics", NULL,
     "messages are a topic and a message, two strings as .NET's BinaryWriter writes\nthem; each goes to who has "
     "subscribed "
     "to its topic: who has sent the topic\n`subscribe` with the other topic as message, and not `unsubscribe` since",
     ARGS_FLAG, OPTIONS_AT(topics), 0, 0},
    {"--topics-max", "N",
     "that many topics at most of one connection [4096 shared out among\n--connections: 16 of each of 255]; it is told "
     "of "
     "one more that is refused, under\nthe topic `refused`",
     ARGS_NUMBER, OPTIONS_AT(topics_max), 1, PIPEPORT_GROUPS_MAX},
    {"--verify", NULL,
     "check that messages are those of `pipeport swarm`, whole and in order, and close\nwhose are not; of messages "
     "before the first of 40 bytes or more only that they came",
     ARGS_FLAG, OPTIONS_AT(verify), 0, 0},
    {"--seed", "X", "the swarm's --seed, for --verify [1]", ARGS_NUMBER, OPTIONS_AT(seed), 0, UINT32_MAX},
    {"--framing", FRAMING_OPERAND, FRAMING_TEXT, ARGS_FRAMING, OPTIONS_AT(framing), 0, 0},
    {"--broadcast-every", "MS",
     "send one message to all, every MS milliseconds (0: one after another);\n"
     "with --echo or --sink; they are what `pipeport swarm --broadcasts` verifies",
     ARGS_NUMBER, OPTIONS_AT(broadcast_every_ms), 0, 3600000},
    {"--broadcasts", "N", "that many of them [no end]", ARGS_NUMBER, OPTIONS_AT(broadcasts), 1, UINT32_MAX},
    {"--broadcast-size", "BYTES", "of each, 40 or more, with delim 80 [1K]", ARGS_SIZE, OPTIONS_AT(broadcast_bytes),
     PAYLOAD_HEADER_BYTES, 1u << 30},
    {"--wait-for", "N", "the first when N connections are open [1]; --until-empty waits for N too", ARGS_NUMBER,
     OPTIONS_AT(wait_for), 1, 1000000},
    {"--connections", "N", "open at one time; one more waits [255]", ARGS_NUMBER, OPTIONS_AT(connections), 1, 1000000},
    {"--accepts", "N", "idle instances kept ready [the engine's default]", ARGS_NUMBER, OPTIONS_AT(accepts), 1, 255},
    {"--workers", "N",
     "threads that drain the port, the main thread is one of them\n"
     "[the main thread and one for each processor]",
     ARGS_NUMBER, OPTIONS_AT(workers), 1, 64},
    {"--message-max", "BYTES",
     "longest message, both ways [1M; with the\nframing message what the system takes, if that is less]", ARGS_SIZE,
     OPTIONS_AT(message_bytes), 1, 1u << 30},
    {"--queue", "BYTES", "bound of what waits for one client\n[8 of the longest messages, at least 4M]", ARGS_SIZE,
     OPTIONS_AT(queue_bytes), 5, UINT32_MAX},
    {"--direction", "duplex|to-server|to-client",
     "which way messages go [duplex]; without --echo and broadcasts where the\nserver only reads, without --echo where "
     "it only writes",
     ARGS_CHOICE, OPTIONS_AT(direction), 0, 0},
    {"--access", "owner|local-users|group:GID|sddl:TEXT|app-containers",
     "who may connect [owner]; group on Linux only, sddl and app-containers on\nWindows only", ARGS_TEXT,
     OPTIONS_AT(access), 0, 0},
    {"--when-full", "refuse|drop-newest|disconnect",
     "what becomes of a message for whom --queue has no room [refuse]: it is not\n"
     "queued; the same, and a broadcast is lost without a word; who reads so late is\n"
     "disconnected. An echo waits with the first two",
     ARGS_CHOICE, OPTIONS_AT(when_full), 0, 0},
    {"--buffer", "BYTES", "asked of the system for each pipe and way [the engine's default]", ARGS_SIZE,
     OPTIONS_AT(buffer_bytes), 512, 16u << 20},
    {"--first-message", "MS", "close who sends no message for so long after connecting [never]", ARGS_NUMBER,
     OPTIONS_AT(first_message_ms), 1, UINT32_MAX},
    {"--idle", "MS", "close who sends nothing for so long [never]", ARGS_NUMBER, OPTIONS_AT(idle_ms), 1, UINT32_MAX},
    {"--write-stall", "MS", "close who reads nothing for so long while something waits\n[the engine's default]",
     ARGS_NUMBER, OPTIONS_AT(write_stall_ms), 1, UINT32_MAX},
    {"--seconds", "S", "end after S seconds [not by itself]", ARGS_NUMBER, OPTIONS_AT(seconds), 1, UINT32_MAX},
    {"--until-empty", NULL, "end when somebody was there and all have gone", ARGS_FLAG, OPTIONS_AT(until_empty), 0, 0},
    {"--drain", "MS", "at the end, so long for what waits to be written [5000]", ARGS_NUMBER, OPTIONS_AT(drain_ms), 0,
     UINT32_MAX},
    {"--fault", "lose|double|flip|swap|astray",
     "spoil one echo, or one message of a topic, so that who checks them can be\nchecked; swap: echoes only; astray: "
     "topics only, it goes to all",
     ARGS_CHOICE, OPTIONS_AT(fault), 0, 0},
    {"--fault-at", "N", "the N-th of the connection that is there first, or the next one that is not empty [10]",
     ARGS_NUMBER, OPTIONS_AT(fault_at), 1, UINT32_MAX},
    {"--quiet", NULL, "no summary, only what is wrong", ARGS_FLAG, OPTIONS_AT(quiet), 0, 0},
};

static const struct args_command options_command = {
    "serve", "NAME [options]",
    "Serves the pipe NAME. Says `listening on ADDRESS` when it does, and at the end what came, what went and whether\n"
    "the accounting balances. Ctrl-C writes what waits and ends it; a second one ends it at once.\n"
    "Exit codes: 0 all right, 1 something failed, 2 wrong arguments.",
    options_table, sizeof(options_table) / sizeof(options_table[0])};

void serve_help(void)
{
    args_help(&options_command);
}

/* Of --access; its text may go on behind the colon. */
static bool options_read_access(const char *text, pipeport_options *options)
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

static bool options_settle_way(struct serve *serve)
{
    const struct serve_options *options = &serve->options;
    bool broadcasts = options->broadcast_every_ms != SERVE_NO_BROADCASTS;
    const char *way = options->direction.text;

    if (options->verify && options->direction.number == PIPEPORT_TO_CLIENT) {
        say_error("serve", "--verify and --direction to-client exclude each other; give one");
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
static int options_settle_server(struct serve *serve)
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
    if (options->access != NULL && !options_read_access(options->access, &serve->server_options)) {
        return SAY_EXIT_USAGE;
    }
    status = pipeport_options_check(&serve->server_options, PIPEPORT_SERVER, why, sizeof(why));
    if (status != PIPEPORT_OK) {
        say_error("serve", "%s", why);
        return status == PIPEPORT_INVALID ? SAY_EXIT_USAGE : SAY_EXIT_FAIL;
    }
    return SAY_EXIT_OK;
}

static bool options_settle_broadcasts(const struct serve_options *options, uint64_t longest)
{
    uint32_t least = (uint32_t) payload_header_bytes(carriage_lacks(&options->framing));
    bool streams = options->framing.kind == PIPEPORT_FRAMING_NONE;

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
    if (!framing_says(&options->framing, options->broadcast_bytes)) {
        say_error(
            "serve",
            "--broadcast-size: the length field of --framing cannot say %u bytes; give another --broadcast-size or "
            "--framing",
            (unsigned) options->broadcast_bytes);
        return false;
    }
    if (carriage_bytes(&options->framing, options->broadcast_bytes) > longest) {
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
    if (options->echo || options->sink || options->verify || options->direction.number != PIPEPORT_DUPLEX) {
        say_error("serve", "--topics and %s exclude each other; give one",
                  options->echo     ? "--echo"
                  : options->sink   ? "--sink"
                  : options->verify ? "--verify"
                                    : "--direction");
        return false;
    }
    if (options->framing.kind == PIPEPORT_FRAMING_NONE || options->framing.flags & PIPEPORT_KEEP) {
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
    uint32_t overhead = framing_overhead_max(&options->framing);
    uint64_t queue, longest;

    if (options->message_bytes == 0 && options->framing.kind != PIPEPORT_FRAMING_MESSAGE) {
        options->message_bytes = OPTIONS_MESSAGE_BYTES;
    }
    longest = options->message_bytes == 0 ? OPTIONS_MESSAGE_BYTES : options->message_bytes;
    queue = OPTIONS_QUEUE_TIMES * longest;
    if (options->echo && options->sink) {
        say_error("serve", "--echo and --sink exclude each other; give one");
        return false;
    }
    if (!options_settle_broadcasts(options, longest)) {
        return false;
    }
    if (options->queue_bytes == 0) {
        queue = queue < OPTIONS_QUEUE_LEAST ? OPTIONS_QUEUE_LEAST : queue;
        options->queue_bytes = queue > UINT32_MAX ? UINT32_MAX : (uint32_t) queue;
    }
    if (options->queue_bytes < longest + overhead) {
        say_error("serve", "--queue is below --message-max and %u bytes (%u); give at least that", (unsigned) overhead,
                  (unsigned) (longest + overhead));
        return false;
    }
    return options_settle_topics(options) && options_settle_way(serve);
}

int serve_options_read(struct serve *serve, int count, char **arguments, bool *go)
{
    enum args_result read;
    int code;

    *go = false;
    serve->options = (struct serve_options){.broadcast_every_ms = SERVE_NO_BROADCASTS,
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
