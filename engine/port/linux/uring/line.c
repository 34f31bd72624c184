/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/uring/line.h"

#include "engine/base/assert.h"
#include "engine/port/linux/fault.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    LINE_READING, /* Lanes. */
    LINE_WRITING,
    LINE_LANES,
    LINE_TRY_BYTES = 16 * 1024,   /* A read of so many first tries the socket itself. */
    LINE_BATCH_BYTES = 16 * 1024, /* A write of more than that goes out at once. */
    LINE_AWAIT = 0,               /* letter.pieces of an armed await, read, write. */
    LINE_READ,
    LINE_WRITE
};

typedef enum line_shot { SHOT_NONE, SHOT_POOL, SHOT_POLL, SHOT_BLOCK } line_shot;

typedef struct pp_line {
    pp_guest guest; /* First: what the ring points at. */
    pp_memory *memory;
    int fd;
    _Atomic(char *) lane[LINE_LANES]; /* See above. */
    pp_op *armed[LINE_LANES];         /* The home's from here on: the operation, as soon as the home knows of it. */
    line_shot shot;
    bool sending; /* A send is with the kernel. */
    bool more;    /* See above. */
    bool bulk;    /* See above. */
    bool leaving;
    uint16_t held_buffer;  /* Of the pool, */
    uint16_t held_at;      /* read up to here, */
    uint16_t held_bytes;   /* and so many are left; 0: it holds none. */
    pipeport_status ended; /* Not OK: every read from now on ends so, */
    int32_t ended_code;    /* with this code. */
} pp_line;

static void line_enter(pp_ring *ring)
{
    if (ring->lent) {
        pp_lock_take(&ring->lines);
    }
}

static void line_exit(pp_ring *ring)
{
    if (ring->lent) {
        pp_lock_give(&ring->lines);
    }
}

static void line_finish(pp_line *line, int lane, pp_result result)
{
    pp_op *op = line->armed[lane];
    line->armed[lane] = NULL;
    atomic_store_explicit(&line->lane[lane], NULL, memory_order_release);
    pp_mailbox_finish(&line->guest.ring->mailbox, op, result);
}

static bool line_is_wished(pp_line *line, int lane)
{
    return atomic_load_explicit(&line->lane[lane], memory_order_acquire) != (char *) line->armed[lane];
}

static void line_end(pp_line *line, int code)
{
    pp_fault fault = code == 0 ? (pp_fault){PIPEPORT_GONE, 0} : pp_fault_from(code);
    line->ended = fault.status;
    line->ended_code = fault.system_code;
}

/* ---- Requests ---- */

static void line_send_pool(pp_line *line)
{
    struct io_uring_sqe *request = pp_ring_request(line->guest.ring);
    io_uring_prep_recv(request, line->fd, NULL, PP_POOL_BUFFER_BYTES, 0);
    request->ioprio = IORING_RECVSEND_POLL_FIRST;
    request->flags = IOSQE_BUFFER_SELECT;
    request->buf_group = PP_POOL_GROUP;
    pp_ring_point(request, &line->guest, LINE_READING);
    line->shot = SHOT_POOL;
}

static void line_send_poll(pp_line *line)
{
    struct io_uring_sqe *request = pp_ring_request(line->guest.ring);
    io_uring_prep_poll_add(request, line->fd, POLLIN | POLLRDHUP);
    pp_ring_point(request, &line->guest, LINE_READING);
    line->shot = SHOT_POLL;
}

static void line_send_block(pp_line *line)
{
    const pp_room *room = pp_room_of(line->armed[LINE_READING]);
    struct io_uring_sqe *request = pp_ring_request(line->guest.ring);
    io_uring_prep_recv(request, line->fd, room->as.lent.data[0], room->as.lent.bytes[0], 0);
    pp_ring_point(request, &line->guest, LINE_READING);
    line->shot = SHOT_BLOCK;
}

static void line_send_write(pp_line *line)
{
    const pp_room *room = pp_room_of(line->armed[LINE_WRITING]);
    struct io_uring_sqe *request = pp_ring_request(line->guest.ring);
    io_uring_prep_send(request, line->fd, room->as.lent.data[0], room->as.lent.bytes[0], MSG_NOSIGNAL);
    pp_ring_point(request, &line->guest, LINE_WRITING);
    line->sending = true;
}

/* ---- Reading, at home ---- */

static bool line_try_socket(pp_line *line, void *data, uint32_t bytes, pp_result *result)
{
    ssize_t got;
    do {
        got = recv(line->fd, data, bytes, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    line->more = got == (ssize_t) bytes;
    if (got > 0) {
        line->bulk = got > PP_POOL_BUFFER_BYTES;
        *result = (pp_result){{PIPEPORT_OK, 0}, (uint32_t) got};
        return true;
    }
    if (got < 0 && errno == EAGAIN) {
        return false;
    }
    line_end(line, got == 0 ? 0 : errno);
    *result = (pp_result){{line->ended, line->ended_code}, 0};
    return true;
}

static void line_copy_held(pp_line *line, void *data, uint32_t bytes, pp_result *result)
{
    pp_pool *pool = &line->guest.ring->pool;
    uint16_t copied = bytes < line->held_bytes ? (uint16_t) bytes : line->held_bytes;
    memcpy(data, pp_pool_data(pool, line->held_buffer) + line->held_at, copied);
    line->held_at = (uint16_t) (line->held_at + copied);
    line->held_bytes = (uint16_t) (line->held_bytes - copied);
    if (line->held_bytes == 0) {
        pp_pool_give(pool, line->held_buffer);
    }
    *result = (pp_result){{PIPEPORT_OK, 0}, copied};
}

/* True: the read into `data`, or (NULL) the await, is done with *result. */
static bool line_try(pp_line *line, void *data, uint32_t bytes, pp_result *result)
{
    bool known = line->held_bytes > 0 || line->ended != PIPEPORT_OK;
    *result = (pp_result){{PIPEPORT_OK, 0}, 0};
    if (data == NULL) {
        return known || (line->more && line->shot == SHOT_NONE);
    }
    if (line->held_bytes > 0) {
        line_copy_held(line, data, bytes, result);
    } else if (line->ended != PIPEPORT_OK) {
        *result = (pp_result){{line->ended, line->ended_code}, 0};
    } else if (line->shot == SHOT_NONE && (line->more || bytes >= LINE_TRY_BYTES)) {
        return line_try_socket(line, data, bytes, result);
    } else {
        return false;
    }
    return true;
}

/* The armed read or await has found nothing. */
static void line_wait(pp_line *line)
{
    if (line->shot == SHOT_NONE) {
        if (pp_room_of(line->armed[LINE_READING])->letter.pieces != LINE_AWAIT) {
            line_send_block(line);
        } else if (line->bulk) {
            line_send_poll(line);
        } else {
            line_send_pool(line);
        }
    }
}

/* Something is new: whoever is armed is tried. */
static void line_serve(pp_line *line)
{
    pp_op *op = line->armed[LINE_READING];
    if (op != NULL) {
        const pp_room *room = pp_room_of(op);
        bool is_read = room->letter.pieces == LINE_READ;
        pp_result result;
        if (line_try(line, is_read ? room->as.lent.data[0] : NULL, is_read ? room->as.lent.bytes[0] : 0, &result)) {
            line_finish(line, LINE_READING, result);
        } else {
            line_wait(line);
        }
    }
}

/* An operation that came by letter. */
static void line_asked(pp_guest *guest, pp_op *op)
{
    pp_line *line = (pp_line *) guest;
    pp_ring *ring = guest->ring;
    int lane = pp_room_of(op)->letter.pieces == LINE_WRITE ? LINE_WRITING : LINE_READING;
    line_enter(ring);
    line->armed[lane] = op;
    if (line_is_wished(line, lane)) {
        line_finish(line, lane, (pp_result){{PIPEPORT_STOPPED, 0}, 0});
    } else if (lane == LINE_WRITING) {
        line_send_write(line);
    } else {
        line_serve(line);
    }
    line_exit(ring);
}

/* ---- What the kernel says ---- */

/* The request ended without a result: by a cancel of ours, by its thread's end, by a signal. */
static bool line_is_undone(int32_t result)
{
    return result == -ECANCELED || result == -EINTR || result == -EAGAIN;
}

static void line_block_came(pp_line *line, int32_t result)
{
    if (line_is_undone(result)) {
        if (line_is_wished(line, LINE_READING)) {
            line_finish(line, LINE_READING, (pp_result){{PIPEPORT_STOPPED, 0}, 0});
        } else {
            line_send_block(line);
        }
    } else if (result > 0) {
        line->more = (uint32_t) result == pp_room_of(line->armed[LINE_READING])->as.lent.bytes[0];
        line_finish(line, LINE_READING, (pp_result){{PIPEPORT_OK, 0}, (uint32_t) result});
    } else {
        line_end(line, -result);
        line_serve(line);
    }
}

/* True: whoever waits shall be served, or ask again. */
static bool line_pool_came(pp_line *line, int32_t result, uint32_t flags)
{
    pp_pool *pool = &line->guest.ring->pool;
    if (result == -ENOBUFS) {
        pp_pool_grow(pool);
        line_send_poll(line);
        return false;
    }
    if ((flags & IORING_CQE_F_BUFFER) != 0) {
        line->held_buffer = (uint16_t) (flags >> IORING_CQE_BUFFER_SHIFT);
        line->held_at = 0;
        line->held_bytes = result > 0 ? (uint16_t) result : 0;
        if (result <= 0) {
            pp_pool_give(pool, line->held_buffer);
        }
    }
    if (result > 0) {
        line->more = line->bulk = result == PP_POOL_BUFFER_BYTES;
    } else if (!line_is_undone(result)) {
        line_end(line, -result);
    }
    return true;
}

static void line_read_came(pp_line *line, int32_t result, uint32_t flags)
{
    line_shot shot = line->shot;
    line->shot = SHOT_NONE;
    switch (shot) {
    case SHOT_BLOCK:
        line_block_came(line, result);
        break;
    case SHOT_POOL:
        if (line_pool_came(line, result, flags)) {
            line_serve(line);
        }
        break;
    case SHOT_POLL:
        line->more = !line_is_undone(result);
        line_serve(line);
        break;
    case SHOT_NONE:
        PP_VERIFY(false);
    }
}

static void line_write_came(pp_line *line, int32_t result)
{
    line->sending = false;
    if (result >= 0) {
        line_finish(line, LINE_WRITING, (pp_result){{PIPEPORT_OK, 0}, (uint32_t) result});
    } else if (!line_is_undone(result)) {
        line_finish(line, LINE_WRITING, (pp_result){pp_fault_from(-result), 0});
    } else if (line_is_wished(line, LINE_WRITING)) {
        line_finish(line, LINE_WRITING, (pp_result){{PIPEPORT_STOPPED, 0}, 0});
    } else {
        line_send_write(line);
    }
}

static void line_free(pp_guest *guest)
{
    pp_line *line = (pp_line *) guest;
    close(line->fd);
    pp_memory_give(line->memory, line, sizeof *line);
}

static void line_came(pp_guest *guest, uint32_t lane, int32_t result, uint32_t flags)
{
    pp_line *line = (pp_line *) guest;
    pp_ring *ring = guest->ring;
    line_enter(ring);
    if (lane == LINE_WRITING) {
        line_write_came(line, result);
    } else if (line->leaving) {
        if ((flags & IORING_CQE_F_BUFFER) != 0) {
            pp_pool_give(&ring->pool, flags >> IORING_CQE_BUFFER_SHIFT);
        }
        pp_guest_left(guest);
        line_free(guest);
    } else {
        line_read_came(line, result, flags);
    }
    line_exit(ring);
}

/* ---- Wishes and the end, at home ---- */

/* An operation that the home does not know of yet meets its wish in line_asked. */
static void line_meet_wishes(pp_line *line)
{
    if (line->armed[LINE_READING] != NULL && line_is_wished(line, LINE_READING)) {
        if (line->shot == SHOT_BLOCK) {
            pp_ring_cancel(&line->guest, LINE_READING);
        } else {
            line_finish(line, LINE_READING, (pp_result){{PIPEPORT_STOPPED, 0}, 0});
        }
    }
    if (line->armed[LINE_WRITING] != NULL && line_is_wished(line, LINE_WRITING)) {
        pp_ring_cancel(&line->guest, LINE_WRITING);
    }
}

/* No letter is under way, and none will be. If a request is with the kernel, the socket has been shut down. */
static void line_leave(pp_line *line)
{
    PP_ASSERT(line->armed[LINE_READING] == NULL && line->armed[LINE_WRITING] == NULL && !line->sending);
    if (line->held_bytes > 0) {
        pp_pool_give(&line->guest.ring->pool, line->held_buffer);
    }
    if (line->shot == SHOT_NONE) {
        line_free(&line->guest);
    } else { /* The shutdown brings the request home. */
        line->leaving = true;
        pp_guest_leave(&line->guest);
    }
}

static void line_called(pp_guest *guest, bool last)
{
    pp_line *line = (pp_line *) guest;
    pp_ring *ring = guest->ring;
    line_enter(ring);
    if (last) {
        line_leave(line);
    } else {
        line_meet_wishes(line);
    }
    line_exit(ring);
}

static const pp_guest_kind line_kind = {line_came, line_asked, line_called, line_free};

/* ---- The driver's calls ---- */

pp_fault pp_line_open(pp_pipe *pipe, int fd, pp_mailbox *home)
{
    pp_line *line = pp_memory_take_zeroed(pipe->memory, sizeof *line);
    if (line == NULL) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    pp_guest_init(&line->guest, &line_kind, (pp_ring *) home);
    line->memory = pipe->memory;
    line->fd = fd;
    pipe->slices_max = PP_SLICES_MAX;
    atomic_store_explicit(&pipe->state, line, memory_order_release);
    return (pp_fault){PIPEPORT_OK, 0};
}

/* The lane before the letter: who cancels as soon as he may finds the operation. Answers whether this is the home; if
 * not, nothing of the line may be touched any more. */
static bool line_arm(pp_line *line, int lane, pp_op *op)
{
    pp_ring *ring = line->guest.ring;
    bool here = pp_ring_is_here(ring);
    pp_mailbox_count(&ring->mailbox, 1);
    if (here) {
        line->armed[lane] = op;
    }
    atomic_store_explicit(&line->lane[lane], (char *) op, memory_order_release);
    if (!here) {
        pp_guest_ask(&line->guest, op);
    }
    return here;
}

/* The same from outside of a take. False is also the answer to who may not look. */
static bool line_try_here(pp_line *line, void *data, uint32_t bytes, pp_result *result)
{
    pp_ring *ring = line->guest.ring;
    if (!ring->lent) {
        return pp_ring_is_here(ring) && line_try(line, data, bytes, result);
    }
    line_enter(ring);
    bool done = line_try(line, data, bytes, result);
    line_exit(ring);
    return done;
}

pp_armed pp_line_await(void *state, pp_op *op, pp_result *now)
{
    pp_line *line = state;
    if (line_try_here(line, NULL, 0, now)) {
        return PP_NOW;
    }
    pp_room_of(op)->letter.pieces = LINE_AWAIT;
    if (line_arm(line, LINE_READING, op)) {
        line_wait(line);
    }
    return PP_LATER;
}

pp_armed pp_line_read(void *state, struct iovec *piece, pp_op *op, pp_result *now)
{
    pp_line *line = state;
    if (line_try_here(line, piece->iov_base, (uint32_t) piece->iov_len, now)) {
        return PP_NOW;
    }
    if (op == NULL) { /* Whoever may not look awaits, and is answered at home. */
        *now = (pp_result){{PIPEPORT_OK, 0}, 0};
        return PP_NOW;
    }
    pp_room *room = pp_room_of(op);
    room->letter.pieces = LINE_READ;
    room->as.lent.data[0] = piece->iov_base;
    room->as.lent.bytes[0] = (uint32_t) piece->iov_len;
    if (line_arm(line, LINE_READING, op)) {
        line_wait(line);
    }
    return PP_LATER;
}

/* True: done with *result. */
static bool line_write_now(int fd, struct iovec *pieces, uint32_t count, pp_result *result)
{
    ssize_t moved;
    do {
        if (count == 1) {
            moved = send(fd, pieces[0].iov_base, pieces[0].iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
        } else {
            struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
            moved = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
    } while (moved < 0 && errno == EINTR);
    if (moved < 0 && errno == EAGAIN) {
        return false;
    }
    *result = moved < 0 ? (pp_result){pp_fault_from(errno), 0} : (pp_result){{PIPEPORT_OK, 0}, (uint32_t) moved};
    return true;
}

/* Whether a write is better put into the batch than done at once. */
static bool line_batches(pp_ring *ring, const struct iovec *pieces, uint32_t count)
{
    if (!pp_ring_is_here(ring) || count > 1 || pieces[0].iov_len > LINE_BATCH_BYTES) {
        return false;
    }
    if (ring->writes_at_once > 0) {
        ring->writes_at_once--;
        return false;
    }
    return true;
}

/* One that waits takes the first piece only: the next one tries again with all. */
pp_armed pp_line_write(void *state, struct iovec *pieces, uint32_t count, pp_op *op, pp_result *now)
{
    pp_line *line = state;
    pp_room *room = pp_room_of(op);
    if (!line_batches(line->guest.ring, pieces, count) && line_write_now(line->fd, pieces, count, now)) {
        return PP_NOW;
    }
    room->letter.pieces = LINE_WRITE;
    room->as.lent.data[0] = pieces[0].iov_base;
    room->as.lent.bytes[0] = (uint32_t) pieces[0].iov_len;
    if (line_arm(line, LINE_WRITING, op)) {
        line_send_write(line);
    }
    return PP_LATER;
}

void pp_line_cancel(void *state, pp_op *op)
{
    pp_line *line = state;
    for (int lane = 0; lane < LINE_LANES; lane++) {
        char *armed = (char *) op;
        if (atomic_compare_exchange_strong_explicit(&line->lane[lane], &armed, armed + 1, memory_order_acq_rel,
                                                    memory_order_relaxed)) {
            if (pp_ring_is_here(line->guest.ring)) {
                line_meet_wishes(line);
            } else {
                pp_guest_call(&line->guest, false);
            }
            return;
        }
    }
}

void pp_line_close(void *state)
{
    pp_line *line = state;
    bool here = pp_ring_is_here(line->guest.ring);
    if (!here || line->shot != SHOT_NONE) {
        (void) shutdown(line->fd, SHUT_RDWR); /* It fails where the peer has closed: then nobody has to hear of it. */
    }
    if (!here) {
        pp_guest_call(&line->guest, true);
    } else if (pp_guest_end(&line->guest)) {
        line_leave(line);
    }
}
