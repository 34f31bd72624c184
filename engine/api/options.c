/* SPDX-License-Identifier: MIT */
/* options.c - see options.h. */
#include "engine/api/options.h"

#include "engine/flow/wire.h"

#include <string.h>

enum { OPTIONS_WORKERS_MAX = 64 };

/* Every uint32_t option: where it lies, what 0 means, and its bounds. */
static const struct options_bound {
    size_t offset;
    uint32_t by_default, min, max;
} options_bounds[] = {
    {offsetof(pipeport_options, connections_max), 255, 1, 1000000},
    {offsetof(pipeport_options, accepts_pending), 8, 1, 255},
    {offsetof(pipeport_options, message_bytes_max), 1 << 20, 1, PP_FRAMING_PAYLOAD_BYTES_MAX},
    {offsetof(pipeport_options, send_queue_bytes_max), 4 << 20, 1, UINT32_MAX},
    {offsetof(pipeport_options, first_message_ms), 0, 0, UINT32_MAX},
    {offsetof(pipeport_options, idle_ms), 0, 0, UINT32_MAX},
    {offsetof(pipeport_options, write_stall_ms), 30000, 1, UINT32_MAX},
    {offsetof(pipeport_options, connect_ms), 5000, 1, UINT32_MAX},
    {offsetof(pipeport_options, reconnect_ms), 0, 0, UINT32_MAX},
    {offsetof(pipeport_options, reconnect_max_ms), 30000, 1, UINT32_MAX},
    {offsetof(pipeport_options, pipe_buffer_bytes), 64 << 10, 512, 16 << 20},
    {offsetof(pipeport_options, when_full), PIPEPORT_REFUSE, PIPEPORT_REFUSE, PIPEPORT_DISCONNECT},
};

pipeport_status pp_options_resolve(pipeport_options *out, const pipeport_options *given)
{
    pipeport_options options = {.size = sizeof options};
    if (given) {
        if (given->size != sizeof options) {
            return PIPEPORT_INVALID;
        }
        options = *given;
    }
    for (size_t i = 0; i < sizeof options_bounds / sizeof options_bounds[0]; ++i) {
        const struct options_bound *bound = &options_bounds[i];
        uint32_t *field = (uint32_t *) (void *) ((char *) &options + bound->offset);
        if (*field == 0) {
            *field = bound->by_default;
        }
        if (*field < bound->min || *field > bound->max) {
            return PIPEPORT_INVALID;
        }
    }
    if (options.reconnect_max_ms < options.reconnect_ms) {
        if (given && given->reconnect_max_ms) {
            return PIPEPORT_INVALID;
        }
        options.reconnect_max_ms = options.reconnect_ms; /* Not asked for: the rests do not grow. */
    }
    pp_framing framing;
    if (pp_wire_framing(&framing, &options.framing)) {
        return PIPEPORT_INVALID;
    }
    uint32_t frame_bytes_max = pp_wire_frame_bytes_max(&framing, options.message_bytes_max);
    if (options.send_queue_bytes_max < frame_bytes_max) {
        if (given && given->send_queue_bytes_max) {
            return PIPEPORT_INVALID;
        }
        options.send_queue_bytes_max = frame_bytes_max; /* Not asked for: as much as one message needs. */
    }
    *out = options;
    return PIPEPORT_OK;
}

pipeport_status pp_options_resolve_engine(pipeport_engine_options *out, const pipeport_engine_options *given,
                                          uint32_t processors)
{
    pipeport_engine_options options = {.size = sizeof options};
    if (given) {
        if (given->size != sizeof options) {
            return PIPEPORT_INVALID;
        }
        options = *given;
    }
    if (options.workers == 0) {
        options.workers = processors < OPTIONS_WORKERS_MAX ? processors : OPTIONS_WORKERS_MAX;
    }
    if (options.workers > OPTIONS_WORKERS_MAX && options.workers != PIPEPORT_HOST_THREADS) {
        return PIPEPORT_INVALID;
    }
    *out = options;
    return PIPEPORT_OK;
}

pipeport_status pp_options_resolve_events(pipeport_events *out, const pipeport_events *given)
{
    if (!given || given->size != sizeof *given) {
        return PIPEPORT_INVALID;
    }
    *out = *given;
    return PIPEPORT_OK;
}
