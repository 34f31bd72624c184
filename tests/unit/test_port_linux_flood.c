/* SPDX-License-Identifier: MIT */
/*
 * test_port_linux_flood.c - many operations that are posted again and again, as foreign threads leave their writes to a
 * worker, and pipes that have something to say meanwhile. By either driver.
 */
#include "tests/laws/bed.h"

#include <criterion/criterion.h>

enum { PAIRS = 64, POSTS = 1024, BLOCK = 64 };

static test_bed flood_bed;
static bed_end server[PAIRS], client[PAIRS];
static char room[PAIRS][BLOCK], said[BLOCK];
static pp_op posts[POSTS];

TestSuite(port_linux_flood, .timeout = 100);

/* One take; what was posted is posted again. Answers how much else it brought. */
static uint32_t flood_take(void)
{
    pp_completion batch[PP_BATCH_MAX];
    uint32_t others = 0;
    uint32_t count = pp_port_take(flood_bed.port, 0, 0, batch, PP_BATCH_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (batch[i].op >= posts && batch[i].op < posts + POSTS) {
            pp_port_post(flood_bed.port, batch[i].op);
        } else {
            others++;
        }
    }
    return others;
}

Test(port_linux_flood, keeps_no_pipe_from_being_heard)
{
    pp_result now;
    uint32_t writes = 0; /* Those that a driver puts off. */
    bed_open_own(&flood_bed, 1);
    bed_listen(&flood_bed);
    for (int i = 0; i < PAIRS; i++) {
        bed_pair(&flood_bed, &server[i], &client[i]);
        cr_assert_eq(bed_arm_read(&server[i], room[i], BLOCK, &now), PP_LATER);
    }
    bed_hears_nothing(&flood_bed);
    for (int i = 0; i < POSTS; i++) {
        pp_port_post(flood_bed.port, &posts[i]);
    }
    uint32_t heard = flood_take(); /* From here on there is always enough to hand out. */
    for (int i = 0; i < PAIRS; i++) {
        writes += bed_arm_write(&client[i], said, BLOCK, &now) == PP_LATER;
    }
    uint32_t takes = 0;
    while (heard < PAIRS + writes && takes < 100 * POSTS) {
        heard += flood_take();
        takes++;
    }
    /* Twice around all that is posted, and some takes to hear of the last: not once around for each 16 pipes. */
    cr_assert_leq(takes, 2 * POSTS / PP_BATCH_MAX + PAIRS, "%u takes", takes);
    for (int left = POSTS; left > 0;) {
        pp_completion batch[PP_BATCH_MAX];
        left -= (int) pp_port_take(flood_bed.port, 0, 1000, batch, PP_BATCH_MAX);
    }
    bed_hears_nothing(&flood_bed);
    for (int i = 0; i < PAIRS; i++) {
        bed_end_close(&server[i]);
        bed_end_close(&client[i]);
    }
    bed_close(&flood_bed);
}
