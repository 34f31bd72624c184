/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/uring/intake.h"

#include "engine/base/assert.h"
#include "engine/port/linux/fault.h"
#include "engine/port/linux/transfer.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum {
    INTAKE_TRY_BYTES = 16 * 1024, /* A read of so many tries the socket itself. */
    INTAKE_SHORTS = 4,            /* A stream is worth while after so many short receives, and a watch is not. */
    INTAKE_HELD_MAX = 4           /* And ends with so many buffers that nobody reads. */
};

static void intake_end(pp_intake *intake, int code)
{
    pp_fault fault = code == 0 ? (pp_fault){PIPEPORT_GONE, 0} : pp_fault_from(code);
    intake->ended = (uint8_t) fault.status;
    intake->ended_code = (int16_t) fault.system_code;
}

static pp_result intake_ended(const pp_intake *intake)
{
    return (pp_result){{(pipeport_status) intake->ended, intake->ended_code}, 0, 0};
}

/* ---- What is held ---- */

static void intake_hold(pp_intake *intake, pp_pool *pool, uint32_t buffer, uint32_t bytes)
{
    pool->bytes[buffer] = (uint16_t) bytes;
    if (intake->held_count == 0) {
        intake->held_first = (uint16_t) buffer;
        intake->held_at = 0;
    } else {
        pool->next[intake->held_last] = (uint16_t) buffer;
    }
    intake->held_last = (uint16_t) buffer;
    intake->held_count++;
}

static void intake_give_first(pp_intake *intake, pp_pool *pool)
{
    uint16_t buffer = intake->held_first;
    intake->held_first = pool->next[buffer];
    intake->held_at = 0;
    intake->held_count--;
    pp_pool_give(pool, buffer);
}

static uint32_t intake_copy_held(pp_intake *intake, pp_pool *pool, char *data, uint32_t bytes)
{
    uint32_t copied = 0;
    while (copied < bytes && intake->held_count > 0) {
        uint16_t buffer = intake->held_first;
        uint32_t left = pool->bytes[buffer] - (uint32_t) intake->held_at;
        uint32_t part = left < bytes - copied ? left : bytes - copied;
        memcpy(data + copied, pp_pool_data(pool, buffer) + intake->held_at, part);
        copied += part;
        intake->held_at = (uint16_t) (intake->held_at + part);
        if (part == left) {
            intake_give_first(intake, pool);
        }
    }
    return copied;
}

void pp_intake_drop(pp_intake_of of)
{
    while (of.intake->held_count > 0) {
        intake_give_first(of.intake, &of.guest->ring->pool);
    }
}

/* ---- Trying ---- */

static void intake_cancel(pp_intake_of of)
{
    if (!of.intake->ending) {
        of.intake->ending = true;
        pp_ring_cancel(of.guest, of.lane);
    }
}

static void intake_weigh(pp_intake *intake, bool bulk)
{
    intake->bulk = bulk;
    if (bulk) {
        intake->shorts = 0;
    } else if (intake->shorts < INTAKE_SHORTS) {
        intake->shorts++;
    }
}

static bool intake_try_socket(pp_intake_of of, void *data, uint32_t bytes, pp_result *result)
{
    pp_intake *intake = of.intake;
    ssize_t got;
    do {
        got = pp_transfer_in(of.guest->fd, data, bytes, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    intake->more = got == (ssize_t) bytes || (got > 0 && intake->hung_up);
    if (got > 0) {
        intake_weigh(intake, got > PP_POOL_BUFFER_BYTES || intake->cut);
        intake->cut = false;
        if (intake->shot == PP_SHOT_WATCH && intake->shorts == INTAKE_SHORTS) {
            intake_cancel(of);
        }
        *result = (pp_result){{PIPEPORT_OK, 0}, (uint32_t) got, 0};
        return true;
    }
    if (got < 0 && errno == EAGAIN) {
        return false;
    }
    intake_end(intake, got == 0 ? 0 : errno);
    *result = intake_ended(intake);
    return true;
}

bool pp_intake_try(pp_intake_of of, void *data, uint32_t bytes, pp_result *result)
{
    pp_intake *intake = of.intake;
    bool may_look = intake->shot == PP_SHOT_NONE || intake->shot == PP_SHOT_WATCH;
    *result = (pp_result){{PIPEPORT_OK, 0}, 0, 0};
    if (data == NULL) {
        return intake->held_count > 0 || intake->ended != PIPEPORT_OK || (intake->more && may_look);
    }
    if (intake->held_count > 0) {
        result->bytes = intake_copy_held(intake, &of.guest->ring->pool, data, bytes);
    } else if (intake->ended != PIPEPORT_OK) {
        *result = intake_ended(intake);
    } else if (may_look && (intake->more || bytes >= INTAKE_TRY_BYTES)) {
        return intake_try_socket(of, data, bytes, result);
    } else {
        return false;
    }
    return true;
}

/* ---- Requests ---- */

static void intake_send_poll(pp_intake_of of)
{
    struct io_uring_sqe *request = pp_ring_request(of.guest->ring);
    io_uring_prep_poll_add(request, of.guest->fd, POLLIN | POLLRDHUP);
    pp_ring_point(request, of.guest, of.lane);
    of.intake->shot = PP_SHOT_POLL;
}

static void intake_send_multishot(pp_intake_of of, unsigned what)
{
    struct io_uring_sqe *request = pp_ring_request(of.guest->ring);
    io_uring_prep_poll_multishot(request, of.guest->fd, what);
    pp_ring_point(request, of.guest, of.lane);
}

void pp_intake_poll(pp_intake_of of, bool for_end)
{
    if (of.intake->shot != PP_SHOT_NONE) {
        return;
    }
    if (for_end) {
        intake_send_multishot(of, POLLHUP);
        of.intake->shot = PP_SHOT_POLL;
    } else {
        intake_send_poll(of);
    }
}

/* It polls first: after a reply there is rarely something yet. */
static void intake_send_pool(pp_intake_of of, bool again_and_again)
{
    struct io_uring_sqe *request = pp_ring_request(of.guest->ring);
    io_uring_prep_recv(request, of.guest->fd, NULL, again_and_again ? 0 : PP_POOL_BUFFER_BYTES, 0);
    request->ioprio = IORING_RECVSEND_POLL_FIRST | (again_and_again ? IORING_RECV_MULTISHOT : 0);
    request->flags = IOSQE_BUFFER_SELECT;
    request->buf_group = PP_POOL_GROUP;
    pp_ring_point(request, of.guest, of.lane);
    of.intake->shot = again_and_again ? PP_SHOT_STREAM : PP_SHOT_POOL;
    of.intake->fresh = again_and_again;
    of.intake->ending = false;
}

void pp_intake_hint(pp_intake_of of)
{
    if (of.intake->shot != PP_SHOT_NONE) {
        return;
    }
    if (of.intake->bulk && of.guest->ring->lent) {
        intake_send_poll(of);
    } else if (of.intake->bulk) {
        intake_send_multishot(of, POLLIN | POLLRDHUP);
        of.intake->shot = PP_SHOT_WATCH;
        of.intake->ending = of.intake->hung_up = false;
    } else {
        intake_send_pool(of, of.guest->ring->streams && of.intake->shorts >= INTAKE_SHORTS);
    }
}

void pp_intake_block(pp_intake_of of, void *data, uint32_t bytes)
{
    if (of.intake->shot == PP_SHOT_NONE) {
        struct io_uring_sqe *request = pp_ring_request(of.guest->ring);
        io_uring_prep_recv(request, of.guest->fd, data, bytes, 0);
        pp_ring_point(request, of.guest, of.lane);
        of.intake->shot = PP_SHOT_BLOCK;
    }
}

/* ---- What came ---- */

static bool intake_has_ended(pp_intake_of of)
{
    struct pollfd about = {.fd = of.guest->fd, .events = POLLRDHUP};
    return poll(&about, 1, 0) > 0;
}

static void intake_received(pp_intake_of of, uint32_t bytes, uint32_t buffer)
{
    pp_intake *intake = of.intake;
    intake_hold(intake, &of.guest->ring->pool, buffer, bytes);
    intake->more = intake->cut = bytes == PP_POOL_BUFFER_BYTES;
    intake_weigh(intake, intake->cut);
    if (intake->shot == PP_SHOT_STREAM) {
        bool missed = intake->fresh && intake_has_ended(of);
        intake->fresh = false;
        if (missed || intake->bulk || intake->held_count >= INTAKE_HELD_MAX) {
            intake_cancel(of);
        }
    }
}

static void intake_heard(pp_intake *intake, int32_t result)
{
    if (!pp_intake_is_undone(result)) {
        intake->more = true;
        intake->hung_up = intake->hung_up || result < 0 || (result & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
    }
}

bool pp_intake_came(pp_intake_of of, int32_t result, uint32_t flags)
{
    pp_intake *intake = of.intake;
    pp_pool *pool = &of.guest->ring->pool;
    pp_shot shot = (pp_shot) intake->shot;
    if ((flags & IORING_CQE_F_MORE) == 0) {
        intake->shot = PP_SHOT_NONE;
    }
    if (shot == PP_SHOT_WATCH) {
        intake_heard(intake, result);
        return true;
    }
    if (shot == PP_SHOT_POLL) {
        intake->more = !pp_intake_is_undone(result);
        return true;
    }
    if (result == -ENOBUFS) {
        pp_pool_grow(pool);
        intake_send_poll(of);
        return false;
    }
    if (result > 0) {
        PP_VERIFY((flags & IORING_CQE_F_BUFFER) != 0);
        intake_received(of, (uint32_t) result, flags >> IORING_CQE_BUFFER_SHIFT);
        return true;
    }
    if ((flags & IORING_CQE_F_BUFFER) != 0) {
        pp_pool_give(pool, flags >> IORING_CQE_BUFFER_SHIFT);
    }
    if (!pp_intake_is_undone(result)) {
        intake_end(intake, -result);
    }
    return true;
}

bool pp_intake_block_came(pp_intake_of of, int32_t came, uint32_t bytes, pp_result *result)
{
    pp_intake *intake = of.intake;
    intake->shot = PP_SHOT_NONE;
    if (pp_intake_is_undone(came)) {
        return false;
    }
    if (came > 0) {
        intake->more = (uint32_t) came == bytes;
        intake->bulk = came > PP_POOL_BUFFER_BYTES;
        *result = (pp_result){{PIPEPORT_OK, 0}, (uint32_t) came, 0};
    } else {
        intake_end(intake, -came);
        *result = intake_ended(intake);
    }
    return true;
}
