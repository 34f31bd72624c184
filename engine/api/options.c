/* SPDX-License-Identifier: MIT */
/* options.c - see options.h. */
#include "engine/api/options.h"

#include "engine/flow/wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { OPTIONS_WORKERS_MAX = 64 };

/* Every uint32_t option that has bounds: where it lies, what 0 means, and what else it may be. What 0 means is a
 * default, or, where that is 0, what the text says. */
static const struct options_bound {
    const char *name;
    size_t offset;
    uint32_t by_default, min, max;
    const char *zero;
} options_bounds[] = {
    {"connections_max", offsetof(pipeport_options, connections_max), 255, 1, 1000000, NULL},
    {"accepts_pending", offsetof(pipeport_options, accepts_pending), 8, 1, 255, NULL},
    {"message_bytes_max", offsetof(pipeport_options, message_bytes_max), 1 << 20, 1, PP_FRAMING_PAYLOAD_BYTES_MAX,
     NULL},
    {"send_queue_bytes_max", offsetof(pipeport_options, send_queue_bytes_max), 4 << 20, 1, UINT32_MAX, NULL},
    {"write_stall_ms", offsetof(pipeport_options, write_stall_ms), 30000, 1, UINT32_MAX, NULL},
    {"connect_ms", offsetof(pipeport_options, connect_ms), 5000, 1, UINT32_MAX, NULL},
    {"reconnect_max_ms", offsetof(pipeport_options, reconnect_max_ms), 30000, 1, UINT32_MAX, NULL},
    {"pipe_buffer_bytes", offsetof(pipeport_options, pipe_buffer_bytes), 64 << 10, 512, 16 << 20, NULL},
    {"direction", offsetof(pipeport_options, direction), 0, 1, PIPEPORT_TO_CLIENT, "a duplex pipe"},
    {"type", offsetof(pipeport_options, type), 0, 1, PIPEPORT_TYPE_MESSAGE, "what the framing needs"},
    {"in_buffer_bytes", offsetof(pipeport_options, in_buffer_bytes), 0, 512, 16 << 20, "pipe_buffer_bytes"},
    {"out_buffer_bytes", offsetof(pipeport_options, out_buffer_bytes), 0, 512, 16 << 20, "pipe_buffer_bytes"},
    {"instances_max", offsetof(pipeport_options, instances_max), 0, 1, 253, "no bound"},
    {"default_wait_ms", offsetof(pipeport_options, default_wait_ms), 50, 1, UINT32_MAX - 1, NULL},
    {"remote", offsetof(pipeport_options, remote), 0, 1, 1, "clients of this machine only"},
    {"access", offsetof(pipeport_options, access), 0, 1, PIPEPORT_ACCESS_APP_CONTAINERS, "the owner"},
    {"when_full", offsetof(pipeport_options, when_full), 0, 1, PIPEPORT_DISCONNECT, "PIPEPORT_REFUSE"},
};

#if defined(__MINGW32__)
__attribute__((format(gnu_printf, 2, 3)))
#elif defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static pipeport_status
options_refuse(pp_complaint *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void) vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    return PIPEPORT_INVALID;
}

static pipeport_status options_bind(pipeport_options *options, pp_complaint *why)
{
    for (size_t i = 0; i < sizeof options_bounds / sizeof options_bounds[0]; ++i) {
        const struct options_bound *bound = &options_bounds[i];
        uint32_t *field = (uint32_t *) (void *) ((char *) options + bound->offset);
        if (*field == 0) {
            *field = bound->by_default;
        } else if (*field < bound->min || *field > bound->max) {
            char number[16];
            (void) snprintf(number, sizeof number, "%u", bound->by_default);
            return options_refuse(why, "%s: %u to %u, or 0 for %s; not %u", bound->name, bound->min, bound->max,
                                  bound->zero ? bound->zero : number, *field);
        }
    }
    return PIPEPORT_OK;
}

/* What the fields of the framing and the queue say of each other. */
static pipeport_status options_frame(pipeport_options *options, const pipeport_options *given, pipeport_role role,
                                     pp_complaint *why)
{
    pp_framing framing;
    const char *fault = pp_wire_framing(&framing, &options->framing);
    if (fault) {
        return options_refuse(why, "framing.%s", fault);
    }
    if (framing.kind == PP_FRAMING_MESSAGE && !given->message_bytes_max) { /* Not asked for: what the system can. */
        pp_plan plan = pp_options_plan(options, role);
        uint32_t most = pp_plan_message_bytes_max(&plan);
        options->message_bytes_max = most && most < options->message_bytes_max ? most : options->message_bytes_max;
    }
    uint32_t frame_bytes_max = pp_wire_frame_bytes_max(&framing, options->message_bytes_max);
    if (options->send_queue_bytes_max < frame_bytes_max) {
        if (given->send_queue_bytes_max) {
            return options_refuse(why, "send_queue_bytes_max: at least %u, a frame of message_bytes_max; not %u",
                                  frame_bytes_max, given->send_queue_bytes_max);
        }
        options->send_queue_bytes_max = frame_bytes_max; /* Not asked for: as much as one message needs. */
    }
    return PIPEPORT_OK;
}

static pipeport_status options_shape(pipeport_options *options, const pipeport_options *given, pipeport_role role,
                                     pp_complaint *why)
{
    bool is_message = options->framing.kind == PIPEPORT_FRAMING_MESSAGE;
    if (options->type == PIPEPORT_TYPE_DEFAULT) {
        options->type = is_message ? PIPEPORT_TYPE_MESSAGE : PIPEPORT_TYPE_BYTE;
    }
    if (is_message && options->type != PIPEPORT_TYPE_MESSAGE) {
        return options_refuse(why, "type: PIPEPORT_TYPE_MESSAGE, or 0, where the framing is the pipe's own messages");
    }
    options->in_buffer_bytes = options->in_buffer_bytes ? options->in_buffer_bytes : options->pipe_buffer_bytes;
    options->out_buffer_bytes = options->out_buffer_bytes ? options->out_buffer_bytes : options->pipe_buffer_bytes;
    uint32_t deaf = role == PIPEPORT_SERVER ? PIPEPORT_TO_CLIENT : PIPEPORT_TO_SERVER;
    if (options->direction == deaf && (options->first_message_ms || options->idle_ms)) {
        return options_refuse(why, "%s: 0 where the direction lets the peer say nothing; not %u",
                              options->first_message_ms ? "first_message_ms" : "idle_ms",
                              options->first_message_ms ? options->first_message_ms : options->idle_ms);
    }
    if (options->reconnect_max_ms < options->reconnect_ms) {
        if (given->reconnect_max_ms) {
            return options_refuse(why, "reconnect_max_ms: at least %u, which is reconnect_ms, or 0; not %u",
                                  options->reconnect_ms, options->reconnect_max_ms);
        }
        options->reconnect_max_ms = options->reconnect_ms; /* Not asked for: the rests do not grow. */
    }
    if (options->instances_max && options->connections_max > options->instances_max) {
        if (given->connections_max) {
            return options_refuse(why, "connections_max: at most %u, which is instances_max, or 0 for that; not %u",
                                  options->instances_max, options->connections_max);
        }
        options->connections_max = options->instances_max;
    }
    return PIPEPORT_OK;
}

/* A text of 1 to bytes_max - 1 bytes? */
static bool options_is_text(const char *text, size_t bytes_max)
{
    return text[0] != '\0' && memchr(text, '\0', bytes_max) != NULL;
}

static pipeport_status options_admit(const pipeport_options *options, pp_complaint *why)
{
    bool by_sddl = options->access == PIPEPORT_ACCESS_SDDL;
    if (options->access_group && options->access != PIPEPORT_ACCESS_GROUP) {
        return options_refuse(why, "access_group: 0 where access is not PIPEPORT_ACCESS_GROUP; not %u",
                              options->access_group);
    }
    if (by_sddl != (options->access_sddl != NULL)) {
        return options_refuse(why, by_sddl ? "access_sddl: a text where access is PIPEPORT_ACCESS_SDDL"
                                           : "access_sddl: NULL where access is not PIPEPORT_ACCESS_SDDL");
    }
    if (by_sddl && !options_is_text(options->access_sddl, PP_SDDL_BYTES_MAX)) {
        return options_refuse(why, "access_sddl: a text of 1 to %d bytes", PP_SDDL_BYTES_MAX - 1);
    }
    if (options->server_user && !options_is_text(options->server_user, PIPEPORT_USER_BYTES)) {
        return options_refuse(why, "server_user: NULL, or a text of 1 to %d bytes", PIPEPORT_USER_BYTES - 1);
    }
    return PIPEPORT_OK;
}

static pipeport_status options_lack(const pipeport_options *options, pipeport_role role, pp_complaint *why)
{
    pp_plan plan = pp_options_plan(options, role);
    const char *lack = pp_plan_lacks(&plan);
    if (!lack) {
        return PIPEPORT_OK;
    }
    (void) options_refuse(why, "%s", lack);
    return PIPEPORT_UNSUPPORTED;
}

pipeport_status pp_options_resolve(pipeport_options *out, const pipeport_options *given, pipeport_role role,
                                   pp_complaint *why)
{
    static const pipeport_options zeroed = {.size = sizeof zeroed};
    given = given ? given : &zeroed;
    why->text[0] = '\0';
    if (role != PIPEPORT_SERVER && role != PIPEPORT_CLIENT) {
        return options_refuse(why, "role: PIPEPORT_SERVER or PIPEPORT_CLIENT");
    }
    if (given->size != sizeof *given) {
        return options_refuse(why, "size: sizeof(pipeport_options), which is %u here; not %llu",
                              (unsigned) sizeof *given, (unsigned long long) given->size);
    }
    pipeport_options options = *given;
    pipeport_status status = options_bind(&options, why);
    if (status == PIPEPORT_OK) {
        status = options_shape(&options, given, role, why);
    }
    if (status == PIPEPORT_OK) {
        status = options_frame(&options, given, role, why);
    }
    if (status == PIPEPORT_OK) {
        status = options_admit(&options, why);
    }
    if (status == PIPEPORT_OK) {
        status = options_lack(&options, role, why);
    }
    if (status == PIPEPORT_OK) {
        *out = options;
    }
    return status;
}

pipeport_status pipeport_options_check(const pipeport_options *options, pipeport_role role, char *text,
                                       size_t text_bytes)
{
    pipeport_options resolved;
    pp_complaint why;
    pipeport_status status = pp_options_resolve(&resolved, options, role, &why);
    if (text && text_bytes) {
        (void) snprintf(text, text_bytes, "%s", why.text);
    }
    return status;
}

_Static_assert((int) PIPEPORT_DUPLEX == PP_WAY_BOTH && (int) PIPEPORT_TO_SERVER == PP_WAY_TO_SERVER &&
                   (int) PIPEPORT_TO_CLIENT == PP_WAY_TO_CLIENT,
               "a direction is a way");
_Static_assert((int) PIPEPORT_ACCESS_OWNER == PP_ACCESS_OWNER &&
                   (int) PIPEPORT_ACCESS_LOCAL_USERS == PP_ACCESS_LOCAL_USERS &&
                   (int) PIPEPORT_ACCESS_GROUP == PP_ACCESS_GROUP && (int) PIPEPORT_ACCESS_SDDL == PP_ACCESS_SDDL &&
                   (int) PIPEPORT_ACCESS_APP_CONTAINERS == PP_ACCESS_APP_CONTAINERS,
               "one access is the other");

pp_plan pp_options_plan(const pipeport_options *options, pipeport_role role)
{
    bool is_message = options->framing.kind == PIPEPORT_FRAMING_MESSAGE;
    pp_plan plan = {.in_bytes = options->in_buffer_bytes,
                    .out_bytes = options->out_buffer_bytes,
                    .way = (uint8_t) options->direction,
                    .typed = options->type == PIPEPORT_TYPE_MESSAGE,
                    .whole = is_message,
                    .message_bytes_max = is_message ? options->message_bytes_max : 0};
    if (role == PIPEPORT_SERVER) {
        plan.remote = options->remote != 0;
        plan.access = (uint8_t) options->access;
        plan.group = options->access_group;
        plan.sddl = options->access_sddl;
        plan.instances_max = options->instances_max;
        plan.wait_ms = options->default_wait_ms;
    } else {
        plan.server_process = options->server_process;
        plan.server_user = options->server_user;
    }
    return plan;
}

pipeport_status pp_options_resolve_engine(pipeport_engine_options *out, const pipeport_engine_options *given,
                                          uint32_t processors, pp_complaint *why)
{
    pipeport_engine_options options = {.size = sizeof options};
    why->text[0] = '\0';
    if (given) {
        if (given->size != sizeof options) {
            return options_refuse(why, "size: sizeof(pipeport_engine_options)");
        }
        options = *given;
    }
    if (options.workers == 0) {
        options.workers = processors < OPTIONS_WORKERS_MAX ? processors : OPTIONS_WORKERS_MAX;
    }
    if (options.workers > OPTIONS_WORKERS_MAX && options.workers != PIPEPORT_HOST_THREADS) {
        return options_refuse(why, "workers: 1 to %d, PIPEPORT_HOST_THREADS, or 0 for one per processor; not %u",
                              OPTIONS_WORKERS_MAX, options.workers);
    }
    *out = options;
    return PIPEPORT_OK;
}

const char *pp_options_blame(const pipeport_options *options)
{
    if (options->access == PIPEPORT_ACCESS_SDDL) {
        return "access_sddl: in Security Descriptor String Format, with a list of who has access; name: of this "
               "machine";
    }
    return "name: of this machine, and on Linux an absolute path where access is LOCAL_USERS or GROUP";
}

pipeport_status pp_options_resolve_events(pipeport_events *out, const pipeport_events *given, pp_complaint *why)
{
    why->text[0] = '\0';
    if (!given) {
        return options_refuse(why, "events: not NULL");
    }
    if (given->size != sizeof *given) {
        return options_refuse(why, "events.size: sizeof(pipeport_events), which is %u here; not %llu",
                              (unsigned) sizeof *given, (unsigned long long) given->size);
    }
    *out = *given;
    return PIPEPORT_OK;
}

pipeport_status pp_options_resolve_start(pp_asked *asked, pipeport_role role, const char *name,
                                         const pipeport_options *options, const pipeport_events *events)
{
    pipeport_status status = pp_options_resolve(&asked->options, options, role, &asked->why);
    if (status == PIPEPORT_OK) {
        status = pp_options_resolve_events(&asked->events, events, &asked->why);
    }
    if (status == PIPEPORT_OK && (!name || pp_pipe_address(name, asked->address) != PIPEPORT_OK)) {
        status = options_refuse(&asked->why, "name: 1 to 200 bytes of UTF-8, no slash, backslash or control byte, or "
                                             "an address as this system spells it");
    }
    return status;
}
