/* SPDX-License-Identifier: MIT */
/* life.c - see life.h. */
#include "tests/support/life.h"

#include "engine/api/engine.h"
#include "engine/api/server.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

life_record life;
pipeport_options life_options;
bool life_has_homes;

static life_conn *life_of(pipeport_conn name)
{
    for (unsigned i = life.count; i-- > 0;) {
        if (life.conns[i].name.id == name.id) {
            return &life.conns[i];
        }
    }
    cr_assert_fail("an event of a connection that was never opened");
    return NULL;
}

static life_conn *life_enter(void *state, pipeport_conn name)
{
    life_conn *conn = life_of(name);
    cr_assert_eq(state, conn, "the state is not what `opened` returned");
    cr_assert(!conn->inside, "an event inside another of the same connection");
    cr_assert_eq(conn->closed, 0, "an event after `closed`");
    cr_assert_eq(fake_os_locks, 0, "an event under a lock");
    conn->inside = true;
    return conn;
}

static const fake_pipe *life_pipe_of(pipeport_conn name)
{
    pp_conn *conn = pp_conn_pin(&life.engine->hub, name.id);
    cr_assert_not_null(conn);
    const fake_pipe *pipe = &fake.pipes[conn->pipe.handle];
    pp_conn_unpin(conn, NULL);
    return pipe;
}

static void *life_opened(void *user, pipeport_conn name)
{
    cr_assert_eq(user, &life);
    cr_assert_eq(fake_os_locks, 0, "an event under a lock");
    cr_assert_lt(life.count, LIFE_CONNS_MAX);
    life_conn *conn = &life.conns[life.count++];
    conn->name = name;
    conn->pipe = life_pipe_of(name);
    conn->opened += 1;
    conn->inside = true;
    if (life.on_opened) {
        life.on_opened(conn);
    }
    conn->inside = false;
    return conn;
}

static void life_message(void *user, void *state, pipeport_conn name, const void *data, size_t length)
{
    (void) user;
    life_conn *conn = life_enter(state, name);
    cr_assert_not_null(data);
    conn->messages += 1;
    conn->last_length = length;
    test_bytes_add(&conn->received, data, length);
    if (life.on_message) {
        life.on_message(conn, data, length);
    }
    conn->inside = false;
}

static void life_drained(void *user, void *state, pipeport_conn name)
{
    (void) user;
    life_conn *conn = life_enter(state, name);
    conn->drained += 1;
    if (life.on_drained) {
        life.on_drained(conn);
    }
    conn->inside = false;
}

static void life_sent(void *user, void *state, pipeport_conn name, uint64_t bytes)
{
    (void) user;
    life_conn *conn = life_enter(state, name);
    cr_assert_gt(bytes, 0);
    conn->sents += 1;
    conn->sent_bytes += bytes;
    if (life.on_sent) {
        life.on_sent(conn);
    }
    conn->inside = false;
}

static void life_closed(void *user, void *state, pipeport_conn name, const pipeport_end *end)
{
    (void) user;
    life_conn *conn = life_enter(state, name);
    conn->end = *end;
    cr_assert(!life.hears_sent || conn->sent_bytes == end->bytes_sent);
    if (end->why == PIPEPORT_OK) {
        cr_assert_eq(end->bytes_discarded, 0, "OK promises that all that was accepted is written");
    }
    if (life.on_closed) {
        life.on_closed(conn);
    }
    conn->inside = false;
    conn->closed += 1;
}

static void life_failed(void *user, pipeport_status why, long system_code)
{
    cr_assert_eq(user, &life);
    cr_assert_eq(fake_os_locks, 0, "an event under a lock");
    life.failed += 1;
    life.failed_why = why;
    life.failed_code = system_code;
    if (life.on_failed) {
        life.on_failed();
    }
}

static bool life_accept(void *user, const pipeport_peer *peer)
{
    cr_assert_eq(user, &life);
    cr_assert_eq(fake_os_locks, 0, "an event under a lock");
    life.accepts += 1;
    return life.on_accept(peer);
}

/* What a server or client starts with now. */
static pipeport_events life_events(void)
{
    return (pipeport_events){.size = sizeof(pipeport_events),
                             .user = &life,
                             .opened = life_opened,
                             .message = life_message,
                             .drained = life_drained,
                             .closed = life_closed,
                             .failed = life_failed,
                             .accept = life.on_accept ? life_accept : NULL,
                             .sent = life.hears_sent ? life_sent : NULL};
}

static void life_log(void *user, const char *line)
{
    cr_assert_eq(user, &life);
    cr_assert_eq(fake_os_locks, 0, "the log under a lock");
    life.lines += 1;
    life.leaked |= strstr(line, "never given back") != NULL;
    if (life.on_line) {
        life.on_line();
    }
}

static void life_forget(void)
{
    for (unsigned i = 0; i < life.count; ++i) {
        free(life.conns[i].received.data);
    }
    memset(&life, 0, sizeof life);
    fake_reset();
}

bool life_try_begin(uint64_t memory_bytes_max)
{
    life_forget();
    fake.waits = fake_os_pass;
    fake.not_shared = life_has_homes;
    life_options = (pipeport_options){.size = sizeof life_options};
    pipeport_engine_options options = {.size = sizeof options,
                                       .workers = PIPEPORT_HOST_THREADS,
                                       .memory_bytes_max = memory_bytes_max,
                                       .log = life_log,
                                       .log_user = &life};
    return pipeport_engine_create(&life.engine, &options) == PIPEPORT_OK;
}

void life_begin(void)
{
    cr_assert(life_try_begin(0));
}

pipeport_status life_try_serve(void)
{
    pipeport_events events = life_events();
    return pipeport_server_start(&life.server, life.engine, "life", &life_options, &events);
}

void life_serve(void)
{
    cr_assert_eq(life_try_serve(), PIPEPORT_OK);
}

pipeport_status life_dial(void)
{
    pipeport_events events = life_events();
    return pipeport_client_start(&life.client, life.engine, "life", &life_options, &events);
}

void life_stop_client(void)
{
    pipeport_client_stop(life.client, 0);
    life.client = NULL;
}

fake_pipe *life_client(void)
{
    fake_pipe *pipe = fake_client_comes();
    if (pipe) {
        life_settle();
    }
    return pipe;
}

life_conn *life_newest(void)
{
    cr_assert_gt(life.count, 0, "no connection was opened");
    return &life.conns[life.count - 1];
}

void life_settle(void)
{
    do {
        cr_assert_eq(pipeport_engine_run(life.engine, 0), PIPEPORT_OK);
    } while (fake_port_waiting());
    pp_deadlines_check(&life.engine->hub.deadlines);
    (void) pp_roster_check(&life.engine->hub.roster);
    if (life.server) {
        pp_listener_check(&life.server->listener);
        (void) pp_group_check(&life.server->members);
        if (life.server->party.peers) {
            (void) pp_peers_check(life.server->party.peers);
        }
    }
    for (unsigned i = 0; i < life.count; ++i) {
        pp_conn *conn = pp_conn_pin(&life.engine->hub, life.conns[i].name.id);
        if (conn) {
            pp_conn_check(conn);
            pp_conn_unpin(conn, NULL);
        }
    }
}

void life_pass(uint32_t ms)
{
    uint64_t until_ms = fake_os_ms + ms;
    while (fake_os_ms < until_ms) {
        cr_assert_eq(pipeport_engine_run(life.engine, (uint32_t) (until_ms - fake_os_ms)), PIPEPORT_OK);
    }
    life_settle();
}

uint32_t life_next_try(void)
{
    unsigned dials = fake.dials_called;
    uint64_t begin_ms = fake_os_ms;
    while (fake.dials_called == dials) {
        life_pass(1);
    }
    return (uint32_t) (fake_os_ms - begin_ms);
}

pipeport_status life_send(const life_conn *conn, const void *data, size_t length)
{
    return pipeport_send(life.engine, conn->name, data, length);
}

void life_as_thread(uintptr_t self, void (*body)(void))
{
    uintptr_t before = fake_os_self;
    fake_os_self = self;
    body();
    fake_os_self = before;
}

static void life_pass_once(void)
{
    fake.inside_wake = NULL;
    life_pass(100);
}

void life_pass_elsewhere(void)
{
    life_as_thread(2, life_pass_once);
}

static void (*life_body)(void);

static void life_body_done(pp_op *op, pp_result result, void *drainer)
{
    (void) op;
    (void) result;
    (void) drainer;
    life_body();
}

void life_on_worker(void (*body)(void))
{
    pp_op op = {.done = life_body_done};
    life_body = body;
    pp_port_post(life.engine->hub.port, &op);
    life_settle();
}

void life_expect_end(const life_conn *conn, pipeport_status why)
{
    cr_assert_eq(conn->closed, 1, "`closed` came %u times", conn->closed);
    cr_assert_eq(conn->end.why, why, "closed with: %s", pipeport_status_text(conn->end.why));
}

void life_expect_balance(void)
{
    pipeport_stats stats = {.size = sizeof stats};
    cr_assert_eq(pipeport_server_stats(life.server, &stats), PIPEPORT_OK);
    cr_assert_eq(stats.connections_open, 0);
    cr_assert_eq(stats.bytes_accepted, stats.bytes_sent + stats.bytes_discarded);
}

/* A server that gives a client up does not wait for it to close its end. What was drained can still be read. */
static void life_expect_pipe(const life_conn *conn)
{
    bool given_up = conn->end.why != PIPEPORT_OK && conn->end.why != PIPEPORT_GONE;
    cr_assert_eq(conn->pipe->is_aborted, conn->pipe->is_accepted && given_up, "its pipe was %s, and it closed with: %s",
                 conn->pipe->is_aborted ? "aborted" : "closed", pipeport_status_text(conn->end.why));
}

void life_end(void)
{
    pipeport_server_stop(life.server, 0);
    pipeport_client_stop(life.client, 0);
    cr_assert_eq(pipeport_engine_destroy(life.engine), PIPEPORT_OK);
    cr_assert_eq(fake.armed, fake.done, "operations armed and not done");
    cr_assert_eq(fake_pipes_open(), 0);
    cr_assert_eq(fake.ears_open, 0);
    cr_assert_eq(fake.ports_open, 0);
    cr_assert_eq(fake_os_locks, 0);
    cr_assert(!life.leaked, "blocks were never given back");
    for (unsigned i = 0; i < life.count; ++i) {
        cr_assert_eq(life.conns[i].closed, 1, "connection %u: `closed` came %u times", i, life.conns[i].closed);
        life_expect_pipe(&life.conns[i]);
    }
    life_forget();
}
