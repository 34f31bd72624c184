/* SPDX-License-Identifier: MIT */
/*
 * load_hold - connections that have asked once and are silent since, held until stdin ends, so that somebody can look
 * at what they cost the server.
 */
#include "bench/linux/gnu.h"

#include "bench/linux/load.h"

#include "bench/linux/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/epoll.h>

void load_hold(struct load *load)
{
    struct epoll_event events[LOAD_BATCH];

    load_connect(load);
    load_begin(load);
    (void) load_over(load, load->begin_ns);
    for (uint32_t i = 0; i < load->connections; i++) {
        if (!peer_send(&load->peers[i], &load->plan, 1)) {
            machine_die("send");
        }
    }
    while (load->counted < load->connections) {
        int count = load_wait(load, events);

        for (int i = 0; i < count; i++) {
            load->counted += load_receive(load, events[i].data.ptr);
        }
    }
    load_settle(load);
    printf("holding %" PRIu32 "\n", load->connections);
    fflush(stdout);
    while (getchar() != EOF) { /* Who holds the other end says when. */
    }
}
