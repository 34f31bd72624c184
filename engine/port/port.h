/* SPDX-License-Identifier: MIT */
/*
 * port.h - the completion port: operations go in, completions come out on the threads that drain it.
 *
 * An operation (pp_op) lies in the struct that owns it. The laws, each a test that runs on every backend (tests/laws):
 * 1. Now or later, never both. Arming answers PP_NOW (its result is set; no completion will come) or PP_LATER (exactly
 *    one completion will come, whatever happens to its pipe). Reference and state are taken *before* arming.
 * 2. On a drainer. Completions come out of pp_port_take and nowhere else; the taker calls `op->done`. What finishes now
 *    is handled by the caller in a bounded loop, not by recursion.
 * 3. Lent. From arming until pp_port_take hands it out, op and buffer are the system's.
 * 4. Cancel is a wish. It changes how soon an op is done, not whether; the true result may still come.
 * 5. A stop is a state, not a message. pp_port_wake only makes takers return; they look at the state themselves.
 */
#ifndef PP_PORT_PORT_H
#define PP_PORT_PORT_H

#include "engine/base/memory.h"
#include "engine/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much of an operation the system's backend needs, in words of 8 bytes, 2 at least. The build says it
 * (cmake/options.cmake); that it is enough the backend asserts. */
#ifndef PP_OP_ROOM_WORDS
#error "PP_OP_ROOM_WORDS is not defined"
#endif

typedef struct pp_op pp_op;

typedef struct pp_result {
    pp_fault fault; /* OK, or why not. GONE: the peer ended. STOPPED: cancelled. */
    uint32_t bytes; /* Read or written; 0 unless fault.status is OK. A read of 0 bytes with OK is not an end. */
    uint32_t more;  /* Read of a pipe with messages of its own: at least so many bytes of this one are to come, or of
                       the next one, where nothing was there; 0: its end was read. Elsewhere 0. */
} pp_result;

/* `drainer` is what the taker passes along: the floor above's own struct for its thread. */
typedef void pp_op_done(pp_op *op, pp_result result, void *drainer);

struct pp_op {
    pp_op_done *done;   /* Set by the owner before arming. */
    uint16_t home;      /* The drainer whose pipe this is; Windows has one port for all and ignores it. */
    uint16_t own_mark;  /* Beside the room, since there is place: the backend's for as long as the room is; */
    uint32_t own_bytes; /* nobody else's ever. */
    union {             /* The backend's own struct from arming until a take: OVERLAPPED, or the state of a poll. */
        uint64_t words[PP_OP_ROOM_WORDS];
        pp_op *next;      /* Before and after, the room is the owner's: for a list it stands in, */
        pp_result result; /* or for what came home. */
    } room;
};

typedef enum pp_armed {
    PP_NOW,  /* Finished, well or badly: the result is set and no completion comes. */
    PP_LATER /* Pending: exactly one completion comes. */
} pp_armed;

typedef struct pp_completion {
    pp_op *op;
    pp_result result;
} pp_completion;

enum { PP_BATCH_MAX = 64 }; /* What a worker alone may gain by; of a shared port it takes fewer. */

typedef struct pp_port pp_port;

typedef struct pp_port_options {
    uint32_t drainers; /* Threads that drain, 1-64, numbered from 0; each number is used by one thread at a time. */
    bool lent;         /* The thread of a number may change from one take to the next. */
    void (*say)(void *user, const char *line); /* NULL, or what people should know of the choice of a driver; inside
                                                  create only. */
    void *say_user;
} pp_port_options;

/* Fails: INVALID (a driver was asked for that there is not), NO_MEMORY, SYSTEM. */
pp_fault pp_port_create(pp_port **out, pp_memory *memory, const pp_port_options *options);

/* No pipe may live on it and nobody may be taking. */
void pp_port_destroy(pp_port *port);

/* The memory it was created with. */
pp_memory *pp_port_memory(const pp_port *port);

/* True: any drainer takes any completion, whatever its number, and more may drain than were asked for (Windows).
 * False: each has its own pipes (Linux). */
bool pp_port_is_shared(const pp_port *port);

/* True: a pipe can wait for its peer without lending a buffer (pp_pipe_await). */
bool pp_port_can_await(const pp_port *port);

/* What drains it, as people call it: "IOCP", "epoll". */
const char *pp_port_driver(const pp_port *port);

/* Waits up to wait_ms (UINT32_MAX: no bound) for completions and fills at most `max` (<= PP_BATCH_MAX) of them. 0: the
 * time passed, somebody woke this drainer, or it was woken for what an earlier take has answered. The time is a hint;
 * keep absolute deadlines. */
uint32_t pp_port_take(pp_port *port, uint32_t drainer, uint32_t wait_ms, pp_completion *completions, uint32_t max);

/* Makes `op` come out of a take once, with OK and 0 bytes (on Linux: of op->home's). Never fails and never blocks:
 * what the system refuses waits on a list of the port's own that every take looks at. Any thread. */
void pp_port_post(pp_port *port, pp_op *op);

/* Makes one take of each drainer return (perhaps one that has not begun yet). Any thread. */
void pp_port_wake(pp_port *port);

/* Operations that answered PP_LATER, and those posted, ever; completions handed out by takes, ever. */
void pp_port_count(const pp_port *port, uint64_t *armed, uint64_t *done);

#endif
