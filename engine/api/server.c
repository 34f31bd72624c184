/* SPDX-License-Identifier: MIT */
/* server.c - see server.h and pipeport.h. */
#include "engine/api/server.h"

#include "engine/api/tally.h"

#include <string.h>

static void server_left(pp_party *party, pp_worker *worker)
{
    pp_listener_left(&((pipeport_server *) party)->listener, worker);
}

static void server_halt(pp_party *party)
{
    pp_listener_stop(&((pipeport_server *) party)->listener);
}

static void server_finish(pp_party *party)
{
    pipeport_server *server = (pipeport_server *) party;
    pipeport_engine *engine = server->engine;
    pp_engine_leave(engine, party);
    pp_listener_close(&server->listener);
    pp_groups_fini(&server->groups);
    pp_group_fini(&server->members);
    if (party->peers) {
        pp_peers_fini(party->peers);
    }
    pp_party_fini(&server->party);
    pp_memory_give(&engine->hub.memory, server, sizeof *server);
    pp_engine_forget(engine);
}

static pp_fault server_open(pipeport_server *server, const char *name)
{
    pp_group_init(&server->members, &server->engine->hub.memory);
    pp_groups_init(&server->groups, &server->engine->hub.memory);
    const pipeport_options *options = &server->party.options;
    if (options->connections_per_process_max || options->connections_per_user_max) {
        pp_peers_init(&server->peers, &server->engine->hub.memory, options->connections_per_process_max,
                      options->connections_per_user_max);
        server->party.peers = &server->peers;
    }
    pp_fault fault = pp_listener_open(&server->listener, &server->party, name);
    if (fault.status != PIPEPORT_OK) {
        goto fini_members;
    }
    fault.status = pp_engine_enter(server->engine, &server->party);
    if (fault.status != PIPEPORT_OK) {
        goto close_listener;
    }
    return fault;

close_listener:
    pp_listener_close(&server->listener);
fini_members:
    pp_groups_fini(&server->groups);
    pp_group_fini(&server->members);
    if (server->party.peers) {
        pp_peers_fini(server->party.peers);
    }
    return fault;
}

/* Its options' texts become its own, and are in its plan. */
static void server_plan(pipeport_server *server)
{
    pipeport_options *options = &server->party.options;
    options->server_user = NULL; /* A client's. */
    if (options->access_sddl) {
        strcpy(server->sddl, options->access_sddl);
        options->access_sddl = server->sddl;
    }
    pp_plan plan = pp_options_plan(options, PIPEPORT_SERVER);
    pp_party_set_plan(&server->party, &plan, true);
}

pipeport_status pipeport_server_start(pipeport_server **out, pipeport_engine *engine, const char *name,
                                      const pipeport_options *options, const pipeport_events *events)
{
    pp_asked asked;
    if (!out || !engine) {
        return PIPEPORT_INVALID;
    }
    pipeport_status status = pp_options_resolve_start(&asked, PIPEPORT_SERVER, name, options, events);
    if (status != PIPEPORT_OK) {
        pp_hub_log(&engine->hub, "server %s: %s", name ? name : "?", asked.why.text);
        return status;
    }
    pipeport_server *server = pp_memory_take_zeroed(&engine->hub.memory, sizeof *server);
    if (!server) {
        return PIPEPORT_NO_MEMORY;
    }
    server->engine = engine;
    memcpy(server->address, asked.address, sizeof asked.address);
    server->party.members = &server->members;
    server->party.groups = &server->groups;
    server->party.left = server_left;
    server->party.halt = server_halt;
    server->party.finish = server_finish;
    pp_party_init(&server->party, &engine->hub, &asked.options, &asked.events);
    server_plan(server);
    /* Once entered it may be stopped, by an event or the engine's end, and freed under us. */
    pp_party_retain(&server->party);
    pp_fault fault = server_open(server, name);
    if (fault.status != PIPEPORT_OK) {
        const char *text = fault.status == PIPEPORT_INVALID ? pp_options_blame(&server->party.options)
                                                            : pipeport_status_text(fault.status);
        pp_hub_log(&engine->hub, "server %s: %s (system code %d)", name, text, fault.system_code);
        pp_party_fini(&server->party);
        pp_memory_give(&engine->hub.memory, server, sizeof *server);
        return fault.status;
    }
    *out = server; /* Before the first event can want it. */
    pp_listener_fill(&server->listener, pp_pool_here(&engine->hub.pool));
    pp_party_release(&server->party);
    return PIPEPORT_OK;
}

void pipeport_server_stop(pipeport_server *server, uint32_t drain_ms)
{
    if (server) {
        pp_engine_stop_party(server->engine, &server->party, drain_ms);
    }
}

const char *pipeport_server_address(const pipeport_server *server)
{
    return server ? server->address : "";
}

pipeport_status pipeport_server_stats(const pipeport_server *server, pipeport_stats *stats)
{
    return server ? pp_tally_report(&server->party, stats) : PIPEPORT_INVALID;
}

pipeport_server *pp_server_of(const pipeport_group *group)
{
    return (pipeport_server *) ((char *) group->of - offsetof(pipeport_server, groups));
}
