/* SPDX-License-Identifier: MIT */
#include "engine/port/windows/port.h"

#include "engine/base/assert.h"
#include "engine/port/os.h"
#include "engine/port/windows/fault.h"
#include "engine/port/windows/modes.h"

enum { PORT_LOOK_MS = 500 };

enum port_key { PORT_KEY_PIPE, PORT_KEY_POST, PORT_KEY_WAKE };

pp_fault pp_port_create(pp_port **out, pp_memory *memory, const pp_port_options *options)
{
    PP_ASSERT(options->drainers >= 1 && options->drainers <= PP_DRAINERS_MAX);
    pp_port *port = pp_memory_take_zeroed(memory, sizeof *port);
    if (port == NULL) {
        return (pp_fault){PIPEPORT_NO_MEMORY, 0};
    }
    port->memory = memory;
    atomic_init(&port->used, options->drainers);
    port->iocp = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, pp_os_processors());
    if (port->iocp == NULL) {
        pp_fault fault = pp_fault_from(GetLastError());
        fault.status = fault.status == PIPEPORT_NO_MEMORY ? PIPEPORT_NO_MEMORY : PIPEPORT_SYSTEM;
        pp_memory_give(memory, port, sizeof *port);
        return fault;
    }
    *out = port;
    return (pp_fault){PIPEPORT_OK, 0};
}

void pp_port_destroy(pp_port *port)
{
    uint64_t armed, done;
    pp_port_count(port, &armed, &done);
    PP_ASSERT(armed == done);
    CloseHandle(port->iocp);
    pp_memory_give(port->memory, port, sizeof *port);
}

pp_memory *pp_port_memory(const pp_port *port)
{
    return port->memory;
}

bool pp_port_is_shared(const pp_port *port)
{
    (void) port;
    return true;
}

pp_fault pp_port_adopt(pp_port *port, HANDLE handle, bool silent)
{
    const UCHAR modes = FILE_SKIP_SET_EVENT_ON_HANDLE | (silent ? FILE_SKIP_COMPLETION_PORT_ON_SUCCESS : 0);
    if (CreateIoCompletionPort(handle, port->iocp, PORT_KEY_PIPE, 0) == NULL ||
        !SetFileCompletionNotificationModes(handle, modes)) {
        return pp_fault_from(GetLastError());
    }
    return (pp_fault){PIPEPORT_OK, 0};
}

/* Thread ids are multiples of 4. */
static pp_drainer *port_tally(pp_port *port)
{
    return &port->drainers[(GetCurrentThreadId() >> 2) % PP_DRAINERS_MAX];
}

void pp_port_arm(pp_port *port, pp_op *op, pp_pipe *accepting)
{
    *pp_room_of(op) = (pp_room){.accepting = accepting};
    op->own_mark = accepting != NULL ? PP_MARK_ACCEPT : PP_MARK_PLAIN;
    atomic_fetch_add_explicit(&port_tally(port)->armed, 1, memory_order_relaxed);
}

void pp_port_arm_message(pp_port *port, pp_op *op, HANDLE handle)
{
    pp_port_arm(port, op, NULL);
    pp_room_of(op)->message = handle;
    op->own_mark = PP_MARK_MESSAGE;
}

void pp_port_arm_write(pp_port *port, pp_op *op, uint32_t bytes)
{
    pp_port_arm(port, op, NULL);
    op->own_mark = PP_MARK_WRITE;
    op->own_bytes = bytes;
}

void pp_port_disarm(pp_port *port)
{
    atomic_fetch_sub_explicit(&port_tally(port)->armed, 1, memory_order_relaxed);
}

/* Puts the chain first..last before what is there. */
static void port_push_refused(pp_port *port, pp_op *first, pp_op *last)
{
    pp_op *head = atomic_load_explicit(&port->refused, memory_order_relaxed);
    do {
        pp_room_of(last)->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&port->refused, &head, first, memory_order_release,
                                                    memory_order_relaxed));
}

static uint32_t port_take_refused(pp_port *port, pp_completion *completions, uint32_t max)
{
    if (atomic_load_explicit(&port->refused, memory_order_relaxed) == NULL) {
        return 0;
    }
    pp_op *op = atomic_exchange_explicit(&port->refused, NULL, memory_order_acquire);
    uint32_t count = 0;
    while (op != NULL && count < max) {
        pp_op *next = pp_room_of(op)->next;
        completions[count++] = (pp_completion){.op = op};
        op = next;
    }
    if (op != NULL) {
        pp_op *last = op;
        while (pp_room_of(last)->next != NULL) {
            last = pp_room_of(last)->next;
        }
        port_push_refused(port, op, last);
    }
    return count;
}

void pp_port_keep(pp_port *port, pp_op *op)
{
    port_push_refused(port, op, op);
}

void pp_port_post(pp_port *port, pp_op *op)
{
    pp_port_arm(port, op, NULL);
    if (!PostQueuedCompletionStatus(port->iocp, 0, PORT_KEY_POST, &pp_room_of(op)->overlapped)) {
        pp_port_keep(port, op);
    }
}

static void port_send_wakes(pp_port *port, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        /* Refused: the drainer sees the count a little later. */
        (void) PostQueuedCompletionStatus(port->iocp, 0, PORT_KEY_WAKE, NULL);
    }
}

void pp_port_wake(pp_port *port)
{
    atomic_fetch_add(&port->wakes, 1);
    port_send_wakes(port, atomic_load(&port->used));
}

/* True once for each wake, or for several that came together. */
static bool port_sees_wake(pp_port *port, pp_drainer *drainer)
{
    uint32_t wakes = atomic_load(&port->wakes);
    bool news = wakes != drainer->wakes_seen;
    drainer->wakes_seen = wakes;
    return news;
}

/* Sequentially consistent on both sides: a wake that counts too few drainers is seen by the one it did not count. */
static void port_enlist(pp_port *port, uint32_t drainer)
{
    uint32_t used = atomic_load_explicit(&port->used, memory_order_relaxed);
    while (drainer >= used && !atomic_compare_exchange_weak(&port->used, &used, drainer + 1)) {
    }
}

/* What Wine has not written down (port.h) its packet knows, but for what a read has brought. */
static void port_recall(const pp_op *op, const OVERLAPPED_ENTRY *entry, unsigned long *status, uint32_t *bytes)
{
    if (op->own_mark == PP_MARK_WRITE || op->own_mark == PP_MARK_ACCEPT || NT_ERROR((NTSTATUS) entry->Internal)) {
        *status = (unsigned long) entry->Internal;
        *bytes = op->own_mark == PP_MARK_WRITE ? op->own_bytes : 0;
    }
}

static pp_completion port_unpack(const OVERLAPPED_ENTRY *entry)
{
    pp_completion completion = {.op = (pp_op *) (void *) ((char *) entry->lpOverlapped - offsetof(pp_op, room))};
    if (entry->lpCompletionKey == PORT_KEY_POST) {
        return completion;
    }
    pp_room *room = pp_room_of(completion.op);
    unsigned long status = (unsigned long) room->overlapped.Internal;
    uint32_t bytes = entry->dwNumberOfBytesTransferred;
    if (status == STATUS_PENDING) {
        port_recall(completion.op, entry, &status, &bytes);
    }
    completion.result.fault = pp_fault_from_packet(status);
    if (completion.result.fault.status == PIPEPORT_OK) {
        completion.result.bytes = bytes;
        if (completion.op->own_mark == PP_MARK_MESSAGE && pp_fault_is_part(status)) {
            completion.result.more = pp_modes_left(room->message); /* Nobody closes it while this read is not home. */
        }
    } else if (completion.op->own_mark == PP_MARK_ACCEPT) {
        pp_pipe_abort(room->accepting); /* The owner is promised a closed pipe. */
    }
    return completion;
}

static uint32_t port_dequeue(pp_port *port, uint32_t wait_ms, pp_completion *completions, uint32_t max)
{
    OVERLAPPED_ENTRY entries[PP_BATCH_MAX];
    ULONG got = 0;
    if (!GetQueuedCompletionStatusEx(port->iocp, entries, max, &got, wait_ms, FALSE)) {
        PP_VERIFY(GetLastError() == WAIT_TIMEOUT);
        return 0;
    }
    uint32_t count = 0, wakes = 0;
    for (ULONG i = 0; i < got; i++) {
        if (entries[i].lpCompletionKey == PORT_KEY_WAKE) {
            wakes++;
        } else {
            completions[count++] = port_unpack(&entries[i]);
        }
    }
    if (wakes > 1) {
        port_send_wakes(port, wakes - 1);
    }
    return count;
}

/* A read of 0 bytes would have to do it; what Wine makes of one is not what Windows does. */
bool pp_port_can_await(const pp_port *port)
{
    (void) port;
    return false;
}

const char *pp_port_driver(const pp_port *port)
{
    (void) port;
    return "IOCP";
}

uint32_t pp_port_take(pp_port *port, uint32_t drainer, uint32_t wait_ms, pp_completion *completions, uint32_t max)
{
    PP_ASSERT(drainer < PP_DRAINERS_MAX);
    PP_ASSERT(max >= 1 && max <= PP_BATCH_MAX);
    pp_drainer *self = &port->drainers[drainer];
    port_enlist(port, drainer);
    for (uint32_t left_ms = wait_ms;;) {
        uint32_t count = port_take_refused(port, completions, max);
        bool woken = port_sees_wake(port, self);
        uint32_t slice_ms = left_ms < PORT_LOOK_MS ? left_ms : PORT_LOOK_MS;
        if (count < max) {
            uint32_t now_ms = count > 0 || woken ? 0 : slice_ms;
            count += port_dequeue(port, now_ms, completions + count, max - count);
        }
        woken |= port_sees_wake(port, self);
        if (count > 0 || woken || left_ms == slice_ms) {
            atomic_fetch_add_explicit(&self->done, count, memory_order_release);
            return count;
        }
        left_ms = left_ms == UINT32_MAX ? UINT32_MAX : left_ms - slice_ms;
    }
}

void pp_port_count(const pp_port *port, uint64_t *armed, uint64_t *done)
{
    /* What is done was armed before, so in this order nobody sees more done than armed. */
    uint64_t in = 0, out = 0;
    for (uint32_t i = 0; i < PP_DRAINERS_MAX; i++) {
        in += atomic_load_explicit(&port->drainers[i].done, memory_order_acquire);
    }
    for (uint32_t i = 0; i < PP_DRAINERS_MAX; i++) {
        out += atomic_load_explicit(&port->drainers[i].armed, memory_order_relaxed);
    }
    *armed = out;
    *done = in;
}
