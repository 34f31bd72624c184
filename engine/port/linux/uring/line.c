/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/uring/line.h"

#include "engine/base/assert.h"
#include "engine/port/linux/fault.h"
#include "engine/port/linux/ready.h"
#include "engine/port/linux/socket.h"
#include "engine/port/linux/transfer.h"
#include "engine/port/linux/uring/intake.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    LINE_READING, /* Lanes. */
    LINE_WRITING,
    LINE_LANES,
    LINE_ALL = (1 << LINE_LANES) - 1,
    LINE_BATCH_BYTES = 16 * 1024, /* A write of more than that goes out at once. */
    LINE_AWAIT = 0,               /* letter.pieces of an armed await, read, write. */
    LINE_READ,
    LINE_WRITE
};

typedef struct pp_line {
    pp_guest guest;             /* First: what the ring points at. */
    pp_intake intake;           /* The home's from here on. */
    uint8_t known : LINE_LANES; /* A bit for each lane: the home knows of the operation there, and it is armed. */
    uint8_t sending : 1;        /* A send is with the kernel. */
    uint8_t leaving : 1;
    uint8_t hung : 1; /* The peer's end was heard; where nothing is ever read. */
    uint8_t is;       /* Bits of socket.h; for all, set before anybody else knows of the line. */
} pp_line;

_Static_assert(sizeof(pp_line) <= 64, "an idle connection is small");

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

/* A wish is the lowest bit of the lane, where no operation's address has one. */
static bool line_is_wished(pp_line *line, int lane)
{
    return ((uintptr_t) atomic_load_explicit(&line->guest.lane[lane], memory_order_acquire) & 1) != 0;
}

static void line_learn(pp_line *line, int lane)
{
    line->known = (line->known | 1u << lane) & LINE_ALL;
}

/* What is armed on the lane, as far as the home knows; or NULL. */
static pp_op *line_armed(pp_line *line, int lane)
{
    if ((line->known & 1u << lane) == 0) {
        return NULL;
    }
    char *seen = atomic_load_explicit(&line->guest.lane[lane], memory_order_relaxed);
    return (pp_op *) (void *) (seen - ((uintptr_t) seen & 1));
}

static void line_finish(pp_line *line, int lane, pp_result result)
{
    pp_op *op = line_armed(line, lane);
    line->known = line->known & ~(1u << lane) & LINE_ALL;
    atomic_store_explicit(&line->guest.lane[lane], NULL, memory_order_release);
    pp_mailbox_finish(&line->guest.ring->mailbox, op, result);
}

static pp_intake_of line_intake(pp_line *line)
{
    return (pp_intake_of){&line->intake, &line->guest, LINE_READING};
}

static void line_send_write(pp_line *line)
{
    const pp_room *room = pp_room_of(line_armed(line, LINE_WRITING));
    struct io_uring_sqe *request = pp_ring_request(line->guest.ring);
    io_uring_prep_send(request, line->guest.fd, room->as.data, room->letter.bytes, MSG_NOSIGNAL);
    pp_ring_point(request, &line->guest, LINE_WRITING);
    line->sending = true;
}

static bool line_is_unread(const pp_line *line)
{
    return (line->is & PP_SOCKET_UNREAD) != 0;
}

/* The armed read or await has found nothing. */
static void line_wait(pp_line *line)
{
    const pp_room *room = pp_room_of(line_armed(line, LINE_READING));
    if (line->hung) {
        line_finish(line, LINE_READING, (pp_result){{PIPEPORT_GONE, 0}, 0, 0});
    } else if (line->is != 0) {
        pp_intake_poll(line_intake(line), line_is_unread(line));
    } else if (room->letter.pieces == LINE_AWAIT) {
        pp_intake_hint(line_intake(line));
    } else {
        pp_intake_block(line_intake(line), room->as.data, room->letter.bytes);
    }
}

/* True: done with *result; see socket.h. */
static bool line_read_whole(pp_line *line, const struct iovec *piece, pp_result *result)
{
    return pp_socket_read_whole(line->guest.fd, piece, result) != PP_SOCKET_EMPTY;
}

/* As line_serve, where the intake only polls. */
static void line_serve_polled(pp_line *line, pp_op *op)
{
    const pp_room *room = pp_room_of(op);
    struct iovec piece = {room->as.data, room->letter.bytes};
    pp_result result;
    if (room->letter.pieces == LINE_READ && line_read_whole(line, &piece, &result)) {
        line_finish(line, LINE_READING, result);
    } else {
        line_wait(line);
    }
}

/* Something is new: whoever is armed is tried. */
static void line_serve(pp_line *line)
{
    pp_op *op = line_armed(line, LINE_READING);
    if (op != NULL && line->is != 0) {
        line_serve_polled(line, op);
    } else if (op != NULL) {
        const pp_room *room = pp_room_of(op);
        bool is_read = room->letter.pieces == LINE_READ;
        void *data = is_read ? room->as.data : NULL;
        pp_result result;
        if (pp_intake_try(line_intake(line), data, is_read ? room->letter.bytes : 0, &result)) {
            line_finish(line, LINE_READING, result);
        } else {
            line_wait(line);
        }
    }
}

/* An operation that was armed elsewhere. */
static void line_asked(pp_line *line, int lane)
{
    line_learn(line, lane);
    if (line_is_wished(line, lane)) {
        line_finish(line, lane, (pp_result){{PIPEPORT_STOPPED, 0}, 0, 0});
    } else if (lane == LINE_WRITING) {
        line_send_write(line);
    } else {
        line_serve(line);
    }
}

/* ---- What the kernel says ---- */

/* A poll that says nothing new, of a pipe that is never read, has not ended: `line_wait` finds it there. */
static void line_polled(pp_line *line, int32_t came, uint32_t flags)
{
    bool has_come = pp_intake_came(line_intake(line), came, flags) && !pp_intake_is_undone(came);
    if (line_is_unread(line)) {
        line->hung = line->hung || (has_come && (came < 0 || (came & (POLLHUP | POLLERR | POLLNVAL)) != 0));
        has_come = false;
    }
    pp_op *op = line_armed(line, LINE_READING);
    if (op != NULL && has_come && pp_room_of(op)->letter.pieces == LINE_AWAIT) {
        line_finish(line, LINE_READING, (pp_result){{PIPEPORT_OK, 0}, 0, 0});
    } else if (op != NULL) {
        line_serve_polled(line, op);
    }
}

static void line_read_came(pp_line *line, int32_t came, uint32_t flags)
{
    if (line->is != 0) {
        line_polled(line, came, flags);
        return;
    }
    if (line->intake.shot != PP_SHOT_BLOCK) {
        if (pp_intake_came(line_intake(line), came, flags)) {
            line_serve(line);
        }
        return;
    }
    pp_result result = {{PIPEPORT_STOPPED, 0}, 0, 0};
    uint32_t bytes = pp_room_of(line_armed(line, LINE_READING))->letter.bytes;
    if (pp_intake_block_came(line_intake(line), came, bytes, &result) || line_is_wished(line, LINE_READING)) {
        line_finish(line, LINE_READING, result);
    } else {
        line_wait(line);
    }
}

static void line_write_came(pp_line *line, int32_t result)
{
    line->sending = false;
    if (result >= 0) {
        line_finish(line, LINE_WRITING, (pp_result){{PIPEPORT_OK, 0}, (uint32_t) result, 0});
    } else if (!pp_intake_is_undone(result)) {
        line_finish(line, LINE_WRITING, (pp_result){pp_fault_from(-result), 0, 0});
    } else if (line_is_wished(line, LINE_WRITING)) {
        line_finish(line, LINE_WRITING, (pp_result){{PIPEPORT_STOPPED, 0}, 0, 0});
    } else {
        line_send_write(line);
    }
}

static void line_free(pp_guest *guest)
{
    pp_line *line = (pp_line *) guest;
    close(line->guest.fd);
    pp_memory_give(line->guest.ring->memory, line, sizeof *line);
}

static void line_leave_with(pp_line *line, uint32_t flags)
{
    if ((flags & IORING_CQE_F_BUFFER) != 0) {
        pp_pool_give(&line->guest.ring->pool, flags >> IORING_CQE_BUFFER_SHIFT);
    }
    if ((flags & IORING_CQE_F_MORE) == 0) {
        pp_guest_left(&line->guest);
        line_free(&line->guest);
    }
}

static void line_came(pp_guest *guest, uint32_t lane, int32_t result, uint32_t flags)
{
    pp_line *line = (pp_line *) guest;
    pp_ring *ring = guest->ring;
    line_enter(ring);
    if (lane == LINE_WRITING) {
        line_write_came(line, result);
    } else if (line->leaving) {
        line_leave_with(line, flags);
    } else {
        line_read_came(line, result, flags);
    }
    line_exit(ring);
}

/* ---- Wishes and the end, at home ---- */

/* An operation that the home does not know of yet meets its wish in line_asked. */
static void line_meet_wishes(pp_line *line)
{
    if (line_armed(line, LINE_READING) != NULL && line_is_wished(line, LINE_READING)) {
        if (line->intake.shot == PP_SHOT_BLOCK) {
            pp_ring_cancel(&line->guest, LINE_READING);
        } else {
            line_finish(line, LINE_READING, (pp_result){{PIPEPORT_STOPPED, 0}, 0, 0});
        }
    }
    if (line_armed(line, LINE_WRITING) != NULL && line_is_wished(line, LINE_WRITING)) {
        pp_ring_cancel(&line->guest, LINE_WRITING);
    }
}

/* No letter is under way, and none will be. If a request is with the kernel, the socket has been shut down. */
static void line_leave(pp_line *line)
{
    PP_ASSERT(line->known == 0 && !line->sending);
    pp_intake_drop(line_intake(line));
    if (line->intake.shot == PP_SHOT_NONE) {
        line_free(&line->guest);
    } else { /* The shutdown brings the request home, but not a multishot poll; and a stream that is asked for only now
                may miss its end (intake.h). */
        line->leaving = true;
        if (line_is_unread(line) || line->intake.shot == PP_SHOT_WATCH || line->intake.shot == PP_SHOT_STREAM) {
            pp_ring_cancel(&line->guest, LINE_READING);
        }
        pp_guest_leave(&line->guest);
    }
}

static void line_called(pp_guest *guest, uint32_t calls)
{
    pp_line *line = (pp_line *) guest;
    pp_ring *ring = guest->ring;
    line_enter(ring);
    for (int lane = 0; lane < LINE_LANES; lane++) {
        if ((calls & (uint32_t) PP_CALLED_ASKED << lane) != 0) {
            line_asked(line, lane);
        }
    }
    if ((calls & PP_CALLED_LAST) != 0) {
        line_leave(line);
    } else {
        line_meet_wishes(line);
    }
    line_exit(ring);
}

const pp_guest_kind pp_line_kind = {line_came, line_called, line_free};

/* ---- The driver's calls ---- */

pp_fault pp_line_open(pp_pipe *pipe, int fd, pp_mailbox *home, uint8_t is)
{
    pp_line *line = pp_memory_take_zeroed(((pp_ring *) home)->memory, sizeof *line);
    if (line == NULL) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    pp_guest_init(&line->guest, PP_GUEST_LINE, (pp_ring *) home, fd);
    line->is = is;
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
        line_learn(line, lane);
    }
    atomic_store_explicit(&line->guest.lane[lane], (char *) op, memory_order_release);
    if (!here) {
        pp_guest_call(&line->guest, (uint32_t) PP_CALLED_ASKED << lane);
    }
    return here;
}

/* The same from outside of a take. False is also the answer to who may not look. */
static bool line_try_here(pp_line *line, void *data, uint32_t bytes, pp_result *result)
{
    pp_ring *ring = line->guest.ring;
    if (!ring->lent) {
        return pp_ring_is_here(ring) && pp_intake_try(line_intake(line), data, bytes, result);
    }
    line_enter(ring);
    bool done = pp_intake_try(line_intake(line), data, bytes, result);
    line_exit(ring);
    return done;
}

pp_armed pp_line_await(void *state, pp_op *op, pp_result *now)
{
    pp_line *line = state;
    if (line->is == 0 && line_try_here(line, NULL, 0, now)) {
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
    bool is_whole = (line->is & PP_SOCKET_WHOLE) != 0;
    if (is_whole ? line_read_whole(line, piece, now)
                 : line_try_here(line, piece->iov_base, (uint32_t) piece->iov_len, now)) {
        return PP_NOW;
    }
    if (op == NULL) { /* Whoever may not look awaits, and is answered at home. */
        *now = (pp_result){{PIPEPORT_OK, 0}, 0, is_whole};
        return PP_NOW;
    }
    pp_room *room = pp_room_of(op);
    room->letter.pieces = LINE_READ;
    room->letter.bytes = (uint32_t) piece->iov_len;
    room->as.data = piece->iov_base;
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
            moved = pp_transfer_out(fd, pieces[0].iov_base, pieces[0].iov_len, MSG_DONTWAIT);
        } else {
            struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
            moved = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
    } while (moved < 0 && errno == EINTR);
    if (moved < 0 && errno == EAGAIN) {
        return false;
    }
    *result = moved < 0 ? (pp_result){pp_fault_from(errno), 0, 0} : (pp_result){{PIPEPORT_OK, 0}, (uint32_t) moved, 0};
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
    if (op == NULL) {
        if (!line_write_now(line->guest.fd, pieces, count, now)) {
            *now = (pp_result){{PIPEPORT_OK, 0}, 0, 0};
        }
        return PP_NOW;
    }
    if (!line_batches(line->guest.ring, pieces, count) && line_write_now(line->guest.fd, pieces, count, now)) {
        return PP_NOW;
    }
    pp_room *room = pp_room_of(op);
    room->letter.pieces = LINE_WRITE;
    room->letter.bytes = (uint32_t) pieces[0].iov_len;
    room->as.data = pieces[0].iov_base;
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
        if (atomic_compare_exchange_strong_explicit(&line->guest.lane[lane], &armed, armed + 1, memory_order_acq_rel,
                                                    memory_order_relaxed)) {
            if (pp_ring_is_here(line->guest.ring)) {
                line_meet_wishes(line);
            } else {
                pp_guest_call(&line->guest, 0);
            }
            return;
        }
    }
}

/* What came already and is not read is no word of the kernel's any more. It is for who may look at the line: at home,
 * or under the lock of a lent ring. */
static bool line_holds(pp_line *line)
{
    line_enter(line->guest.ring);
    bool holds = line->intake.held_count > 0 || line->intake.ended != PIPEPORT_OK;
    line_exit(line->guest.ring);
    return holds;
}

/* The socket first: what leaves it meanwhile is a completion then. Elsewhere the ring cannot be looked at; where it is
 * lent all that is done with its pipes is done by who takes, one after the other. Last what the line holds, for there
 * ends what the ring had: an await of another thread is no reason for the kernel to say it again. */
bool pp_line_is_answered(void *state, const pp_op *op)
{
    pp_line *line = state;
    pp_ring *ring = line->guest.ring;
    for (uint32_t lane = 0; lane < LINE_LANES; lane++) {
        if (atomic_load_explicit(&line->guest.lane[lane], memory_order_acquire) == (const char *) op) {
            return (!ring->lent && !pp_ring_is_here(ring)) ||
                   pp_socket_is_ready(line->guest.fd, lane == LINE_WRITING   ? POLLOUT
                                                      : line_is_unread(line) ? 0
                                                                             : POLLIN) ||
                   pp_ring_has_word(&line->guest, lane) || (lane == LINE_READING && line_holds(line));
        }
    }
    return true;
}

void pp_line_close(void *state)
{
    pp_line *line = state;
    bool here = pp_ring_is_here(line->guest.ring);
    /* It fails where the peer has closed: then nobody has to hear of it. */
    if (!here || line->intake.shot != PP_SHOT_NONE) {
        (void) shutdown(line->guest.fd, SHUT_RDWR);
    }
    if (!here) {
        pp_guest_call(&line->guest, PP_CALLED_LAST);
    } else if (pp_guest_end(&line->guest)) {
        line_leave(line);
    }
}
