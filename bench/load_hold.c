/* SPDX-License-Identifier: MIT */
/*
 * load_hold - connections that have asked once and are silent since, held until stdin ends, so that somebody can look
 * at what they cost the server.
 */
#include "bench/load.h"

#include <inttypes.h>
#include <stdio.h>

void load_hold(struct load *load)
{
    side_connect(load);
    load_begin(load);
    (void) load_over(load, load->begin_ns);
    side_send_each(load);
    while (load->counted < load->connections) {
        load->counted += side_take(load);
    }
    load_settle(load);
    printf("holding %" PRIu32 "\n", load->connections);
    fflush(stdout);
    while (getchar() != EOF) { /* Who holds the other end says when. */
    }
}
