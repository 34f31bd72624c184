/* SPDX-License-Identifier: MIT */
/*
 * pipe_options.h - what `serve` and `swarm` are told alike of the pipe and its bounds, and what the library is then
 * told.
 */
#ifndef PIPEPORT_TOOL_PIPE_OPTIONS_H
#define PIPEPORT_TOOL_PIPE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/include/pipeport.h"
#include "tools/pipeport/args.h"

#define PIPE_OPTIONS_MESSAGE_BYTES (1u << 20) /* The library's message_bytes_max where none is asked for. */

/* Operands: their words are in the order of pipeport_direction and pipeport_when_full. */
#define PIPE_OPTIONS_DIRECTION "duplex|to-server|to-client"
#define PIPE_OPTIONS_WHEN_FULL "refuse|drop-newest|disconnect"

struct pipe_options {
    const char *who;          /* The command, for what is said. */
    pipeport_framing framing; /* Zeroed: not given. */
    struct args_word direction, when_full;
    const char *access;                                /* NULL: not given. */
    uint32_t message_bytes, queue_bytes, buffer_bytes; /* 0: not given. */
};

/* Can the framing say a payload of this length? If not, a line says so of the option `word`, which asked for `told`. */
bool pipe_options_say(const struct pipe_options *pipe, const char *word, uint32_t told, uint64_t payload_bytes);

/* Settles --queue: `wanted` bytes, or a little more, where it was not given. False: a message of `longest` bytes does
 * not fit into it, which a line has said. */
bool pipe_options_settle_queue(struct pipe_options *pipe, uint64_t wanted, uint64_t longest);

/* Writes what the library is told of all this into `library`, whose message_bytes_max and other members the caller has
 * set, and asks it whether that can be. The exit code; other than SAY_EXIT_OK a line has said why. */
int pipe_options_settle(const struct pipe_options *pipe, pipeport_role role, pipeport_options *library);

/* `workers` of an engine whose port so many threads shall drain, 0: as many as is usual. Of 1 it is the main thread,
 * which is lent. */
uint32_t pipe_options_workers(uint32_t threads);

#endif
