/* SPDX-License-Identifier: MIT */
/*
 * event.c - the events of all parties: the judge first, then what a handler may do inside.
 */
#include "tests/sim/trace.h"
#include "tests/sim/user.h"
#include "tests/sim/world.h"

/* A handler that takes its time. */
static void event_nap(void)
{
    if (sim_happens(sim_users.event_naps)) {
        sim_events_asleep++;
        sim_sleep_ns(sim_random() % sim_nap_ns_max);
        sim_events_asleep--;
    }
}

static void event_act(sim_conn *conn)
{
    event_nap();
    if (conn->party->engine->going && sim_below(6) == 0) {
        sim_user_act_late(conn);
    }
    if (sim_happens(sim_users.acts_inside)) {
        sim_user_act_inside(conn);
    }
}

static void *event_opened(void *user, pipeport_conn name)
{
    sim_party *party = user;
    party->started = true;
    sim_conn *conn = sim_judge_opened(party, name);
    event_act(conn);
    sim_judge_leave(conn);
    return conn;
}

static void event_message(void *user, void *state, pipeport_conn name, const void *data, size_t length)
{
    sim_conn *conn = sim_judge_enter(user, state, name, "message");
    sim_judge_message(conn, data, length);
    if (sim_happens(sim_users.echoes)) {
        sim_user_answer(conn, length);
    }
    event_act(conn);
    sim_judge_leave(conn);
}

/* Before anybody knows it as a connection. */
static bool event_accept(void *user, const pipeport_peer *peer)
{
    sim_party *party = user;
    bool stays = sim_below(65536) >= sim_users.turns_away;
    sim_judge_accept(party, peer, stays);
    event_nap();
    if (sim_happens(sim_users.acts_inside)) {
        sim_user_act_at_the_door(party);
    }
    return stays;
}

static void event_sent(void *user, void *state, pipeport_conn name, uint64_t bytes)
{
    sim_conn *conn = sim_judge_enter(user, state, name, "sent");
    sim_judge_sent(conn, bytes);
    if (sim_below(4) == 0) { /* It comes often. */
        event_act(conn);
    }
    sim_judge_leave(conn);
}

static void event_drained(void *user, void *state, pipeport_conn name)
{
    sim_conn *conn = sim_judge_enter(user, state, name, "drained");
    conn->drained++;
    conn->starved = false;
    sim_trace("drained: link", conn->link->number, 0, 0);
    event_act(conn);
    sim_judge_leave(conn);
}

static void event_closed(void *user, void *state, pipeport_conn name, const pipeport_end *end)
{
    sim_conn *conn = sim_judge_enter(user, state, name, "closed");
    sim_judge_closed(conn, end);
    event_act(conn);
    sim_judge_leave(conn);
}

static void event_failed(void *user, pipeport_status why, long system_code)
{
    (void) system_code;
    sim_judge_failed(user, why);
    if (sim_happens(sim_users.stops)) {
        sim_user_stop(user, true);
    }
}

pipeport_events sim_events_of(sim_party *party)
{
    return (pipeport_events){.size = sizeof(pipeport_events),
                             .user = party,
                             .opened = event_opened,
                             .message = event_message,
                             .drained = event_drained,
                             .closed = event_closed,
                             .failed = event_failed,
                             .accept = party->asks ? event_accept : NULL,
                             .sent = party->hears_sent ? event_sent : NULL};
}
