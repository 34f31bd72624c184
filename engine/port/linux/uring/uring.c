/* SPDX-License-Identifier: MIT */
/*
 * uring.c - the driver's table, and its views of listening sockets: a multishot poll on each ring.
 *
 * Not an exclusive one, which would wake the ring that polled first even while its thread is held by a slow handler.
 */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/uring/uring.h"

#include "engine/port/linux/uring/line.h"

#include <poll.h>

typedef struct uring_view {
    pp_guest guest; /* First. */
    pp_view *view;
    bool polled;  /* The taker's: the poll is with the kernel. */
    bool leaving; /* The taker's: it was unwatched. */
} uring_view;

static void uring_view_free(pp_guest *guest)
{
    pp_view *view = ((uring_view *) guest)->view;
    pp_memory_give(view->memory, guest, sizeof(uring_view));
    view->gone(view);
}

/* A new poll looks at once whether somebody is there. */
static void uring_view_poll(uring_view *own)
{
    struct io_uring_sqe *request = pp_ring_request(own->guest.ring);
    io_uring_prep_poll_multishot(request, own->guest.fd, POLLIN);
    pp_ring_point(request, &own->guest, 0);
    own->polled = true;
}

static void uring_view_called(pp_guest *guest, uint32_t calls)
{
    uring_view *own = (uring_view *) guest;
    if ((calls & PP_CALLED_LAST) == 0) {
        uring_view_poll(own);
    } else if (own->polled) {
        own->leaving = true;
        pp_ring_cancel(guest, 0);
        pp_guest_leave(guest);
    } else {
        uring_view_free(guest);
    }
}

static void uring_view_came(pp_guest *guest, uint32_t lane, int32_t result, uint32_t flags)
{
    uring_view *own = (uring_view *) guest;
    (void) lane;
    (void) result;
    own->polled = (flags & IORING_CQE_F_MORE) != 0;
    if (!own->leaving) {
        if (!own->polled) {
            uring_view_poll(own);
        }
        own->view->ready(own->view, &guest->ring->mailbox);
    } else if (!own->polled) {
        pp_guest_left(guest);
        uring_view_free(guest);
    }
}

static const pp_guest_kind uring_view_kind = {
    .came = uring_view_came, .called = uring_view_called, .drop = uring_view_free};

static pp_fault uring_create(pp_mailbox **out, pp_memory *memory, bool lent, const char **refused)
{
    pp_fault fault = pp_ring_create(out, memory, lent, refused);
    if (fault.status == PIPEPORT_OK) {
        pp_ring *ring = (pp_ring *) *out;
        ring->kinds[PP_GUEST_VIEW] = &uring_view_kind;
        ring->kinds[PP_GUEST_LINE] = &pp_line_kind;
    }
    return fault;
}

static pp_fault uring_watch(pp_mailbox *drainer, int fd, pp_view *view)
{
    uring_view *own = pp_memory_take_zeroed(view->memory, sizeof *own);
    if (own == NULL) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    pp_guest_init(&own->guest, PP_GUEST_VIEW, (pp_ring *) drainer, fd);
    own->view = view;
    view->own = own;
    pp_guest_call(&own->guest, 0);
    return (pp_fault){PIPEPORT_OK, 0};
}

static void uring_unwatch(pp_mailbox *drainer, int fd, pp_view *view)
{
    uring_view *own = view->own;
    (void) drainer;
    (void) fd;
    pp_guest_call(&own->guest, PP_CALLED_LAST);
}

const pp_driver pp_uring_driver = {
    .name = "io_uring",
    .socket_flags = 0,
    .create = uring_create,
    .destroy = pp_ring_destroy,
    .take = pp_ring_take,
    .watch = uring_watch,
    .unwatch = uring_unwatch,
    .open = pp_line_open,
    .await = pp_line_await,
    .read = pp_line_read,
    .write = pp_line_write,
    .cancel = pp_line_cancel,
    .is_answered = pp_line_is_answered,
    .close = pp_line_close,
};
