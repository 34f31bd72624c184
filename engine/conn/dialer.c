/* SPDX-License-Identifier: MIT */
/* dialer.c - see dialer.h. */
#include "engine/conn/dialer.h"

#include <string.h>

enum { DIALER_WAIT_MIN_MS = 1, DIALER_WAIT_MAX_MS = 50 };

/* One try. OK: the connection has begun its life. */
static pp_fault dialer_try(pp_dialer *dialer, pp_worker *worker)
{
    pp_party *party = dialer->party;
    pp_pipe pipe;
    pp_pipe_init(&pipe, party->hub->port);
    pp_fault fault = pp_pipe_dial(&pipe, dialer->name, &party->plan, dialer->home);
    if (fault.status == PIPEPORT_OK) {
        fault.status = pp_conn_start(party, &pipe, worker);
        if (fault.status != PIPEPORT_OK) {
            pp_pipe_close(&pipe);
        }
    }
    return fault;
}

/* The deadline's count of the party is there, and stays with the deadline: once that is set, another worker may already
 * have tried, failed, and given it back. So we hold one of our own until we have looked. */
static void dialer_wait(pp_dialer *dialer, uint64_t now_ms)
{
    pp_party *party = dialer->party;
    pp_party_retain(party);
    uint32_t wait_ms = dialer->wait_ms + (uint32_t) (pp_os_jitter() % (dialer->wait_ms + 1));
    dialer->wait_ms = dialer->wait_ms * 2 < DIALER_WAIT_MAX_MS ? dialer->wait_ms * 2 : DIALER_WAIT_MAX_MS;
    uint64_t next_ms = now_ms + wait_ms < dialer->until_ms ? now_ms + wait_ms : dialer->until_ms;
    (void) pp_pool_set_deadline(&party->hub->pool, &dialer->again.deadline, next_ms);
    if (atomic_load(&party->stopping)) { /* A stop between found no deadline to clear. */
        pp_dialer_stop(dialer);
    }
    pp_party_release(party);
}

static void dialer_again_due(pp_deadline *deadline, void *drainer)
{
    pp_dialer *dialer = (pp_dialer *) ((char *) deadline - offsetof(pp_dialer, again.deadline));
    pp_party *party = dialer->party;
    if (!atomic_load(&party->stopping)) {
        pp_fault fault = dialer_try(dialer, drainer);
        uint64_t now_ms = pp_os_now_ms();
        if (fault.status == PIPEPORT_BUSY && now_ms < dialer->until_ms) {
            dialer_wait(dialer, now_ms);
            return;
        }
        if (fault.status != PIPEPORT_OK && party->events.failed) {
            party->events.failed(party->events.user, fault.status, fault.system_code);
        }
    }
    pp_party_release(party);
}

pipeport_status pp_dialer_init(pp_dialer *dialer, pp_party *party, const char *name)
{
    *dialer = (pp_dialer){.party = party, .wait_ms = DIALER_WAIT_MIN_MS};
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
    dialer->until_ms = now_ms + party->options.connect_ms;
    pp_fault fault = dialer_try(dialer, worker);
    if (fault.status == PIPEPORT_BUSY) {
        pp_party_retain(party);
        dialer_wait(dialer, now_ms);
        fault = (pp_fault){PIPEPORT_OK, 0};
    }
    return fault;
}

void pp_dialer_stop(pp_dialer *dialer)
{
    if (pp_deadlines_clear(&dialer->party->hub->deadlines, &dialer->again.deadline)) {
        pp_party_release(dialer->party);
    }
}
