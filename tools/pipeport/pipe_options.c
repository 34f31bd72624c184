/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/pipe_options.h"

#include <string.h>

#include "tools/pipeport/framing.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/system.h"

#define PIPE_OPTIONS_QUEUE_LEAST (4u << 20)

bool pipe_options_say(const struct pipe_options *pipe, const char *word, uint32_t told, uint64_t payload_bytes)
{
    if (!framing_says(&pipe->framing, payload_bytes)) {
        say_error(pipe->who, "%s: the length field of --framing cannot say %u bytes; give another %s or --framing",
                  word, (unsigned) told, word);
        return false;
    }
    return true;
}

bool pipe_options_settle_queue(struct pipe_options *pipe, uint64_t wanted, uint64_t longest)
{
    uint32_t overhead = framing_overhead_max(&pipe->framing);

    if (pipe->queue_bytes == 0) {
        wanted = wanted < PIPE_OPTIONS_QUEUE_LEAST ? PIPE_OPTIONS_QUEUE_LEAST : wanted;
        pipe->queue_bytes = wanted > UINT32_MAX ? UINT32_MAX : (uint32_t) wanted;
    }
    if (pipe->queue_bytes < longest + overhead) {
        say_error(pipe->who, "--queue is below --message-max and %u bytes (%u); give at least that",
                  (unsigned) overhead, (unsigned) (longest + overhead));
        return false;
    }
    return true;
}

/* Digits and nothing else, `least` to `most`. */
static bool pipe_options_read_number(const char *text, uint32_t least, uint32_t most, uint32_t *number)
{
    uint64_t value = 0;

    for (const char *digit = text; *digit >= '0' && *digit <= '9' && value <= most; digit++) {
        value = value * 10 + (uint64_t) (*digit - '0');
        if (digit[1] == '\0' && value >= least && value <= most) {
            *number = (uint32_t) value;
            return true;
        }
    }
    return false;
}

/* Of a server: who may connect. Its text may go on behind the colon. */
static bool pipe_options_read_access(const char *who, const char *text, pipeport_options *server)
{
    static const struct {
        const char *word;
        uint32_t access;
    } words[] = {{"owner", PIPEPORT_ACCESS_OWNER},
                 {"local-users", PIPEPORT_ACCESS_LOCAL_USERS},
                 {"app-containers", PIPEPORT_ACCESS_APP_CONTAINERS}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i].word) == 0) {
            server->access = words[i].access;
            return true;
        }
    }
    if (strncmp(text, "sddl:", 5) == 0) {
        server->access = PIPEPORT_ACCESS_SDDL;
        server->access_sddl = text + 5;
        return true;
    }
    if (strncmp(text, "group:", 6) != 0) {
        say_error(who,
                  "--access: '%s' is unknown; give one of owner, local-users, group:GID, sddl:TEXT, app-containers",
                  text);
        return false;
    }
    if (!pipe_options_read_number(text + 6, 0, UINT32_MAX - 1, &server->access_group)) {
        say_error(who, "--access: '%s' is no group; give its number, 0 to 4294967294", text + 6);
        return false;
    }
    server->access = PIPEPORT_ACCESS_GROUP;
    return true;
}

/* Of a client: whose server it must be. */
static bool pipe_options_read_demand(const char *who, const char *text, pipeport_options *client)
{
    static const char *const server[] = {"owner", "local-users", "app-containers", "group:", "sddl:"};

    if (strncmp(text, "user:", 5) == 0) {
        client->server_user = text + 5;
        return true;
    }
    if (strncmp(text, "process:", 8) == 0) {
        if (!pipe_options_read_number(text + 8, 1, UINT32_MAX, &client->server_process)) {
            say_error(who, "--access: '%s' is no process; give its number, 1 to 4294967295", text + 8);
            return false;
        }
        return true;
    }
    for (size_t i = 0; i < sizeof(server) / sizeof(server[0]); i++) {
        if (strncmp(text, server[i], strlen(server[i])) == 0) {
            say_error(who,
                      "--access: '%s' is for the server to say; give it to pipeport serve, and here user:ID or "
                      "process:N",
                      text);
            return false;
        }
    }
    say_error(who, "--access: '%s' is unknown; give user:ID or process:N", text);
    return false;
}

int pipe_options_settle(const struct pipe_options *pipe, pipeport_role role, pipeport_options *library)
{
    char why[512];
    pipeport_status status;

    library->size = sizeof(*library);
    library->framing = pipe->framing;
    library->direction = pipe->direction.number;
    library->send_queue_bytes_max = pipe->queue_bytes;
    library->pipe_buffer_bytes = pipe->buffer_bytes;
    library->when_full = pipe->when_full.number;
    if (role == PIPEPORT_CLIENT && pipe->when_full.number == PIPEPORT_DROP_NEWEST) {
        say_error(pipe->who, "--when-full: drop-newest is about broadcasts, which clients do not send; give it to "
                             "pipeport serve, and here refuse or disconnect");
        return SAY_EXIT_USAGE;
    }
    if (pipe->access != NULL &&
        !(role == PIPEPORT_SERVER ? pipe_options_read_access(pipe->who, pipe->access, library)
                                  : pipe_options_read_demand(pipe->who, pipe->access, library))) {
        return SAY_EXIT_USAGE;
    }
    status = pipeport_options_check(library, role, why, sizeof(why));
    if (status != PIPEPORT_OK) {
        say_error(pipe->who, "%s", why);
        return status == PIPEPORT_INVALID ? SAY_EXIT_USAGE : SAY_EXIT_FAIL;
    }
    return SAY_EXIT_OK;
}

uint32_t pipe_options_workers(uint32_t threads)
{
    return threads == 1 ? PIPEPORT_HOST_THREADS : threads > 1 ? threads - system_main_drains() : 0;
}
