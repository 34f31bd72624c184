/* SPDX-License-Identifier: MIT */
#include "tests/laws/bed.h"

#include "tests/support/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const pp_plan bed_plan = {.in_bytes = BED_BUFFER_BYTES, .out_bytes = BED_BUFFER_BYTES};
const pp_plan bed_whole_plan = {.in_bytes = BED_BUFFER_BYTES,
                                .out_bytes = BED_BUFFER_BYTES,
                                .typed = true,
                                .whole = true,
                                .message_bytes_max = BED_MESSAGE_BYTES_MAX};

_Noreturn void bed_broken(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: the law is broken: %s\n", file, line, what);
    fflush(stderr);
    abort();
}

static void bed_open_as(test_bed *bed, uint32_t drainers, bool lent)
{
    memset(bed, 0, sizeof *bed);
    bed->plan = bed_plan;
    pp_memory_init(&bed->memory, 0);
    LAW(drainers >= 1 && drainers <= BED_DRAINERS_MAX);
    LAW(pp_port_create(&bed->port, &bed->memory, &(pp_port_options){.drainers = drainers, .lent = lent}).status ==
        PIPEPORT_OK);
    const char *driver = getenv("PIPEPORT_TEST_DRIVER"); /* Set by support/linux/on_driver.c. */
    LAW(driver == NULL || strcmp(driver, pp_port_driver(bed->port)) == 0);
    bed->drainers_count = drainers;
    bed->lent = lent;
    atomic_init(&bed->stopping, false);
}

void bed_open(test_bed *bed, uint32_t drainers)
{
    bed_open_as(bed, drainers, true);
}

void bed_open_own(test_bed *bed, uint32_t drainers)
{
    bed_open_as(bed, drainers, getenv("PIPEPORT_TEST_LENT") != NULL);
}

void bed_close(test_bed *bed)
{
    bed_stop(bed);
    if (bed->ear != NULL) {
        pp_ear_close(bed->ear);
    }
    uint64_t armed, done;
    pp_port_count(bed->port, &armed, &done);
    LAW(armed == done);
    pp_port_destroy(bed->port);
    LAW(atomic_load(&bed->memory.bytes) == 0);
}

void bed_name(char name[80])
{
    static atomic_uint counter;
    unsigned number = atomic_fetch_add(&counter, 1);
    snprintf(name, 80, "pipeport-law-%lu-%llx-%u", system_pid(), (unsigned long long) pp_os_jitter(), number);
}

void bed_listen(test_bed *bed)
{
    bed_listen_for(bed, BED_ROOM);
}

void bed_listen_for(test_bed *bed, uint32_t room)
{
    bed_name(bed->name);
    pp_fault fault = pp_ear_open(&bed->ear, bed->port, &bed->memory, bed->name, &bed->plan);
    LAW(fault.status == PIPEPORT_OK);
    pp_ear_make_room(bed->ear, room);
}

static void bed_drain(void *argument)
{
    bed_drainer *drainer = argument;
    test_bed *bed = drainer->bed;
    pp_completion batch[PP_BATCH_MAX];
    while (!atomic_load(&bed->stopping)) {
        uint32_t count = pp_port_take(bed->port, drainer->number, UINT32_MAX, batch, PP_BATCH_MAX);
        LAW(count <= PP_BATCH_MAX);
        for (uint32_t i = 0; i < count; i++) {
            batch[i].op->done(batch[i].op, batch[i].result, drainer);
        }
    }
}

void bed_start(test_bed *bed)
{
    for (uint32_t i = 0; i < bed->drainers_count; i++) {
        bed_drainer *drainer = &bed->drainers[i];
        *drainer = (bed_drainer){.bed = bed, .number = i};
        LAW(pp_os_thread_start(&drainer->thread, bed_drain, drainer).status == PIPEPORT_OK);
        bed->running++;
    }
}

void bed_stop(test_bed *bed)
{
    atomic_store(&bed->stopping, true);
    if (bed->running > 0) {
        pp_port_wake(bed->port);
    }
    while (bed->running > 0) {
        pp_os_thread_join(&bed->drainers[--bed->running].thread);
    }
    atomic_store(&bed->stopping, false);
}

static bool bed_find_kept(test_bed *bed, const pp_op *op, pp_result *result)
{
    for (uint32_t i = 0; i < bed->kept_count; i++) {
        if (bed->kept[i].op == op) {
            *result = bed->kept[i].result;
            bed->kept[i] = bed->kept[--bed->kept_count];
            return true;
        }
    }
    return false;
}

/* Takes at most one more into what is kept. */
static void bed_keep(test_bed *bed, uint32_t wait_ms)
{
    LAW(bed->kept_count < BED_KEPT_MAX);
    pp_completion *completion = &bed->kept[bed->kept_count];
    if (pp_port_take(bed->port, 0, wait_ms, completion, 1) == 1) {
        LAW(completion->result.bytes == 0 || completion->result.fault.status == PIPEPORT_OK);
        for (uint32_t i = 0; i < bed->kept_count; i++) {
            LAW(bed->kept[i].op != completion->op);
        }
        bed->kept_count++;
    }
}

pp_result bed_await(test_bed *bed, const pp_op *op)
{
    pp_result result;
    uint64_t end_ms = pp_os_now_ms() + BED_PATIENCE_MS;
    while (!bed_find_kept(bed, op, &result)) {
        LAW(pp_os_now_ms() < end_ms);
        bed_keep(bed, 1000);
    }
    return result;
}

bool bed_poll(test_bed *bed, const pp_op *op, pp_result *result)
{
    if (bed_find_kept(bed, op, result)) {
        return true;
    }
    bed_keep(bed, 0);
    return bed_find_kept(bed, op, result);
}

void bed_hears_nothing(test_bed *bed)
{
    bed_keep(bed, 30);
    LAW(bed->kept_count == 0);
}

void bed_end_init(test_bed *bed, bed_end *end, uint32_t home)
{
    memset(end, 0, sizeof *end);
    pp_pipe_init(&end->pipe, bed->port);
    end->accept.home = (uint16_t) home;
}

void bed_end_close(bed_end *end)
{
    pp_pipe_close(&end->pipe);
    LAW(end->pipe.handle == PP_PIPE_CLOSED);
}

void bed_end_abort(bed_end *end)
{
    pp_pipe_abort(&end->pipe);
    LAW(end->pipe.handle == PP_PIPE_CLOSED);
}

static void bed_end_close_if_open(bed_end *end)
{
    if (end != NULL && end->pipe.handle != PP_PIPE_CLOSED) {
        bed_end_close(end);
    }
}

void bed_settle(test_bed *bed, bed_end *server, bed_end *client)
{
    bed_hears_nothing(bed);
    bed_end_close_if_open(server);
    bed_end_close_if_open(client);
    bed_close(bed);
}

pp_fault bed_dial(bed_end *end, const char *name, uint32_t home)
{
    return bed_dial_as(end, name, &bed_plan, home);
}

pp_fault bed_dial_as(bed_end *end, const char *name, const pp_plan *plan, uint32_t home)
{
    uint64_t end_ms = pp_os_now_ms() + BED_PATIENCE_MS;
    pp_fault fault = pp_pipe_dial(&end->pipe, name, plan, home);
    while (fault.status == PIPEPORT_BUSY && pp_os_now_ms() < end_ms) {
        fault = pp_pipe_dial(&end->pipe, name, plan, home);
    }
    return fault;
}

void bed_pair(test_bed *bed, bed_end *server, bed_end *client)
{
    bed_end_init(bed, server, 0);
    bed_end_init(bed, client, 0);
    pp_result now;
    pp_armed armed = pp_pipe_accept(&server->pipe, bed->ear, &server->accept, &now);
    LAW(armed == PP_LATER);
    LAW(bed_dial_as(client, bed->name, &bed->plan, 0).status == PIPEPORT_OK);
    LAW(bed_await(bed, &server->accept).fault.status == PIPEPORT_OK);
    LAW(server->pipe.handle != PP_PIPE_CLOSED && client->pipe.handle != PP_PIPE_CLOSED);
}

pp_armed bed_arm_await(bed_end *end, pp_result *now)
{
    end->read.home = end->pipe.home;
    return pp_pipe_await(&end->pipe, &end->read, now);
}

pp_armed bed_arm_read(bed_end *end, void *buffer, uint32_t bytes, pp_result *now)
{
    end->read.home = end->pipe.home;
    return pp_pipe_read(&end->pipe, buffer, bytes, &end->read, now);
}

pp_armed bed_arm_write(bed_end *end, const void *data, uint32_t bytes, pp_result *now)
{
    pp_slice slice = {data, bytes};
    end->write.home = end->pipe.home;
    return pp_pipe_write(&end->pipe, &slice, 1, &end->write, now);
}

pp_result bed_read(test_bed *bed, bed_end *end, void *buffer, uint32_t bytes)
{
    pp_result result;
    if (bed_arm_read(end, buffer, bytes, &result) == PP_LATER) {
        result = bed_await(bed, &end->read);
    }
    LAW(result.bytes <= bytes);
    return result;
}

pp_result bed_write(test_bed *bed, bed_end *end, const void *data, uint32_t bytes)
{
    pp_result result;
    if (bed_arm_write(end, data, bytes, &result) == PP_LATER) {
        result = bed_await(bed, &end->write);
    }
    LAW(result.bytes <= bytes);
    return result;
}

uint64_t bed_fill(test_bed *bed, bed_end *end, void *block, uint32_t bytes)
{
    uint64_t taken = 0;
    for (;;) {
        pp_result now;
        bed_stamp(block, bytes, taken);
        if (bed_arm_write(end, block, bytes, &now) == PP_LATER &&
            (bed->running > 0 || !bed_poll(bed, &end->write, &now))) {
            return taken;
        }
        LAW(now.fault.status == PIPEPORT_OK && now.bytes >= 1 && now.bytes <= bytes);
        taken += now.bytes;
        LAW(taken < 64u << 20); /* No system takes that much from somebody whom nobody reads. */
    }
}

void bed_stream(test_bed *bed, bed_end *from, bed_end *to, uint64_t total, uint32_t piece)
{
    enum { READ_BYTES = 65536 };
    unsigned char *out = malloc(total), *in = malloc(READ_BYTES);
    LAW(out != NULL && in != NULL);
    bed_stamp(out, (uint32_t) total, 0);
    bool armed = false;
    uint64_t sent = 0;
    for (uint64_t got = 0; got < total;) {
        pp_result result = {{PIPEPORT_OK, 0}, 0, 0};
        if (armed) {
            armed = !bed_poll(bed, &from->write, &result);
        } else if (sent < total) {
            uint32_t bytes = total - sent < piece ? (uint32_t) (total - sent) : piece;
            armed = bed_arm_write(from, out + sent, bytes, &result) == PP_LATER;
        }
        if (!armed) {
            LAW(result.fault.status == PIPEPORT_OK && result.bytes <= piece);
            sent += result.bytes;
            if (sent == got) { /* What pended was read before we heard of its end. */
                continue;
            }
        }
        result = bed_read(bed, to, in, READ_BYTES); /* Some were sent, or pend, that have not come: it ends. */
        LAW(result.fault.status == PIPEPORT_OK);
        LAW(bed_is_stamped(in, result.bytes, got));
        got += result.bytes;
    }
    if (armed) {
        pp_result result = bed_await(bed, &from->write);
        LAW(result.fault.status == PIPEPORT_OK);
        sent += result.bytes;
    }
    LAW(sent == total);
    free(out);
    free(in);
}

void bed_stamp(void *buffer, uint32_t bytes, uint64_t at)
{
    unsigned char *to = buffer;
    for (uint32_t i = 0; i < bytes; i++) {
        to[i] = bed_byte(at + i);
    }
}

bool bed_is_stamped(const void *buffer, uint32_t bytes, uint64_t at)
{
    const unsigned char *from = buffer;
    for (uint32_t i = 0; i < bytes; i++) {
        if (from[i] != bed_byte(at + i)) {
            return false;
        }
    }
    return true;
}

static void bed_race_write(void *argument)
{
    bed_race *race = argument;
    unsigned char byte; /* Lent until a write is home that ends later. */
    for (uint32_t i = 0; i < BED_RACES; i++) {
        LAW(pp_gate_wait(&race->begins[i], BED_PATIENCE_MS));
        byte = bed_byte(i);
        pp_result now;
        race->later[i] = bed_arm_write(race->from, &byte, 1, &now) == PP_LATER;
        LAW(race->later[i] ? race->from->pipe.slices_max == 0 : now.fault.status == PIPEPORT_OK && now.bytes == 1);
        (void) pp_gate_leave(&race->armed[i]);
    }
}

void bed_race_open(bed_race *race, bed_end *from)
{
    race->from = from;
    for (uint32_t i = 0; i < BED_RACES; i++) {
        pp_gate_init(&race->begins[i], 1);
        pp_gate_init(&race->armed[i], 1);
    }
    LAW(pp_os_thread_start(&race->writer, bed_race_write, race).status == PIPEPORT_OK);
}

void bed_race_begin(bed_race *race, uint32_t number)
{
    (void) pp_gate_leave(&race->begins[number]);
}

void bed_race_end(test_bed *bed, bed_race *race, uint32_t number)
{
    LAW(pp_gate_wait(&race->armed[number], BED_PATIENCE_MS));
    if (race->later[number]) {
        pp_result result = bed_await(bed, &race->from->write);
        LAW(result.fault.status == PIPEPORT_OK && result.bytes == 1);
    }
}

void bed_race_close(bed_race *race)
{
    pp_os_thread_join(&race->writer);
}
