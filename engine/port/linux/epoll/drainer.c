/* SPDX-License-Identifier: MIT */
#include "engine/port/linux/gnu.h"

#include "engine/port/linux/epoll/drainer.h"

#include "engine/base/assert.h"
#include "engine/port/linux/fault.h"
#include "engine/port/os.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
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

pp_fault pp_drainer_init(pp_drainer *drainer)
{
    pp_fault fault;
    *drainer = (pp_drainer){.epoll = -1, .bell = -1, .bell_source = {&drainer_bell_kind, NULL}};
    drainer->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (drainer->epoll < 0) {
        return pp_fault_from(errno);
    }
    drainer->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (drainer->bell < 0) {
        fault = pp_fault_from(errno);
        goto close_epoll;
    }
    fault = pp_drainer_watch(drainer, drainer->bell, EPOLLIN | EPOLLET, &drainer->bell_source);
    if (fault.status != PIPEPORT_OK) {
        goto close_bell;
    }
    return drainer_ok;

close_bell:
    close(drainer->bell);
close_epoll:
    close(drainer->epoll);
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

void pp_drainer_fini(pp_drainer *drainer)
{
    drainer_free_buried(drainer);
    close(drainer->bell);
    close(drainer->epoll);
}

static pp_fault drainer_control(pp_drainer *drainer, int verb, int fd, uint32_t events, pp_source *source)
{
    struct epoll_event event = {.events = events, .data = {.ptr = source}};
    return epoll_ctl(drainer->epoll, verb, fd, &event) == 0 ? drainer_ok : pp_fault_from(errno);
}

pp_fault pp_drainer_watch(pp_drainer *drainer, int fd, uint32_t events, pp_source *source)
{
    return drainer_control(drainer, EPOLL_CTL_ADD, fd, events, source);
}

pp_fault pp_drainer_rewatch(pp_drainer *drainer, int fd, uint32_t events, pp_source *source)
{
    return drainer_control(drainer, EPOLL_CTL_MOD, fd, events, source);
}

void pp_drainer_unwatch(pp_drainer *drainer, int fd)
{
    PP_VERIFY(epoll_ctl(drainer->epoll, EPOLL_CTL_DEL, fd, NULL) == 0); /* Else an event would outlive its source. */
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

void pp_drainer_count(pp_drainer *drainer, int more)
{
    atomic_fetch_add_explicit(&drainer->armed, (uint64_t) (int64_t) more, memory_order_relaxed);
}

static void drainer_push(pp_drainer *drainer, pp_op *op)
{
    pp_op *newest = atomic_load_explicit(&drainer->posted, memory_order_relaxed);
    int bell = drainer->bell;
    do {
        pp_room_of(op)->next = newest == &drainer->asleep ? NULL : newest;
    } while (!atomic_compare_exchange_weak_explicit(&drainer->posted, &newest, op, memory_order_release,
                                                    memory_order_relaxed));
    if (newest == &drainer->asleep) {
        PP_VERIFY(eventfd_write(bell, 1) == 0);
    }
}

void pp_drainer_post(pp_drainer *drainer, pp_op *op, pp_result result)
{
    pp_room_of(op)->as.result = result;
    drainer_push(drainer, op);
}

static void drainer_append(pp_drainer *drainer, pp_op *op)
{
    pp_room_of(op)->next = NULL;
    if (drainer->ready_first == NULL) {
        drainer->ready_first = op;
    } else {
        pp_room_of(drainer->ready_last)->next = op;
    }
    drainer->ready_last = op;
    drainer->ready_count++;
}

void pp_drainer_finish(pp_drainer *drainer, pp_op *op, pp_result result)
{
    pp_room_of(op)->as.result = result;
    drainer_append(drainer, op);
}

/* One wake stands for all that come before the taker has met it: what they changed before, it sees when it returns
 * (the exchanges on `woken` pair). */
void pp_drainer_wake(pp_drainer *drainer)
{
    if (!atomic_exchange_explicit(&drainer->woken, true, memory_order_acq_rel)) {
        drainer_push(drainer, &drainer->wake);
    }
}

/* Moves what was posted to the ready list, oldest first. True: a wake was among it. */
static bool drainer_collect(pp_drainer *drainer)
{
    if (atomic_load_explicit(&drainer->posted, memory_order_relaxed) == NULL) {
        return false;
    }
    bool woken = false;
    pp_op *op = atomic_exchange_explicit(&drainer->posted, NULL, memory_order_acquire);
    pp_op *oldest = NULL;
    while (op != NULL && op != &drainer->asleep) {
        pp_op *next = pp_room_of(op)->next;
        if (op == &drainer->wake) {
            atomic_exchange_explicit(&drainer->woken, false, memory_order_acq_rel);
            woken = true;
        } else {
            pp_room_of(op)->next = oldest;
            oldest = op;
        }
        op = next;
    }
    while (oldest != NULL) {
        pp_op *next = pp_room_of(oldest)->next;
        drainer_append(drainer, oldest);
        oldest = next;
    }
    return woken;
}

static int drainer_sleep_ms(pp_drainer *drainer, uint32_t wait_ms)
{
    pp_op *nothing = NULL;
    if (wait_ms == 0 || !atomic_compare_exchange_strong_explicit(&drainer->posted, &nothing, &drainer->asleep,
                                                                 memory_order_relaxed, memory_order_relaxed)) {
        return 0;
    }
    if (wait_ms == UINT32_MAX) {
        return -1;
    }
    return wait_ms < INT_MAX ? (int) wait_ms : INT_MAX;
}

static void drainer_poll(pp_drainer *drainer, uint32_t wait_ms)
{
    struct epoll_event events[PP_BATCH_MAX];
    bool woken = drainer_collect(drainer);
    int sleep_ms = woken || drainer->ready_count > 0 ? 0 : drainer_sleep_ms(drainer, wait_ms);
    int count = epoll_wait(drainer->epoll, events, PP_BATCH_MAX, sleep_ms);
    PP_VERIFY(count >= 0 || errno == EINTR); /* Interrupted: as if the time had passed. */
    for (int i = 0; i < count; i++) {
        pp_source *source = events[i].data.ptr;
        source->kind->ready(source, events[i].events, drainer);
    }
    drainer_collect(drainer);
}

uint32_t pp_drainer_take(pp_drainer *drainer, uint32_t wait_ms, pp_completion *completions, uint32_t max)
{
    uint32_t count = 0;
    atomic_store_explicit(&drainer->taker, pp_os_thread_self(), memory_order_release);
    drainer_free_buried(drainer);
    if (drainer->ready_count < max) {
        drainer_poll(drainer, wait_ms);
    }
    while (count < max && drainer->ready_first != NULL) {
        pp_op *op = drainer->ready_first;
        drainer->ready_first = pp_room_of(op)->next;
        drainer->ready_count--;
        completions[count++] = (pp_completion){op, pp_room_of(op)->as.result};
    }
    atomic_fetch_add_explicit(&drainer->done, count, memory_order_relaxed);
    return count;
}
