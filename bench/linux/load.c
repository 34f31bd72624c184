/* SPDX-License-Identifier: MIT */
/*
 * load - asks a server for echoes, broadcasts or connections, checks every answer, and says how fast they came.
 *
 * Neutral: raw sockets, one thread, the framing (speech.h) and nothing else of whom it talks to. The last line is for a
 * program to read and says `ok` only if all that was due came, whole and, where order is promised, in order. `load_cpu`
 * tells how busy the load itself was: near 1.00 it is the load that limits, not the server.
 */
#include "bench/linux/gnu.h"

#include "bench/linux/load.h"

#include "bench/arguments.h"
#include "bench/clock.h"
#include "bench/linux/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

_Noreturn void load_fail(const char *what)
{
    fprintf(stderr, "load: %s\n", what);
    exit(1);
}

void load_connect(struct load *load)
{
    load->peers = calloc(load->connections, sizeof *load->peers);
    load->room = malloc(LOAD_RECEIVE_BYTES);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->peers == NULL || load->room == NULL || load->epoll < 0) {
        machine_die("the load cannot begin");
    }
    for (uint32_t i = 0; i < load->connections; i++) {
        struct peer *peer = &load->peers[i];
        struct epoll_event event = {.events = EPOLLIN | (uint32_t) EPOLLET, .data.ptr = peer};

        peer->fd = speech_connect(load->path, load->plan.speech.hello);
        if (peer->fd < 0 || !speech_greeted(peer->fd, load->plan.speech.hello) ||
            epoll_ctl(load->epoll, EPOLL_CTL_ADD, peer->fd, &event) != 0) {
            machine_die("no connection");
        }
    }
}

void load_begin(struct load *load)
{
    uint64_t now_ns = clock_now_ns();

    load->begin_ns = now_ns + (uint64_t) load->warm_up_ms * 1000000;
    load->end_ns = load->begin_ns + (uint64_t) load->milliseconds * 1000000;
    if (load->messages != 0) {
        load->begin_ns = now_ns;
        load->end_ns = UINT64_MAX;
    }
}

bool load_over(struct load *load, uint64_t now_ns)
{
    if (!load->counting && now_ns >= load->begin_ns) {
        load->counting = true;
        load->end_ns = load->end_ns == UINT64_MAX ? UINT64_MAX : now_ns + (load->end_ns - load->begin_ns);
        load->begin_ns = now_ns; /* Later than planned where something else had the processor. */
        load->begin_cpu_ns = machine_own_cpu_ns();
        load->begin_server_ns = machine_process_cpu_ns(load->server_pid);
    }
    return load->counting && (now_ns >= load->end_ns || (load->messages != 0 && load->counted >= load->messages));
}

void load_settle(struct load *load)
{
    uint64_t ns = clock_now_ns() - load->begin_ns;

    load->seconds = (double) ns / 1e9;
    load->own_share = (double) (machine_own_cpu_ns() - load->begin_cpu_ns) / (double) ns;
    if (load->server_pid != 0 && load->counted != 0) {
        load->server_us = (double) (machine_process_cpu_ns(load->server_pid) - load->begin_server_ns) / 1e3 /
                          (double) load->counted;
    }
}

int load_wait(struct load *load, struct epoll_event *events)
{
    int count = epoll_wait(load->epoll, events, LOAD_BATCH, load->spin ? 0 : 10000);

    if (count == 0 && !load->spin) {
        load_fail("nothing came for ten seconds");
    }
    if (count < 0 && errno != EINTR) {
        machine_die("epoll_wait");
    }
    load->fruitless += count == 0;
    return count;
}

uint32_t load_receive(struct load *load, struct peer *peer)
{
    uint32_t whole = 0;
    ssize_t came;

    do {
        uint32_t more;

        came = recv(peer->fd, load->room, LOAD_RECEIVE_BYTES, MSG_DONTWAIT);
        if (came < 0 && errno == EAGAIN) {
            break;
        }
        if (came <= 0) {
            load_fail("the server ended a connection");
        }
        more = peer_take(peer, &load->plan, load->room, (uint32_t) came);
        if (more == UINT32_MAX) {
            load_fail("a reply of a wrong length or out of order");
        }
        whole += more;
    } while (came == LOAD_RECEIVE_BYTES); /* Less than that: there was no more, and there will be an edge. */
    return whole;
}

static double load_share_us(const struct load *load, double share)
{
    return (double) histogram_share_ns(&load->trips, share) / 1e3;
}

static void load_report(const struct load *load)
{
    printf("load mode=%s connections=%" PRIu32 " size=%" PRIu32 " depth=%" PRIu32 " seconds=%.3f messages=%" PRIu64
           " all=%" PRIu64
           " rate=%.0f p50_us=%.1f p90_us=%.1f p99_us=%.1f p999_us=%.1f max_us=%.1f load_cpu=%.2f fruitless=%" PRIu64
           " server_us=%.4f ok\n",
           load->mode, load->connections, load->size, load->depth, load->seconds, load->counted, load->all,
           (double) load->counted / load->seconds, load_share_us(load, 0.5), load_share_us(load, 0.9),
           load_share_us(load, 0.99), load_share_us(load, 0.999), (double) load->trips.longest_ns / 1e3,
           load->own_share, load->fruitless, load->server_us);
    fflush(stdout);
}

static void load_run(struct load *load, uint32_t mode)
{
    static const struct {
        const char *name;
        void (*run)(struct load *load);
    } modes[] = {{"echo", load_echo}, {"broadcast", load_broadcast}, {"churn", load_churn}, {"hold", load_hold}};

    load->mode = modes[mode].name;
    load->plan.size = load->size;
    load->plan.frames_max = load->depth;
    peer_plan_init(&load->plan);
    modes[mode].run(load);
    load_report(load);
}

int main(int argc, char **argv)
{
    static struct load load = {.connections = 255, .size = 64, .depth = 1, .milliseconds = 1000}; /* Some KiB. */
    uint32_t cpu = MACHINE_ANY_CPU, mode = 0, spin = 0, unordered = 0, speech = SPEECH_OWN;
    const struct argument known[] = {
        {"--mode", &mode, 0, 3, "0 echo; 1 broadcast; 2 churn: connect, echo, close; 3 hold until stdin ends"},
        {"--connections", &load.connections, 1, 1000000, "connections; churn: at a time"},
        {"--size", &load.size, PEER_SIZE_MIN, 16 * 1024 * 1024, "bytes of a message, the header not counted"},
        {"--depth", &load.depth, 1, 65536, "messages in flight on each connection; broadcast: sent at a time"},
        {"--ms", &load.milliseconds, 1, 86400000, "how long, in milliseconds"},
        {"--warm-up-ms", &load.warm_up_ms, 0, 60000, "before that, not counted"},
        {"--messages", &load.messages, 0, UINT32_MAX, "how many replies in all, instead of a time; 0: see --ms"},
        {"--speech", &speech, SPEECH_OWN, SPEECH_ZEROMQ, "0 length and bytes, as all here; 1 nng; 2 ZeroMQ"},
        {"--deaf", &load.deaf, 0, 100000, "broadcast: connections more that never read"},
        {"--unordered", &unordered, 0, 1, "1: lengths and counts are checked, the order is not"},
        {"--spin", &spin, 0, 1, "1: never sleeps, so that the server has nobody to wake"},
        {"--server-pid", &load.server_pid, 0, UINT32_MAX, "whose processor time to report, for each message"},
        {"--cpu", &cpu, 0, MACHINE_ANY_CPU, "the processor to run on; the last: any"},
        {NULL, NULL, 0, 0, NULL},
    };

    load.path = arguments_read(argc, argv, known);
    load.spin = spin != 0;
    load.plan.ordered = unordered == 0;
    machine_pin(cpu);
    machine_allow_files(load.connections + load.deaf);
    speech_init(&load.plan.speech, (enum speech_kind) speech, mode == LOAD_MODE_BROADCAST, load.size);
    load_run(&load, mode);
    return 0;
}
