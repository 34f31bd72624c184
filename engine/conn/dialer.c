/* SPDX-License-Identifier: MIT */
/* dialer.c - see dialer.h. */
#include "engine/conn/dialer.h"

#include <string.h>

enum { DIALER_WAIT_MIN_MS = 1, DIALER_WAIT_MAX_MS = 50 };

/* One try. OK: the connection has begun its life, and with its end the dialer may be in another worker's hands: the
 * caller leaves it alone. */
static pp_fault dialer_try(pp_dialer *dialer, pp_worker *worker)
{
    pp_party *party = dialer->party;
    pp_pipe pipe;
    pp_pipe_init(&pipe, party->hub->port);
    pp_tally_add(&party->tally.dials, 1);
    pp_fault fault = pp_pipe_dial(&pipe, dialer->name, &party->plan, dialer->home);
    if (fault.status == PIPEPORT_OK) {
        dialer->connected_ms = pp_os_now_ms();
        atomic_store(&dialer->last, PIPEPORT_OK);
        fault.status = pp_conn_start(party, &pipe, worker);
        if (fault.status != PIPEPORT_OK) {
            pp_pipe_close(&pipe);
        }
    }
    if (fault.status != PIPEPORT_OK) {
        atomic_store(&dialer->last, (uint32_t) fault.status);
    }
    return fault;
}

/* The deadline's count of the party is there, and stays with the deadline: once that is set, another worker may already
 * have tried, failed, and given it back. So we hold one of our own until we have looked. */
static void dialer_set(pp_dialer *dialer, uint64_t due_ms)
{
    pp_party *party = dialer->party;
    pp_party_retain(party);
    (void) pp_pool_set_deadline(&party->hub->pool, &dialer->again.deadline, due_ms);
    if (atomic_load(&party->stopping)) { /* A stop between found no deadline to clear. */
        pp_dialer_stop(dialer);
    }
    pp_party_release(party);
}

/* Every instance is taken. */
static void dialer_wait(pp_dialer *dialer, uint64_t now_ms)
{
    uint32_t wait_ms = dialer->wait_ms + (uint32_t) (pp_os_jitter() % (dialer->wait_ms + 1));
    dialer->wait_ms = dialer->wait_ms * 2 < DIALER_WAIT_MAX_MS ? dialer->wait_ms * 2 : DIALER_WAIT_MAX_MS;
    dialer_set(dialer, now_ms + wait_ms < dialer->until_ms ? now_ms + wait_ms : dialer->until_ms);
}

/* Begins a series of tries that ends when one finds an instance, or all are taken for connect_ms. */
static void dialer_begin(pp_dialer *dialer, uint64_t now_ms)
{
    dialer->wait_ms = DIALER_WAIT_MIN_MS;
    dialer->until_ms = now_ms + dialer->party->options.connect_ms;
}

/* Until the next series. The deadline's count is there. */
static void dialer_rest(pp_dialer *dialer, uint64_t now_ms)
{
    uint32_t max_ms = dialer->party->options.reconnect_max_ms;
    uint32_t rest_ms = dialer->rest_ms - (uint32_t) (pp_os_jitter() % (dialer->rest_ms / 2 + 1));
    dialer->rest_ms = dialer->rest_ms <= max_ms / 2 ? dialer->rest_ms * 2 : max_ms;
    dialer->resting = true;
    dialer_set(dialer, now_ms + rest_ms);
}

/* A series has failed. The count that the deadline had is ours. */
static void dialer_failed(pp_dialer *dialer, pp_fault fault)
{
    pp_party *party = dialer->party;
    if (!dialer->told) {
        dialer->told = true;
        if (party->events.failed) {
            party->events.failed(party->events.user, fault.status, fault.system_code);
        }
    }
    if (party->options.reconnect_ms && !atomic_load(&party->stopping)) {
        dialer_rest(dialer, pp_os_now_ms());
    } else {
        pp_party_release(party);
    }
}

static void dialer_again_due(pp_deadline *deadline, void *drainer)
{
    pp_dialer *dialer = (pp_dialer *) ((char *) deadline - offsetof(pp_dialer, again.deadline));
    pp_party *party = dialer->party;
    pp_fault fault = dialer->untold;
    dialer->untold = (pp_fault){PIPEPORT_OK, 0};
    if (atomic_load(&party->stopping)) {
        pp_party_release(party);
        return;
    }
    if (fault.status == PIPEPORT_OK) {
        if (dialer->resting) {
            dialer->resting = false;
            dialer_begin(dialer, pp_os_now_ms());
        }
        fault = dialer_try(dialer, drainer);
        if (fault.status == PIPEPORT_OK) {
            pp_party_release(party);
            return;
        }
    }
    uint64_t now_ms = pp_os_now_ms();
    if (fault.status == PIPEPORT_BUSY && now_ms < dialer->until_ms) {
        dialer_wait(dialer, now_ms);
    } else {
        dialer_failed(dialer, fault);
    }
}

pipeport_status pp_dialer_init(pp_dialer *dialer, pp_party *party, const char *name)
{
    *dialer = (pp_dialer){.party = party, .rest_ms = party->options.reconnect_ms};
    atomic_init(&dialer->last, PIPEPORT_OK);
    pp_alarm_init(&dialer->again, dialer_again_due);
    if (strlen(name) >= sizeof dialer->name) {
        return PIPEPORT_INVALID;
    }
    strcpy(dialer->name, name);
    return PIPEPORT_OK;
}

pp_fault pp_dialer_start(pp_dialer *dialer, pp_worker *worker)
{
    pp_party *party = dialer->party;
    dialer->home = pp_hub_home(party->hub);
    uint64_t now_ms = pp_os_now_ms();
    dialer_begin(dialer, now_ms);
    pp_fault fault = dialer_try(dialer, worker);
    if (fault.status == PIPEPORT_BUSY) {
        pp_party_retain(party);
        dialer_wait(dialer, now_ms);
    } else if (fault.status == PIPEPORT_NO_SERVER && party->options.reconnect_ms) {
        pp_party_retain(party);
        dialer->untold = fault; /* `failed` comes from a worker. */
        dialer_set(dialer, now_ms);
    } else {
        return fault;
    }
    return (pp_fault){PIPEPORT_OK, 0};
}

void pp_dialer_left(pp_dialer *dialer)
{
    pp_party *party = dialer->party;
    if (!party->options.reconnect_ms || atomic_load(&party->stopping)) {
        return;
    }
    uint64_t now_ms = pp_os_now_ms();
    if (now_ms - dialer->connected_ms >= dialer->rest_ms) {
        dialer->rest_ms = party->options.reconnect_ms;
    }
    dialer->told = false;
    pp_party_retain(party);
    dialer_rest(dialer, now_ms);
}

void pp_dialer_stop(pp_dialer *dialer)
{
    if (pp_deadlines_clear(&dialer->party->hub->deadlines, &dialer->again.deadline)) {
        pp_party_release(dialer->party);
    }
}
