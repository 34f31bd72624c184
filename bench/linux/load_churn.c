/* SPDX-License-Identifier: MIT */
/*
 * load_churn - clients that come, ask once and go: `connections` at a time. All of a round connect and send (where the
 * server greets first: when it has), then each is heard and closed. Counted are visits; the time kept is from
 * connecting to the reply.
 */
#include "bench/linux/gnu.h"

#include "bench/linux/load.h"

#include "bench/clock.h"
#include "bench/linux/machine.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct visit {
    struct peer peer;
    uint64_t from_ns;
};

static void visit_begin(struct visit *visit, const struct load *load)
{
    *visit = (struct visit){.from_ns = clock_now_ns()};
    visit->peer.fd = speech_connect(load->path, load->plan.speech.hello);
    if (visit->peer.fd < 0) {
        machine_die("no connection");
    }
}

static void visit_ask(struct visit *visit, const struct load *load)
{
    if (!speech_greeted(visit->peer.fd, load->plan.speech.hello)) {
        load_fail("a visit that the server did not greet");
    }
    if (!peer_send(&visit->peer, &load->plan, 1) || visit->peer.unsent_bytes != 0) {
        machine_die("send");
    }
}

static void visit_end(struct visit *visit, struct load *load)
{
    while (visit->peer.taken == 0) {
        ssize_t came = recv(visit->peer.fd, load->room, LOAD_RECEIVE_BYTES, 0); /* Waits. */

        if (came <= 0 || peer_take(&visit->peer, &load->plan, load->room, (uint32_t) came) > 1) {
            load_fail("a visit without its reply");
        }
    }
    close(visit->peer.fd);
    load->all++;
    if (load->counting) {
        load->counted++;
        histogram_add(&load->trips, clock_now_ns() - visit->from_ns);
    }
}

void load_churn(struct load *load)
{
    struct visit *visits = calloc(load->connections, sizeof *visits);

    load->room = malloc(LOAD_RECEIVE_BYTES);
    if (visits == NULL || load->room == NULL) {
        machine_die("calloc");
    }
    load_begin(load);
    while (!load_over(load, clock_now_ns())) {
        for (uint32_t i = 0; i < load->connections; i++) {
            visit_begin(&visits[i], load);
            if (load->plan.speech.hello == NULL) {
                visit_ask(&visits[i], load);
            }
        }
        for (uint32_t i = 0; load->plan.speech.hello != NULL && i < load->connections; i++) {
            visit_ask(&visits[i], load);
        }
        for (uint32_t i = 0; i < load->connections; i++) {
            visit_end(&visits[i], load);
        }
    }
    load_settle(load);
    free(visits);
}
