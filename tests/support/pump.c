/* SPDX-License-Identifier: MIT */
/* pump.c - see pump.h. */
#include "tests/support/pump.h"

#include "tests/support/fake_os.h"

#include <criterion/criterion.h>
#include <string.h>

test_pump pump;

static void up_pin(pp_writer *of)
{
    cr_assert_eq(of, &pump.writer);
    pump.pins += 1;
}

static void up_unpin(pp_writer *of, pp_worker *worker)
{
    (void) of;
    (void) worker;
    pump.pins -= 1;
    cr_assert_geq(pump.pins, 0);
}

static void up_wrote(pp_writer *of, uint32_t bytes, pp_worker *worker)
{
    (void) worker;
    cr_assert_eq(of, &pump.writer);
    pump.wrote += bytes;
}

static void up_stalled(pp_writer *of, uint64_t since_ms, pp_worker *worker)
{
    (void) worker;
    pump.stalled += of->pending_since == pp_stamp_of(since_ms);
}

static void up_drained(pp_writer *of, pp_worker *worker)
{
    (void) of;
    (void) worker;
    pump.drained += 1;
}

static void up_sealed(pp_writer *of, pp_worker *worker)
{
    (void) worker;
    cr_assert_gt(pump.pins, 0, "sealed without the pump's pin");
    pump.sealed += 1;
    pump.discarded += of->discarded;
}

static bool up_hands_over(pp_writer *of)
{
    return of != &pump.writer;
}

static const pp_writer_up up = {up_pin, up_unpin, up_wrote, up_stalled, up_drained, up_sealed, up_hands_over};

static void write_done(pp_op *op, pp_result result, void *drainer)
{
    cr_assert_eq(op, &pump.writer.op);
    pp_writer_done(&pump.writer, &pump.means, result, drainer);
}

void pump_begin(uint32_t slices_max, uint32_t queue_bytes_max, bool homes)
{
    fake_reset();
    fake.waits = fake_os_pass;
    fake.slices_max = slices_max;
    fake.not_shared = homes;
    memset(&pump, 0, sizeof pump);
    pp_memory_init(&pump.memory, 0);
    cr_assert_eq(pp_port_create(&pump.port, &pump.memory, &(pp_port_options){.drainers = 1}).status, PIPEPORT_OK);
    pp_deadlines_init(&pump.deadlines, NULL);
    cr_assert_eq(pp_pool_start(&pump.pool, pump.port, &pump.deadlines, 0).status, PIPEPORT_OK);
    pump.pipe = fake_pipe_open(&pump.place, pump.port);
    pump.means = (pp_writer_means){&up, &pump.place, queue_bytes_max};
    pp_writer_init(&pump.writer, write_done);
}

void pump_settle(void)
{
    do {
        cr_assert_eq(pp_pool_lend(&pump.pool, 0), PIPEPORT_OK);
    } while (fake_port_waiting());
    pp_writer_check(&pump.writer, &pump.means);
}

void pump_stop(void)
{
    if (!pump.sealed) {
        pp_writer_stop(&pump.writer, &pump.means, NULL);
        pump_settle();
    }
    cr_assert_eq(pump.sealed, 1, "sealed %u times", pump.sealed);
    cr_assert_eq(pump.pins, 0, "%d pins left", pump.pins);
}

void pump_end(void)
{
    pump_stop();
    cr_assert_eq(pump.writer.sendq.bytes, 0);
    cr_assert_eq(fake.armed, fake.done);
    pp_pipe_close(&pump.place);
    pp_pool_stop(&pump.pool);
    pp_deadlines_fini(&pump.deadlines);
    pp_port_destroy(pump.port);
    pp_memory_check(&pump.memory);
    cr_assert_eq(pump.memory.bytes, 0, "%llu bytes left", (unsigned long long) pump.memory.bytes);
    fake_reset();
}
