/* SPDX-License-Identifier: MIT */
/* client.c - see client.h and pipeport.h. */
#include "engine/api/client.h"

#include "engine/api/options.h"
#include "engine/api/tally.h"

#include <string.h>

/* ---- Events ---- */

static void *client_opened(void *user, pipeport_conn conn)
{
    pipeport_client *client = user;
    pp_calls_connected(&client->calls);
    return client->told.opened ? client->told.opened(client->told.user, conn) : NULL;
}

static void client_message(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    pipeport_client *client = user;
    if (!pp_calls_take(&client->calls, conn.id, data, length) && client->told.message) {
        client->told.message(client->told.user, state, conn, data, length);
    }
}

static void client_drained(void *user, void *state, pipeport_conn conn)
{
    pipeport_client *client = user;
    if (client->told.drained) {
        client->told.drained(client->told.user, state, conn);
    }
}

static void client_sent(void *user, void *state, pipeport_conn conn, uint64_t bytes)
{
    pipeport_client *client = user;
    client->told.sent(client->told.user, state, conn, bytes);
}

static void client_closed(void *user, void *state, pipeport_conn conn, const pipeport_end *end)
{
    pipeport_client *client = user;
    pp_calls_lost(&client->calls, conn.id);
    if (!client->party.options.reconnect_ms && !atomic_load(&client->party.stopping)) {
        pp_calls_end(&client->calls, PIPEPORT_GONE);
    }
    if (client->told.closed) {
        client->told.closed(client->told.user, state, conn, end);
    }
}

static void client_failed(void *user, pipeport_status why, long system_code)
{
    pipeport_client *client = user;
    if (!client->party.options.reconnect_ms) {
        pp_calls_end(&client->calls, why);
    }
    if (client->told.failed) {
        client->told.failed(client->told.user, why, system_code);
    }
}

/* ---- The party ---- */

static void client_left(pp_party *party, pp_worker *worker)
{
    (void) worker;
    pp_dialer_left(&((pipeport_client *) party)->dialer);
}

static void client_halt(pp_party *party)
{
    pipeport_client *client = (pipeport_client *) party;
    pp_dialer_stop(&client->dialer);
    pp_calls_end(&client->calls, PIPEPORT_STOPPED);
}

static void client_finish(pp_party *party)
{
    pipeport_client *client = (pipeport_client *) party;
    pipeport_engine *engine = client->engine;
    pp_engine_leave(engine, party);
    pp_calls_fini(&client->calls);
    pp_party_fini(&client->party);
    pp_memory_give(&engine->hub.memory, client, sizeof *client);
    pp_engine_forget(engine);
}

/* Its options' texts become its own, and are in its plan. */
static void client_plan(pipeport_client *client)
{
    pipeport_options *options = &client->party.options;
    options->access_sddl = NULL; /* A server's. */
    if (options->server_user) {
        strcpy(client->server_user, options->server_user);
        options->server_user = client->server_user;
    }
    pp_plan plan = pp_options_plan(options, PIPEPORT_CLIENT);
    pp_party_set_plan(&client->party, &plan, false);
}

pipeport_status pipeport_client_start(pipeport_client **out, pipeport_engine *engine, const char *name,
                                      const pipeport_options *options, const pipeport_events *events)
{
    static const pipeport_events none = {.size = sizeof none};
    pp_asked asked;
    if (!out || !engine) {
        return PIPEPORT_INVALID;
    }
    pipeport_status status = pp_options_resolve_start(&asked, PIPEPORT_CLIENT, name, options, events ? events : &none);
    if (status != PIPEPORT_OK) {
        pp_hub_log(&engine->hub, "client %s: %s", name ? name : "?", asked.why.text);
        return status;
    }
    pipeport_client *client = pp_memory_take_zeroed(&engine->hub.memory, sizeof *client);
    if (!client) {
        return PIPEPORT_NO_MEMORY;
    }
    client->engine = engine;
    client->party.left = client_left;
    client->party.halt = client_halt;
    client->party.finish = client_finish;
    client->told = asked.events;
    pp_calls_init(&client->calls);
    pipeport_events own = {.size = sizeof own,
                           .user = client,
                           .opened = client_opened,
                           .message = client_message,
                           .drained = client_drained,
                           .closed = client_closed,
                           .failed = client_failed,
                           .sent = asked.events.sent ? client_sent : NULL};
    pp_party_init(&client->party, &engine->hub, &asked.options, &own);
    client_plan(client);
    /* Once entered it may be stopped, by an event or the engine's end, and freed under us. */
    pp_party_retain(&client->party);
    status = pp_dialer_init(&client->dialer, &client->party, name);
    if (status == PIPEPORT_OK) {
        status = pp_engine_enter(engine, &client->party);
    }
    if (status != PIPEPORT_OK) {
        pp_calls_fini(&client->calls);
        pp_party_fini(&client->party);
        pp_memory_give(&engine->hub.memory, client, sizeof *client);
        return status;
    }
    *out = client; /* Before the first event can want it. */
    pp_fault fault = pp_dialer_start(&client->dialer, pp_pool_here(&engine->hub.pool));
    if (fault.status == PIPEPORT_SYSTEM) { /* The other statuses say it all, and a client may try again and again. */
        pp_hub_log(&engine->hub, "client %s: %s (system code %d)", name, pipeport_status_text(fault.status),
                   fault.system_code);
    }
    if (fault.status != PIPEPORT_OK) {
        *out = NULL;
        (void) pp_engine_begin_stop(engine, &client->party, 0, NULL); /* Nothing of it is under way. */
    }
    pp_party_release(&client->party);
    return fault.status;
}

void pipeport_client_stop(pipeport_client *client, uint32_t drain_ms)
{
    if (client) {
        pp_engine_stop_party(client->engine, &client->party, drain_ms);
    }
}

pipeport_conn pipeport_client_conn(const pipeport_client *client)
{
    return (pipeport_conn){client ? atomic_load(&client->party.only) : 0};
}

pipeport_status pipeport_client_stats(const pipeport_client *client, pipeport_stats *stats)
{
    return client ? pp_tally_report(&client->party, stats) : PIPEPORT_INVALID;
}
