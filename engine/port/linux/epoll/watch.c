/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/epoll/watch.h"

#include "engine/base/assert.h"
#include "engine/port/linux/fault.h"
#include "engine/port/linux/ready.h"
#include "engine/port/linux/socket.h"
#include "engine/port/linux/transfer.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

typedef enum watch_try {
    WATCH_MORE,   /* Done, and there may be more to get, or room for more. */
    WATCH_SPENT,  /* Done, and nothing is left: the next edge tells. */
    WATCH_ENDED,  /* Failed, and will go on failing. */
    WATCH_NOTHING /* Would have to wait. */
} watch_try;

static char *const watch_quiet = NULL;
static char *const watch_ready_mark = (char *) 1; /* Where no operation lies, nor the two bytes behind its begin. */
static char *const watch_ended_mark = (char *) 2;

static bool watch_is_whole(const pp_watch *watch)
{
    return (watch->source.is & PP_SOCKET_WHOLE) != 0;
}

static bool watch_is_unread(const pp_watch *watch)
{
    return (watch->source.is & PP_SOCKET_UNREAD) != 0;
}

/* What it is watched for always; an end of both directions and an error need not be asked for. */
static uint32_t watch_events(const pp_watch *watch)
{
    return watch_is_unread(watch) ? EPOLLET : EPOLLIN | EPOLLRDHUP | EPOLLET;
}

static bool watch_shift(_Atomic(char *) *lane, char *from, char *to)
{
    return atomic_compare_exchange_strong_explicit(lane, &from, to, memory_order_acq_rel, memory_order_acquire);
}

static watch_try watch_read_whole(int fd, const struct iovec *piece, pp_result *result)
{
    switch (pp_socket_read_whole(fd, piece, result)) {
    case PP_SOCKET_GOT:
        return WATCH_MORE;
    case PP_SOCKET_EMPTY:
        return WATCH_NOTHING;
    case PP_SOCKET_ENDED:
        break;
    }
    return WATCH_ENDED;
}

static watch_try watch_transfer_stream(int fd, pp_direction direction, struct iovec *pieces, uint32_t count,
                                       pp_result *result)
{
    ssize_t moved;
    do {
        if (direction == PP_READING) {
            moved = pp_transfer_in(fd, pieces[0].iov_base, pieces[0].iov_len, 0);
        } else if (count == 1) {
            moved = pp_transfer_out(fd, pieces[0].iov_base, pieces[0].iov_len, 0);
        } else {
            struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
            moved = sendmsg(fd, &message, MSG_NOSIGNAL);
        }
    } while (moved < 0 && errno == EINTR);
    if (moved > 0) {
        *result = (pp_result){{PIPEPORT_OK, 0}, (uint32_t) moved, 0};
        return direction == PP_READING && (size_t) moved < pieces[0].iov_len ? WATCH_SPENT : WATCH_MORE;
    }
    if (moved == 0) {
        *result = (pp_result){{PIPEPORT_GONE, 0}, 0, 0};
        return WATCH_ENDED;
    }
    if (errno == EAGAIN) {
        return WATCH_NOTHING;
    }
    *result = (pp_result){pp_fault_from(errno), 0, 0};
    return WATCH_ENDED;
}

static watch_try watch_transfer(const pp_watch *watch, pp_direction direction, struct iovec *pieces, uint32_t count,
                                pp_result *result)
{
    return direction == PP_READING && watch_is_whole(watch)
               ? watch_read_whole(watch->source.fd, pieces, result)
               : watch_transfer_stream(watch->source.fd, direction, pieces, count, result);
}

/* True: armed, and from here on nothing of the watch may be touched. */
static bool watch_publish(pp_watch *watch, pp_direction direction, const struct iovec *pieces, uint32_t count,
                          pp_op *op)
{
    pp_mailbox *home = &watch->home->mailbox;
    pp_room *room = pp_room_of(op);
    /* A write that waits takes the first slice only, for which an operation has room: the next one tries with all. */
    room->letter.pieces = count < PP_ROOM_SLICES ? (uint8_t) count : PP_ROOM_SLICES;
    if (room->letter.pieces != 0) {
        room->letter.bytes = (uint32_t) pieces[0].iov_len;
        room->as.data = pieces[0].iov_base;
    }
    pp_mailbox_count(home, 1);
    if (watch_shift(&watch->lane[direction], watch_quiet, (char *) op)) {
        return true;
    }
    pp_mailbox_count(home, -1);
    return false;
}

/* After a read that nothing waits for: what is known of the socket now. */
static void watch_settle_read(pp_watch *watch, watch_try tried)
{
    _Atomic(char *) *lane = &watch->lane[PP_READING];
    switch (tried) {
    case WATCH_MORE:
        watch_shift(lane, watch_quiet, watch_ready_mark); /* If it fails, an edge has said so already. */
        break;
    case WATCH_ENDED:
        atomic_store_explicit(lane, watch_ended_mark, memory_order_release);
        break;
    case WATCH_SPENT:
    case WATCH_NOTHING:
        break;
    }
}

pp_armed pp_watch_read(void *state, struct iovec *piece, pp_op *op, pp_result *now)
{
    pp_watch *watch = state;
    _Atomic(char *) *lane = &watch->lane[PP_READING];
    for (;;) {
        char *seen = atomic_load_explicit(lane, memory_order_acquire);
        if (seen == watch_quiet) {
            if (op == NULL) {
                *now = (pp_result){{PIPEPORT_OK, 0}, 0, watch_is_whole(watch)};
                return PP_NOW;
            }
            if (watch_publish(watch, PP_READING, piece, 1, op)) {
                return PP_LATER;
            }
            continue;
        }
        if (seen == watch_ready_mark && !watch_shift(lane, seen, watch_quiet)) {
            continue;
        }
        watch_try tried = watch_transfer(watch, PP_READING, piece, 1, now);
        watch_settle_read(watch, tried);
        if (tried != WATCH_NOTHING) {
            return PP_NOW;
        }
        if (seen == watch_ended_mark) { /* An error was told that was no end: edges will come. */
            atomic_store_explicit(lane, watch_ready_mark, memory_order_release);
        }
    }
}

/* What an await is told: a read says the rest, where there is one. */
static pp_result watch_word(const pp_watch *watch)
{
    return (pp_result){{watch_is_unread(watch) ? PIPEPORT_GONE : PIPEPORT_OK, 0}, 0, 0};
}

pp_armed pp_watch_await(void *state, pp_op *op, pp_result *now)
{
    pp_watch *watch = state;
    _Atomic(char *) *lane = &watch->lane[PP_READING];
    char *seen;
    while ((seen = atomic_load_explicit(lane, memory_order_acquire)) != watch_ended_mark) {
        if (seen == watch_ready_mark && !watch_is_unread(watch)) {
            break;
        }
        if (seen == watch_ready_mark) { /* What a cancel has left: no read will look. */
            watch_shift(lane, seen, watch_quiet);
        } else if (watch_publish(watch, PP_READING, NULL, 0, op)) {
            return PP_LATER;
        }
    }
    *now = watch_word(watch);
    return PP_NOW;
}

/* Without EPOLLOUT no edge of its own comes, so the lane says `ready` whenever no write waits. */
pp_armed pp_watch_write(void *state, struct iovec *pieces, uint32_t count, pp_op *op, pp_result *now)
{
    pp_watch *watch = state;
    _Atomic(char *) *lane = &watch->lane[PP_WRITING];
    bool room_asked = false;
    while (watch_transfer(watch, PP_WRITING, pieces, count, now) == WATCH_NOTHING) {
        if (op == NULL) {
            *now = (pp_result){{PIPEPORT_OK, 0}, 0, 0};
            return PP_NOW;
        }
        atomic_store_explicit(lane, watch_quiet, memory_order_release);
        pp_fault fault = pp_drainer_rewatch(watch->home, watch_events(watch) | EPOLLOUT, &watch->source);
        if (fault.status != PIPEPORT_OK) {
            atomic_store_explicit(lane, watch_ready_mark, memory_order_release);
            *now = (pp_result){fault, 0, 0};
            return PP_NOW;
        }
        room_asked = true;
        if (watch_publish(watch, PP_WRITING, pieces, count, op)) {
            return PP_LATER;
        }
    }
    if (room_asked) {
        (void) pp_drainer_rewatch(watch->home, watch_events(watch), &watch->source);
    }
    return PP_NOW;
}

/* The taker has made the lane of `op` op + 1. */
static void watch_try_armed(pp_watch *watch, pp_direction direction, pp_op *op, char *rest, pp_drainer *drainer)
{
    _Atomic(char *) *lane = &watch->lane[direction];
    const pp_room *room = pp_room_of(op);
    pp_result result = {{PIPEPORT_STOPPED, 0}, 0, 0};
    PP_VERIFY(room->letter.pieces <= PP_ROOM_SLICES);
    if (room->letter.pieces == 0) { /* An await: the edge is its answer, and stays for the read. */
        pp_result word = watch_word(watch);
        atomic_store_explicit(lane, rest, memory_order_release);
        pp_mailbox_finish(&drainer->mailbox, op, word);
        return;
    }
    struct iovec piece = {room->as.data, room->letter.bytes};
    watch_try tried = watch_transfer(watch, direction, &piece, 1, &result);
    if (tried == WATCH_NOTHING && watch_shift(lane, (char *) op + 1, (char *) op)) {
        return;
    }
    if (direction == PP_WRITING) {
        (void) pp_drainer_rewatch(drainer, watch_events(watch), &watch->source);
    } else if (tried == WATCH_SPENT && rest != watch_ended_mark) {
        rest = watch_quiet;
    } else if (tried == WATCH_ENDED) {
        rest = watch_ended_mark;
    }
    atomic_store_explicit(lane, rest, memory_order_release);
    pp_mailbox_finish(&drainer->mailbox, op, result);
}

/* An edge: whoever is armed is tried; if nobody is, the lane remembers. `rest` is what it remembers. */
static void watch_edge(pp_watch *watch, pp_direction direction, char *rest, pp_drainer *drainer)
{
    _Atomic(char *) *lane = &watch->lane[direction];
    for (;;) {
        char *seen = atomic_load_explicit(lane, memory_order_acquire);
        if (seen == rest || seen == watch_ended_mark) {
            return;
        }
        if (seen == watch_quiet || seen == watch_ready_mark) {
            if (watch_shift(lane, seen, rest)) {
                return;
            }
        } else if (watch_shift(lane, seen, seen + 1)) {
            watch_try_armed(watch, direction, (pp_op *) (void *) seen, rest, drainer);
            return;
        }
    }
}

static void watch_ready(pp_source *source, uint32_t events, pp_drainer *drainer)
{
    pp_watch *watch = (pp_watch *) source;
    bool ended = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (ended || (events & EPOLLIN) != 0) {
        watch_edge(watch, PP_READING, ended ? watch_ended_mark : watch_ready_mark, drainer);
    }
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
        watch_edge(watch, PP_WRITING, watch_ready_mark, drainer);
    }
}

static void watch_free(pp_source *source)
{
    pp_watch *watch = (pp_watch *) source;
    pp_memory_give(watch->home->memory, watch, sizeof *watch);
}

static const pp_source_kind watch_kind = {watch_ready, watch_free};

pp_fault pp_watch_open(pp_pipe *pipe, int fd, pp_mailbox *home, uint8_t is)
{
    pp_drainer *drainer = (pp_drainer *) home;
    pp_watch *watch = pp_memory_take(drainer->memory, sizeof *watch);
    if (watch == NULL) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    watch->source = (pp_source){&watch_kind, {{fd, is}}};
    watch->home = drainer;
    atomic_init(&watch->lane[PP_READING], watch_quiet); /* What is there already is the first edge (epoll_ctl(2)). */
    atomic_init(&watch->lane[PP_WRITING], watch_ready_mark);
    pp_fault fault = pp_drainer_watch(drainer, watch_events(watch), &watch->source);
    if (fault.status != PIPEPORT_OK) {
        pp_memory_give(watch->home->memory, watch, sizeof *watch);
        return fault;
    }
    atomic_store_explicit(&pipe->state, watch, memory_order_release);
    return fault;
}

void pp_watch_cancel(void *state, pp_op *op)
{
    pp_watch *watch = state;
    pp_mailbox *home = &watch->home->mailbox;
    char *armed = (char *) op;
    for (int direction = PP_READING; direction <= PP_WRITING; direction++) {
        _Atomic(char *) *lane = &watch->lane[direction];
        char *seen = atomic_load_explicit(lane, memory_order_acquire);
        while (seen == armed || seen == armed + 1) {
            char *next = seen == armed ? watch_ready_mark : armed + 2;
            if (atomic_compare_exchange_strong_explicit(lane, &seen, next, memory_order_acq_rel,
                                                        memory_order_acquire)) {
                if (seen == armed) {
                    pp_mailbox_post(home, op, (pp_result){{PIPEPORT_STOPPED, 0}, 0, 0});
                }
                return;
            }
        }
    }
}

/* Nothing is moved before a take finds the edge, so what there is the socket itself knows. Should the edge have been
 * spent (a peer that cuts reads short, see watch.h) it comes again, or this would be an answer for ever. */
bool pp_watch_is_answered(void *state, const pp_op *op)
{
    pp_watch *watch = state;
    for (int direction = PP_READING; direction <= PP_WRITING; direction++) {
        if (atomic_load_explicit(&watch->lane[direction], memory_order_acquire) != (const char *) op) {
            continue;
        }
        short events = direction == PP_WRITING ? POLLOUT : watch_is_unread(watch) ? 0 : POLLIN;
        bool is_ready = pp_socket_is_ready(watch->source.fd, events);
        if (is_ready) { /* With EPOLLOUT always, for a write may be armed at this moment. */
            (void) pp_drainer_rewatch(watch->home, watch_events(watch) | EPOLLOUT, &watch->source);
        }
        return is_ready;
    }
    return true;
}

void pp_watch_close(void *state)
{
    pp_watch *watch = state;
    pp_drainer_unwatch(watch->home, &watch->source);
    close(watch->source.fd);
    pp_drainer_bury(watch->home, &watch->source);
}
