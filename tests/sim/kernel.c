/* SPDX-License-Identifier: MIT */
/* kernel.c - see kernel.h. */
#include "tests/sim/kernel.h"

#include "tests/sim/schedule.h"
#include "tests/sim/trace.h"
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

enum { KERNEL_RECORDS_MAX = 8192, KERNEL_POISON = 0xA7, KERNEL_POISON_BYTES = 48 };

static const uint64_t kernel_lent_mark = UINT64_C(0x51be27a9c64d1f03);

static sim_record records[KERNEL_RECORDS_MAX];
static uint32_t free_records[KERNEL_RECORDS_MAX];
static uint32_t free_count;
static sim_record *pending[KERNEL_RECORDS_MAX]; /* All that are armed, finished or not. */
static uint32_t pending_count;
static sim_record *able[KERNEL_RECORDS_MAX];
static uint32_t able_count;
static sim_record *late[KERNEL_RECORDS_MAX];
static uint32_t late_count;
static uint64_t late_next_ns;
static uint32_t pending_at[KERNEL_RECORDS_MAX]; /* By record. */

void sim_kernel_begin(void)
{
    free_count = KERNEL_RECORDS_MAX;
    for (uint32_t i = 0; i < KERNEL_RECORDS_MAX; i++) {
        free_records[i] = KERNEL_RECORDS_MAX - 1 - i;
    }
    pending_count = able_count = late_count = 0;
    late_next_ns = SIM_NEVER;
}

static void kernel_enlist(sim_record *record, sim_record **list, uint32_t *count)
{
    record->where = list;
    record->at = *count;
    list[(*count)++] = record;
}

static void kernel_delist(sim_record *record, uint32_t *count)
{
    sim_record *last = record->where[--*count];
    record->where[record->at] = last;
    last->at = record->at;
    record->where = NULL;
}

uint64_t sim_sum(uint64_t sum, const uint8_t *data, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        sum = (sum ^ data[i]) * UINT64_C(0x100000001b3);
    }
    return sum;
}

/* Both edges of a lent buffer: whoever writes into one too early or too late is mostly found there. */
static bool kernel_is_poisoned(const sim_record *record)
{
    for (uint32_t i = 0; i < record->bytes && i < KERNEL_POISON_BYTES; i++) {
        if (record->buffer[i] != KERNEL_POISON || record->buffer[record->bytes - 1 - i] != KERNEL_POISON) {
            return false;
        }
    }
    return true;
}

/* By words, for it is done three times for each write that pends. */
static uint64_t kernel_sum(const sim_record *record)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < record->count; i++) {
        const uint8_t *data = record->slices[i].data;
        uint32_t bytes = record->slices[i].bytes;
        for (; bytes >= 8; bytes -= 8, data += 8) {
            uint64_t word;
            memcpy(&word, data, sizeof word);
            sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        }
        sum = sim_sum(sum, data, bytes);
    }
    return sum;
}

sim_record *sim_kernel_arm(pp_op *op, sim_kind kind, pp_port *port)
{
    if (op->room.words[1] == kernel_lent_mark) {
        sim_fail("an operation is armed twice (kind %d)", kind);
    }
    SIM_MUST(free_count > 0);
    uint32_t index = free_records[--free_count];
    sim_record *record = &records[index];
    *record = (sim_record){.op = op, .done = op->done, .home = op->home, .kind = kind, .port = port};
    record->armed_ns = sim_now_ns();
    op->room.words[0] = index;
    op->room.words[1] = kernel_lent_mark;
    pending_at[index] = pending_count;
    pending[pending_count++] = record;
    return record;
}

void sim_kernel_lend(sim_record *record)
{
    if (record->kind == SIM_READ && sim.rules.poisons) {
        uint32_t bytes = record->bytes < KERNEL_POISON_BYTES ? record->bytes : KERNEL_POISON_BYTES;
        memset(record->buffer, KERNEL_POISON, bytes);
        memset(record->buffer + record->bytes - bytes, KERNEL_POISON, bytes);
    } else if (record->kind == SIM_WRITE) {
        record->sum = kernel_sum(record);
    } else if (record->kind == SIM_AWAIT) {
        record->early = sim_happens(sim.rules.early_awaits) && !sim_link_is_barred(record->link, 1 - record->side);
    }
    sim_kernel_look(record);
}

bool sim_kernel_is_able(const sim_record *record)
{
    if (record->cancelled || record->doom.status != PIPEPORT_OK || record->early) {
        return true;
    }
    switch (record->kind) {
    case SIM_READ:
    case SIM_AWAIT:
        return sim_link_readable(record->link, record->side) > 0 || !sim_link_peer_sends(record->link, record->side);
    case SIM_WRITE:
        return sim_link_takes(record->link, record->side, record->bytes) ||
               !sim_link_peer_is_open(record->link, record->side);
    case SIM_ACCEPT:
    case SIM_POST:
        break;
    }
    return false;
}

void sim_kernel_look(sim_record *record)
{
    if (!record->finished && record->where == NULL && sim_kernel_is_able(record)) {
        kernel_enlist(record, able, &able_count);
    }
}

/* What a pending write takes: all slices up to `most` bytes. */
static uint32_t kernel_write(sim_record *record)
{
    uint32_t room = sim_link_writable(record->link, record->side);
    if (record->link->whole) {
        SIM_MUST(sim_link_say(record->link, record->side, record->slices[0].data, record->bytes));
        return record->bytes;
    }
    uint32_t most = record->bytes < room ? record->bytes : room;
    if (most > 1 && sim_happens(sim.rules.short_writes)) {
        most = 1 + sim_below(most);
    }
    uint32_t total = 0;
    for (uint32_t i = 0; i < record->count && total < most; i++) {
        uint32_t rest = most - total < record->slices[i].bytes ? most - total : record->slices[i].bytes;
        total += sim_link_write(record->link, record->side, record->slices[i].data, rest);
    }
    return total;
}

static uint32_t kernel_read(sim_record *record, uint32_t *more)
{
    if (record->link->whole) {
        *more = 1;
        return sim_happens(sim.rules.empty_reads)
                   ? 0
                   : sim_link_hear(record->link, record->side, record->buffer, record->bytes, more);
    }
    uint32_t most = sim_link_readable(record->link, record->side);
    most = record->bytes < most ? record->bytes : most;
    if (most > 1 && sim_happens(sim.rules.short_reads)) {
        most = 1 + sim_below(most);
    } else if (sim_happens(sim.rules.empty_reads)) {
        most = 0;
    }
    return sim_link_read(record->link, record->side, record->buffer, most);
}

/* What comes of an operation that can be done, a cancel left aside. */
static pp_result kernel_result(sim_record *record)
{
    pp_result result = {{PIPEPORT_OK, 0}, 0, 0};
    bool peer_is_open = sim_link_peer_is_open(record->link, record->side);
    switch (record->kind) {
    case SIM_READ:
        if (sim_link_readable(record->link, record->side) > 0) {
            result.bytes = kernel_read(record, &result.more);
        } else if (!sim_link_peer_sends(record->link, record->side)) {
            result.fault = (pp_fault){PIPEPORT_GONE, 109};
        }
        break;
    case SIM_WRITE:
        if (peer_is_open) {
            result.bytes = kernel_write(record);
        } else {
            result.fault = (pp_fault){PIPEPORT_GONE, 232};
        }
        break;
    case SIM_AWAIT:
        result.fault = sim_link_word(record->link, record->side);
        break;
    case SIM_ACCEPT:
    case SIM_POST:
        break;
    }
    return result;
}

/* Not touched while lent. Before the kernel writes to it. */
static void kernel_check_lent(const sim_record *record)
{
    const pp_op *op = record->op;
    if (op->done != record->done || op->home != record->home || op->room.words[1] != kernel_lent_mark) {
        sim_fail("an operation was touched while it was lent (kind %d)", record->kind);
    }
    if (record->kind == SIM_READ && sim.rules.poisons && !kernel_is_poisoned(record)) {
        sim_fail("a read's buffer was touched while it was lent (link %u)", record->link->number);
    }
    if (record->kind == SIM_WRITE && kernel_sum(record) != record->sum) {
        sim_fail("a write's data was touched while it was lent (link %u)", record->link->number);
    }
}

static void kernel_do(sim_record *record)
{
    kernel_check_lent(record);
    pp_result result = {{PIPEPORT_OK, 0}, 0, 0};
    bool could = true;
    if (record->kind == SIM_ACCEPT) {
        sim_ear_withdraw(record);
    }
    if (record->cancelled) {
        bool doom = record->doom.status != PIPEPORT_OK;
        record->cancelled = false;
        could = (doom || record->kind == SIM_ACCEPT ? false : sim_kernel_is_able(record));
        record->cancelled = true;
        could = could && sim_happens(sim.rules.cancel_loses);
    }
    if (!could) {
        result.fault = (pp_fault){PIPEPORT_STOPPED, 995};
    } else if (record->doom.status != PIPEPORT_OK) {
        result.fault = record->doom;
        if (record->link) {
            record->link->sides[record->side].hurt = true;
        }
    } else {
        result = kernel_result(record);
    }
    sim_kernel_finish(record, result);
}

void sim_kernel_finish(sim_record *record, pp_result result)
{
    SIM_MUST(!record->finished);
    if (record->where == able) {
        kernel_delist(record, &able_count);
    }
    record->finished = true;
    record->result = result;
    if (record->kind == SIM_WRITE) {
        sim_side_wrote(&record->link->sides[record->side]);
    }
    if (sim_happens(sim.rules.late)) {
        record->due_ns = sim_now_ns() + sim_random() % sim.rules.late_ns;
        late_next_ns = record->due_ns < late_next_ns ? record->due_ns : late_next_ns;
        kernel_enlist(record, late, &late_count);
    } else {
        sim_port_queue(record);
    }
}

bool sim_kernel_run(void)
{
    if (able_count == 0) {
        return false;
    }
    sim.step++;
    kernel_do(able[sim_below(able_count)]);
    return true;
}

void sim_kernel_deliver(void)
{
    if (sim_now_ns() < late_next_ns) {
        return;
    }
    late_next_ns = SIM_NEVER;
    for (uint32_t i = late_count; i-- > 0;) {
        sim_record *record = late[i];
        if (record->due_ns <= sim_now_ns()) {
            kernel_delist(record, &late_count);
            sim_port_queue(record);
        } else if (record->due_ns < late_next_ns) {
            late_next_ns = record->due_ns;
        }
    }
}

uint64_t sim_kernel_next_ns(void)
{
    return late_next_ns;
}

uint32_t sim_kernel_pending(void)
{
    return pending_count;
}

static void kernel_free(sim_record *record)
{
    uint32_t index = (uint32_t) (record - records);
    sim_record *last = pending[--pending_count];
    pending[pending_at[index]] = last;
    pending_at[last - records] = pending_at[index];
    free_records[free_count++] = index;
}

pp_completion sim_kernel_hand_out(sim_record *record)
{
    static const sim_place places[] = {SIM_AT_READ, SIM_AT_WRITE, SIM_AT_READ, SIM_AT_ACCEPT};
    pp_op *op = record->op;
    if (op->done != record->done || op->home != record->home || op->room.words[1] != kernel_lent_mark) {
        sim_fail("an operation was touched while it was lent (kind %d)", record->kind);
    }
    if (record->kind == SIM_WRITE && kernel_sum(record) != record->sum) {
        sim_fail("a write's data was touched while it was lent (link %u)", record->link->number);
    }
    memset(&op->room, 0, sizeof op->room);
    if (record->kind == SIM_ACCEPT) {
        sim_ear_settle(record);
    } else if (record->kind != SIM_POST) {
        sim_side *side = &record->link->sides[record->side];
        if (record->kind == SIM_WRITE) {
            side->write = NULL;
        } else {
            side->read = NULL;
            sim_link_heard(record->link, record->side, record->result.bytes);
        }
    }
    if (record->kind != SIM_POST) {
        (void) sim_met(places[record->kind], record->result.fault.status);
    }
    sim_trace("home: kind, status, bytes", record->kind, record->result.fault.status, record->result.bytes);
    pp_completion completion = {op, record->result};
    kernel_free(record);
    return completion;
}

sim_record *sim_kernel_find(sim_link *link, uint32_t side, const pp_op *op)
{
    sim_side *at = &link->sides[side];
    if (at->read && at->read->op == op) {
        return at->read;
    }
    return at->write && at->write->op == op ? at->write : NULL;
}

static bool kernel_overlaps(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
    return (uintptr_t) a < (uintptr_t) b + b_bytes && (uintptr_t) b < (uintptr_t) a + a_bytes;
}

void sim_kernel_forbid(const void *block, size_t bytes)
{
    for (uint32_t i = 0; i < pending_count; i++) {
        const sim_record *record = pending[i];
        if (kernel_overlaps(block, bytes, record->op, sizeof *record->op)) {
            sim_fail("memory is freed in which a pending operation lies (kind %d)", record->kind);
        }
        if (record->kind == SIM_READ && kernel_overlaps(block, bytes, record->buffer, record->bytes)) {
            sim_fail("memory is freed that is lent to a read (link %u)", record->link->number);
        }
        for (uint32_t k = 0; record->kind == SIM_WRITE && k < record->count; k++) {
            if (kernel_overlaps(block, bytes, record->slices[k].data, record->slices[k].bytes)) {
                sim_fail("memory is freed that is lent to a write (link %u)", record->link->number);
            }
        }
    }
}
