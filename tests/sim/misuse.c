/* SPDX-License-Identifier: MIT */
/*
 * misuse.c - calls that pipeport.h refuses with INVALID or TOO_LARGE, whatever the world is like.
 */
#include "tests/sim/trace.h"
#include "tests/sim/user.h"
#include "tests/sim/world.h"

static void misuse_expect(sim_place place, pipeport_status status, pipeport_status expected)
{
    if (sim_met(place, status) != expected) {
        sim_fail("a call that must be refused with %d answered %d", expected, status);
    }
}

static void misuse_starts(sim_engine *engine)
{
    pipeport_server *server = NULL;
    pipeport_client *client = NULL;
    pipeport_options options = {.size = sizeof options, .connections_max = 1000001};
    pipeport_events events = {.size = sizeof events - 1};
    misuse_expect(SIM_AT_SERVER_START, pipeport_server_start(&server, engine->engine, "a/b", NULL, NULL),
                  PIPEPORT_INVALID);
    misuse_expect(SIM_AT_SERVER_START, pipeport_server_start(&server, engine->engine, "a", &options, NULL),
                  PIPEPORT_INVALID);
    misuse_expect(SIM_AT_CLIENT_START, pipeport_client_start(&client, engine->engine, "a", NULL, &events),
                  PIPEPORT_INVALID);
    misuse_expect(SIM_AT_CLIENT_START, pipeport_client_start(NULL, engine->engine, "a", NULL, NULL), PIPEPORT_INVALID);
    SIM_MUST(server == NULL && client == NULL);
}

static void misuse_messages(sim_engine *engine)
{
    pipeport_conn nobody = {sim_random()};
    pipeport_message *message = NULL;
    void *data = NULL;
    misuse_expect(SIM_AT_SEND, pipeport_send(engine->engine, nobody, NULL, 1), PIPEPORT_INVALID);
    misuse_expect(SIM_AT_SEND, pipeport_send(engine->engine, nobody, "x", 1), PIPEPORT_GONE);
    misuse_expect(SIM_AT_SEND, pipeport_send_message(engine->engine, nobody, NULL), PIPEPORT_INVALID);
    misuse_expect(SIM_AT_BROADCAST, pipeport_broadcast(NULL, "x", 1, NULL), PIPEPORT_INVALID);
    misuse_expect(SIM_AT_MESSAGE_CREATE, pipeport_message_create(&message, engine->engine, NULL, 1, NULL),
                  PIPEPORT_INVALID);
    misuse_expect(SIM_AT_MESSAGE_CREATE,
                  pipeport_message_create(&message, engine->engine, NULL, ((size_t) 1 << 30) + 1, &data),
                  PIPEPORT_TOO_LARGE);
    misuse_expect(SIM_AT_CALL, pipeport_client_call(NULL, "x", 1, NULL, 1), PIPEPORT_INVALID);
    misuse_expect(SIM_AT_CLOSE, pipeport_close(engine->engine, nobody, (pipeport_closing) 2), PIPEPORT_INVALID);
    misuse_expect(SIM_AT_CLOSE, pipeport_close(engine->engine, nobody, PIPEPORT_DRAIN), PIPEPORT_GONE);
    pipeport_message_release(message);
}

void sim_user_misuse(sim_engine *engine)
{
    if (!engine->engine || engine->going) {
        return;
    }
    if (sim_below(2)) {
        misuse_starts(engine);
    } else {
        misuse_messages(engine);
    }
}
