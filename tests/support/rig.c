/* SPDX-License-Identifier: MIT */
#include "tests/support/rig.h"

#include "engine/api/engine.h"
#include "tests/support/books.h"
#include "tests/support/expect.h"
#include "tests/support/plight.h"
#include "tests/support/system.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RIG_TOLD_MAX = 4 };

static _Atomic(pipeport_engine *) rig_engines[RIG_TOLD_MAX]; /* Of the rigs that are open, for whom waits in vain. */

static void rig_tell(void)
{
    for (uint32_t i = 0; i < RIG_TOLD_MAX; ++i) {
        pipeport_engine *engine = atomic_load(&rig_engines[i]);
        if (engine) {
            plight_tell(engine);
        }
    }
}

/* `now` takes the place of `before`, if that has one. */
static void rig_note(pipeport_engine *before, pipeport_engine *now)
{
    for (uint32_t i = 0; i < RIG_TOLD_MAX; ++i) {
        pipeport_engine *seen = before;
        if (atomic_compare_exchange_strong(&rig_engines[i], &seen, now)) {
            return;
        }
    }
}

static void rig_log(void *user, const char *line)
{
    (void) user;
    EXPECT(!strstr(line, "never given back"));
    if (getenv("PIPEPORT_TEST_LOG")) {
        fprintf(stderr, "log: %s\n", line);
    }
}

void rig_open_with(test_rig *rig, pipeport_engine_options options)
{
    options.size = sizeof options;
    options.log = rig_log;
    cr_assert_eq(pipeport_engine_create(&rig->engine, &options), PIPEPORT_OK);
    rig_note(NULL, rig->engine);
    expect_ask(rig_tell);
    const char *driver = getenv("PIPEPORT_TEST_DRIVER"); /* Set by support/linux/on_driver.c. */
    cr_assert(!driver || strcmp(driver, pipeport_engine_driver(rig->engine)) == 0, "it is to be tested on %s", driver);
    pipeport_engine_figures figures = rig_figures(rig);
    rig->blocks = figures.allocations - figures.frees;
    rig->lends = options.workers == PIPEPORT_HOST_THREADS;
}

void rig_open(test_rig *rig, uint32_t workers)
{
    rig_open_with(rig, (pipeport_engine_options){.workers = workers});
}

void rig_name(char name[RIG_NAME_BYTES])
{
    static _Atomic uint32_t counter;
    (void) snprintf(name, RIG_NAME_BYTES, "pipeport-test-%lu-%u", system_pid(), atomic_fetch_add(&counter, 1));
}

pipeport_engine_figures rig_figures(const test_rig *rig)
{
    pipeport_engine_figures figures = {.size = sizeof figures};
    pp_port_wake(rig->engine->hub.port); /* What a port has to free, it may free when it next takes. */
    EXPECT(pipeport_engine_stats(rig->engine, &figures) == PIPEPORT_OK);
    return figures;
}

/* Seats are never freed while the engine lives: the chunks and branches of their table. */
static uint64_t rig_seat_blocks(const test_rig *rig)
{
    const pp_table *seats = &rig->engine->hub.roster.seats;
    uint64_t blocks = 0;
    for (uint32_t i = 0; i < PP_TABLE_FAN; ++i) {
        const pp_table_branch *branch = atomic_load(&seats->root[i]);
        blocks += branch != NULL;
        for (uint32_t j = 0; branch && j < PP_TABLE_FAN; ++j) {
            blocks += atomic_load(&branch->chunks[j]) != NULL;
        }
    }
    return blocks;
}

uint64_t rig_memory_bytes(const test_rig *rig)
{
    uint64_t bytes = rig_figures(rig).memory_bytes;
    for (uint32_t i = 0; i < PP_WORKERS_MAX; ++i) {
        bytes -= atomic_load(&rig->engine->hub.pool.workers[i].shelf.bytes);
    }
    return bytes;
}

/* Nor are the workers' spare blocks, nor those that wait on their shelves. */
static uint64_t rig_spare_blocks(const test_rig *rig)
{
    uint64_t blocks = 0;
    for (uint32_t i = 0; i < PP_WORKERS_MAX; ++i) {
        const pp_worker *worker = &rig->engine->hub.pool.workers[i];
        blocks += (atomic_load(&worker->spare.block) != NULL) + atomic_load(&worker->shelf.count);
    }
    return blocks;
}

static bool rig_is_home(const test_rig *rig)
{
    if (rig->lends) {
        EXPECT(pipeport_engine_run(rig->engine, 0) == PIPEPORT_OK);
    }
    pipeport_engine_figures figures = rig_figures(rig);
    return figures.operations_armed == figures.operations_done &&
           figures.allocations - figures.frees == rig->blocks + rig_seat_blocks(rig) + rig_spare_blocks(rig);
}

void rig_settle(const test_rig *rig)
{
    uint64_t until_ms = expect_until(EXPECT_PATIENCE_MS);
    while (!rig_is_home(rig)) {
        pipeport_engine_figures figures = rig_figures(rig);
        char text[200];
        (void) snprintf(text, sizeof text, "all home: %llu armed, %llu done, %llu blocks, %llu before, %llu of seats",
                        (unsigned long long) figures.operations_armed, (unsigned long long) figures.operations_done,
                        (unsigned long long) (figures.allocations - figures.frees), (unsigned long long) rig->blocks,
                        (unsigned long long) rig_seat_blocks(rig));
        until_ms = expect_nap(until_ms, text, __FILE__, __LINE__);
    }
}

void rig_close(test_rig *rig)
{
    rig_settle(rig);
    rig_crash(rig);
}

void rig_crash(test_rig *rig)
{
    rig_note(rig->engine, NULL);
    cr_assert_eq(pipeport_engine_destroy(rig->engine), PIPEPORT_OK);
    rig->engine = NULL;
    EXPECT(books_unfinished() == 0);
    expect_fine();
}
