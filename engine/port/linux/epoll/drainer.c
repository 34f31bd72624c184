/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/epoll/drainer.h"

#include "engine/base/assert.h"
#include "engine/port/linux/fault.h"
#include "engine/port/os.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <unistd.h>

static const pp_fault drainer_ok = {PIPEPORT_OK, 0};

/* The bell only ends epoll_wait: what it rang for lies in `posted`. */
static void drainer_bell_ready(pp_source *source, uint32_t events, pp_drainer *drainer)
{
    (void) source;
    (void) events;
    (void) drainer;
}

static const pp_source_kind drainer_bell_kind = {drainer_bell_ready, NULL};

pp_fault pp_drainer_create(pp_mailbox **out, pp_memory *memory, bool lent, const char **refused)
{
    (void) lent; /* Whoever takes is as good as another. */
    (void) refused;
    pp_drainer *drainer = pp_memory_take_zeroed(memory, sizeof *drainer);
    if (drainer == NULL) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    pp_fault fault = pp_mailbox_init(&drainer->mailbox);
    if (fault.status != PIPEPORT_OK) {
        goto free_drainer;
    }
    drainer->memory = memory;
    drainer->bell_source = (pp_source){&drainer_bell_kind, {{drainer->mailbox.bell, 0}}};
    drainer->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (drainer->epoll < 0) {
        fault = pp_fault_from(errno);
        goto fini_mailbox;
    }
    fault = pp_drainer_watch(drainer, EPOLLIN | EPOLLET, &drainer->bell_source);
    if (fault.status != PIPEPORT_OK) {
        goto close_epoll;
    }
    *out = &drainer->mailbox;
    return fault;

close_epoll:
    close(drainer->epoll);
fini_mailbox:
    pp_mailbox_fini(&drainer->mailbox);
free_drainer:
    pp_memory_give(memory, drainer, sizeof *drainer);
    return fault;
}

static void drainer_free_buried(pp_drainer *drainer)
{
    if (atomic_load_explicit(&drainer->buried, memory_order_relaxed) == NULL) {
        return;
    }
    pp_source *source = atomic_exchange_explicit(&drainer->buried, NULL, memory_order_acquire);
    while (source != NULL) {
        pp_source *next = source->next;
        source->kind->free(source);
        source = next;
    }
}

void pp_drainer_destroy(pp_mailbox *mailbox, pp_memory *memory)
{
    pp_drainer *drainer = (pp_drainer *) mailbox;
    drainer_free_buried(drainer);
    close(drainer->epoll);
    pp_mailbox_fini(mailbox);
    pp_memory_give(memory, drainer, sizeof *drainer);
}

static pp_fault drainer_control(pp_drainer *drainer, int verb, uint32_t events, pp_source *source)
{
    struct epoll_event event = {.events = events, .data = {.ptr = source}};
    return epoll_ctl(drainer->epoll, verb, source->fd, &event) == 0 ? drainer_ok : pp_fault_from(errno);
}

pp_fault pp_drainer_watch(pp_drainer *drainer, uint32_t events, pp_source *source)
{
    return drainer_control(drainer, EPOLL_CTL_ADD, events, source);
}

pp_fault pp_drainer_rewatch(pp_drainer *drainer, uint32_t events, pp_source *source)
{
    return drainer_control(drainer, EPOLL_CTL_MOD, events, source);
}

void pp_drainer_unwatch(pp_drainer *drainer, pp_source *source)
{
    PP_VERIFY(epoll_ctl(drainer->epoll, EPOLL_CTL_DEL, source->fd, NULL) ==
              0); /* Else an event would outlive its source. */
}

void pp_drainer_bury(pp_drainer *drainer, pp_source *source)
{
    if (atomic_load_explicit(&drainer->taker, memory_order_acquire) == pp_os_thread_self()) {
        source->kind->free(source);
        return;
    }
    pp_source *newest = atomic_load_explicit(&drainer->buried, memory_order_relaxed);
    do {
        source->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&drainer->buried, &newest, source, memory_order_release,
                                                    memory_order_relaxed));
}

static int drainer_wait_ms(pp_drainer *drainer, uint32_t wait_ms)
{
    if (wait_ms == 0 || !pp_mailbox_sleep(&drainer->mailbox)) {
        return 0;
    }
    if (wait_ms == UINT32_MAX) {
        return -1;
    }
    return wait_ms < INT_MAX ? (int) wait_ms : INT_MAX;
}

static bool drainer_collect(pp_drainer *drainer)
{
    bool woken = false;
    pp_letter *others = pp_mailbox_collect(&drainer->mailbox, &woken);
    PP_VERIFY(others == NULL); /* This driver posts none. */
    return woken;
}

static void drainer_poll(pp_drainer *drainer, uint32_t wait_ms, uint32_t max)
{
    struct epoll_event events[PP_BATCH_MAX];
    bool woken = drainer_collect(drainer);
    int sleep_ms = woken || drainer->mailbox.ready_count > 0 ? 0 : drainer_wait_ms(drainer, wait_ms);
    int count = epoll_wait(drainer->epoll, events, (int) max, sleep_ms);
    PP_VERIFY(count >= 0 || errno == EINTR); /* Interrupted: as if the time had passed. */
    for (int i = 0; i < count; i++) {
        pp_source *source = events[i].data.ptr;
        source->kind->ready(source, events[i].events, drainer);
    }
    (void) drainer_collect(drainer);
}

uint32_t pp_drainer_take(pp_mailbox *mailbox, uint32_t wait_ms, pp_completion *completions, uint32_t max)
{
    pp_drainer *drainer = (pp_drainer *) mailbox;
    atomic_store_explicit(&drainer->taker, pp_os_thread_self(), memory_order_release);
    drainer_free_buried(drainer);
    drainer->skipped = mailbox->ready_count >= max && !drainer->skipped;
    if (!drainer->skipped) {
        drainer_poll(drainer, wait_ms, max);
    }
    return pp_mailbox_hand_out(mailbox, completions, max);
}
