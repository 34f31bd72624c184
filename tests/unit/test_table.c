/* SPDX-License-Identifier: MIT */
/*
 * test_table.c - entries that stay where they are while the table grows, and are found beside it.
 */
#include "engine/conn/table.h"
#include "tests/support/threads.h"

#include <criterion/criterion.h>

TestSuite(table, .timeout = 100);

enum { ENTRIES = 3 * PP_TABLE_FAN * PP_TABLE_CHUNK }; /* Three branches. */

static pp_memory memory;
static pp_table table;

static void begin(void)
{
    pp_memory_init(&memory, 0);
    pp_table_init(&table, &memory, sizeof(uint32_t));
}

static void end(void)
{
    pp_table_fini(&table);
    cr_assert_eq(memory.bytes, 0);
    pp_memory_check(&memory);
}

static void grow(uint32_t index)
{
    uint32_t *entry = pp_table_next(&table);
    cr_assert_not_null(entry);
    cr_assert_eq(*entry, 0, "not zeroed");
    *entry = index;
    pp_table_grow(&table);
}

Test(table, leaves_every_entry_where_it_is)
{
    begin();
    static uint32_t *places[ENTRIES];
    for (uint32_t i = 0; i < ENTRIES; ++i) {
        grow(i);
        places[i] = pp_table_at(&table, i);
    }
    for (uint32_t i = 0; i < ENTRIES; ++i) {
        cr_assert_eq(pp_table_at(&table, i), places[i]);
        cr_assert_eq(*places[i], i);
    }
    end();
}

Test(table, offers_the_same_entry_until_it_is_counted)
{
    begin();
    uint32_t *entry = pp_table_next(&table);
    *entry = 7;
    cr_assert_eq(pp_table_next(&table), entry);
    cr_assert_eq(*entry, 0);
    cr_assert_eq(table.count, 0);
    end();
}

Test(table, stays_as_it_is_when_there_is_no_memory)
{
    begin();
    for (uint64_t fail = 0; fail < 2; ++fail) {
        memory.fail_after = fail;
        cr_assert_null(pp_table_next(&table));
        cr_assert_eq(table.count, 0);
    }
    memory.fail_after = UINT64_MAX;
    grow(0);
    end();
}

Test(table, has_an_end)
{
    begin();
    table.count = PP_TABLE_ENTRIES_MAX;
    cr_assert_null(pp_table_next(&table));
    table.count = 0;
    end();
}

static _Atomic bool over;

static void crowd_find(void *argument)
{
    (void) argument;
    while (!atomic_load(&over)) {
        uint32_t count = atomic_load_explicit(&table.count, memory_order_acquire);
        for (uint32_t back = 1; back <= 50 && back <= count; ++back) {
            cr_assert_eq(*(uint32_t *) pp_table_at(&table, count - back), count - back);
        }
    }
}

Test(table, is_read_beside_its_growing)
{
    test_thread finders[2];
    begin();
    for (int i = 0; i < 2; ++i) {
        test_thread_start(&finders[i], crowd_find, NULL);
    }
    for (uint32_t i = 0; i < ENTRIES; ++i) {
        grow(i);
    }
    atomic_store(&over, true);
    for (int i = 0; i < 2; ++i) {
        test_thread_join(&finders[i]);
    }
    end();
}
