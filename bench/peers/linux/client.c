/* SPDX-License-Identifier: MIT */
#include "bench/linux/gnu.h"

#include "bench/peers/linux/client.h"

#include "bench/frame.h"
#include "bench/linux/machine.h"
#include "bench/linux/meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often a first message is sent before all receivers must have been counted in, and how long each is waited for. */
enum { GATHER_TRIES = 50, GATHER_MS = 300 };
enum { OTHER_FILES = 64 };

const struct side_bounds side_bounds = {
    .connections_max = 1000000, .size_min = FRAME_HEADER_BYTES, .size_max = 16 * 1024 * 1024, .depth_max = 65536};

static uint32_t cpu = MACHINE_ANY_CPU, server_pid;

const struct argument side_options[] = {
    {"--server-pid", &server_pid, 0, UINT32_MAX, "whose processor time to report, for each message"},
    {"--cpu", &cpu, 0, MACHINE_ANY_CPU, "the processor to run on; the last: any"},
    {NULL, NULL, 0, 0, NULL},
};

void side_prepare(struct load *load)
{
    static struct side side;

    load->side = &side;
    meter_watch(server_pid);
    machine_pin(cpu);
    machine_allow_files(load->connections * client_files + OTHER_FILES);
    side.clients = calloc(load->connections, sizeof *side.clients);
    side.message = malloc(load->size);
    if (side.clients == NULL || side.message == NULL) {
        machine_die("the load cannot begin");
    }
    memset(side.message, 'x', load->size);
    client_prepare(load);
}

void side_tell(const struct load *load)
{
    (void) load;
    meter_tell();
}

const char *client_address(const struct load *load, const char *suffix, char room[CLIENT_ADDRESS_BYTES])
{
    snprintf(room, CLIENT_ADDRESS_BYTES, "ipc://%s%s", load->name, suffix);
    return room;
}

bool client_is_right(const struct load *load, const void *bytes, size_t count, uint32_t number)
{
    return count == load->size && frame_length(bytes) == number;
}

/* Who is not counted in yet may miss messages, but none comes to it twice or after a later one. */
bool client_came(const struct load *load, struct client *client, const void *bytes, size_t count)
{
    uint32_t taken = client->taken;

    if (load->side->gathering && count == load->size && frame_length(bytes) >= taken) {
        taken = frame_length(bytes);
    } else if (!client_is_right(load, bytes, count, taken)) {
        return false;
    }
    client->taken = taken + 1;
    return true;
}

uint32_t side_take(struct load *load)
{
    uint32_t came = client_take(load, CLIENT_SILENCE_MS);

    if (came == 0) {
        load_fail(CLIENT_SILENT);
    }
    return came;
}

void side_send_each(struct load *load)
{
    for (uint32_t i = 0; i < load->connections; i++) {
        client_ask(load, i);
    }
}

/* Such a library may connect behind one's back: an echo begins when each connection has had a reply. */
void side_connect(struct load *load)
{
    for (uint32_t i = 0; i < load->connections; i++) {
        client_open(load, i);
    }
    if (load->mode == LOAD_ECHO) {
        side_send_each(load);
        for (uint32_t came = 0; came < load->connections;) {
            came += side_take(load);
        }
        load->all += load->connections;
    }
}

void side_connect_deaf(struct load *load)
{
    if (load->deaf != 0) {
        load_fail("--deaf: these libraries read what comes, even if nobody receives it; `load` has such connections");
    }
}

bool side_is_even(const struct load *load)
{
    for (uint32_t i = 0; i < load->connections; i++) {
        if (load->side->clients[i].taken != load->side->asked) {
            return false;
        }
    }
    return true;
}

void side_send_to_all(struct load *load, uint32_t count)
{
    client_send_to_all(load, count);
}

/* A receiver that has the newest message will get no older one. */
void side_gather(struct load *load)
{
    int tries = 0;

    client_open_asker(load);
    load->side->gathering = true;
    while (!side_is_even(load) || tries == 0) {
        if (++tries == GATHER_TRIES) {
            load_fail("what was sent did not come to all");
        }
        client_send_to_all(load, 1);
        while (!side_is_even(load) && client_take(load, GATHER_MS) != 0) {
        }
    }
    (void) client_take(load, 0); /* None of these counts. */
    load->side->gathering = false;
}

bool side_is_greeted(const struct load *load)
{
    (void) load; /* The library waits until it may send. */
    return false;
}

void side_visit_begin(struct load *load, uint32_t index)
{
    load->side->clients[index].sent = 0;
    load->side->clients[index].taken = 0;
    client_open(load, index);
}

void side_visit_ask(struct load *load, uint32_t index)
{
    client_ask(load, index);
}

void side_visit_end(struct load *load, uint32_t index)
{
    while (load->side->clients[index].taken == 0) {
        (void) side_take(load);
    }
    client_close(load, index);
}
