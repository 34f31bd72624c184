/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/epoll/epoll.h"

#include "engine/port/linux/epoll/watch.h"

#include <sys/epoll.h>
#include <sys/socket.h>

typedef struct epoll_view { /* What a drainer's events point at. */
    pp_source source;       /* First: an event's source is this. */
    pp_view *view;
} epoll_view;

static void epoll_view_ready(pp_source *source, uint32_t events, pp_drainer *drainer)
{
    pp_view *view = ((epoll_view *) source)->view;
    (void) events;
    view->ready(view, &drainer->mailbox);
}

static void epoll_view_free(pp_source *source)
{
    pp_view *view = ((epoll_view *) source)->view;
    pp_memory_give(view->memory, source, sizeof(epoll_view));
    view->gone(view);
}

static const pp_source_kind epoll_view_kind = {epoll_view_ready, epoll_view_free};

/* Exclusive: a client wakes one drainer that is idle. */
static pp_fault epoll_watch(pp_mailbox *drainer, int fd, pp_view *view)
{
    epoll_view *own = pp_memory_take(view->memory, sizeof *own);
    if (own == NULL) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    *own = (epoll_view){{&epoll_view_kind, {{fd, 0}}}, view};
    view->own = own;
    pp_fault fault = pp_drainer_watch((pp_drainer *) drainer, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE, &own->source);
    if (fault.status != PIPEPORT_OK) {
        pp_memory_give(view->memory, own, sizeof *own);
    }
    return fault;
}

static void epoll_unwatch(pp_mailbox *drainer, int fd, pp_view *view)
{
    epoll_view *own = view->own;
    (void) fd;
    pp_drainer_unwatch((pp_drainer *) drainer, &own->source);
    pp_drainer_bury((pp_drainer *) drainer, &own->source);
}

const pp_driver pp_epoll_driver = {
    .name = "epoll",
    .socket_flags = SOCK_NONBLOCK,
    .create = pp_drainer_create,
    .destroy = pp_drainer_destroy,
    .take = pp_drainer_take,
    .watch = epoll_watch,
    .unwatch = epoll_unwatch,
    .open = pp_watch_open,
    .await = pp_watch_await,
    .read = pp_watch_read,
    .write = pp_watch_write,
    .cancel = pp_watch_cancel,
    .is_answered = pp_watch_is_answered,
    .close = pp_watch_close,
};
