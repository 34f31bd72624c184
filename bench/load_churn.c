/* SPDX-License-Identifier: MIT */
/*
 * load_churn - clients that come, ask once and go: `connections` at a time. All of a round connect and send (where the
 * server greets first: when it has), then each is heard and closed. Counted are visits; the time kept is from
 * connecting to the reply.
 */
#include "bench/load.h"

#include "bench/clock.h"

#include <stdlib.h>

void load_churn(struct load *load)
{
    uint64_t *from_ns = calloc(load->connections, sizeof *from_ns);
    bool greeted = side_is_greeted(load);

    if (from_ns == NULL) {
        load_fail("no memory");
    }
    load_begin(load);
    while (!load_over(load, clock_now_ns())) {
        for (uint32_t i = 0; i < load->connections; i++) {
            from_ns[i] = clock_now_ns();
            side_visit_begin(load, i);
            if (!greeted) {
                side_visit_ask(load, i);
            }
        }
        for (uint32_t i = 0; greeted && i < load->connections; i++) {
            side_visit_ask(load, i);
        }
        for (uint32_t i = 0; i < load->connections; i++) {
            side_visit_end(load, i);
            load->all++;
            if (load->counting) {
                load->counted++;
                histogram_add(&load->trips, clock_now_ns() - from_ns[i]);
            }
        }
    }
    load_settle(load);
    free(from_ns);
}
