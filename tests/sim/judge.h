/* SPDX-License-Identifier: MIT */
/*
 * judge.h - what an engine tells and what it does, held against the promise of pipeport.h.
 *
 * The judge sees each byte as it enters a pipe. It parses the frames there, so it knows of each direction of each link
 * what was really written: whose message it is, whether somebody offered it, whether it was written before, and whether
 * those of one thread stand in call order. The receiver's `message` events must then be those frames, one after the
 * other, and all of them where it heard the peer's end.
 */
#ifndef TESTS_SIM_JUDGE_H
#define TESTS_SIM_JUDGE_H

#include "engine/include/pipeport.h"
#include "tests/sim/dialect.h"
#include "tests/sim/link.h"
#include "tests/sim/schedule.h"

enum { SIM_GROUPS = 3, SIM_LIST_MAX = 4 };
enum { SIM_ENGINES_MAX = 2, SIM_PARTIES_MAX = 512, SIM_CONNS_MAX = 4096, SIM_OFFERS_MAX = 200000 };

typedef struct sim_engine {
    pipeport_engine *engine; /* NULL: none. */
    bool hosted;
    uint64_t memory_bytes_max;
    bool going; /* Its destroy has begun, */
    bool gone;  /* and is nearly done. */
} sim_engine;

typedef struct sim_party { /* A server or a client. */
    sim_engine *engine;
    pipeport_server *server;
    pipeport_client *client;
    const sim_dialect *dialect;
    bool is_server;
    bool asks, hears_sent; /* It has an event `accept`, and one `sent`. */
    uint32_t turned_away;  /* By either of the two ways. */
    uint64_t spoke;        /* Messages and replies. */
    uint64_t received;     /* Bytes, of connections that have closed. */
    uint32_t slow, full;   /* Connections that ended so, and sends that heard so, */
    uint32_t sending;      /* of which so many are under way: they are not counted yet. */
    bool started;          /* Its start answered OK, or an event came before that. */
    bool stopping;         /* Somebody has begun to stop it: its handle is used no more. */
    bool drains;           /* That stop drains, */
    uint32_t drain_ms;
    uint64_t stopping_ns; /* and began then. */
    bool finished;        /* The engine has let go of it. */
    uint32_t busy;        /* Calls with its handle that are under way. */
    uint32_t opened, closed;
    uint32_t failed;                    /* Since it was last opened. */
    uint32_t calls;                     /* pipeport_client_call, begun: each may abort its connection. */
    pipeport_group *groups[SIM_GROUPS]; /* NULL: not opened yet. */
    uint32_t moves, moving;             /* Joins and leaves: begun, and under way. */
    pipeport_options options;
    char name[24];
} sim_party;

typedef struct sim_member { /* What is known of a connection in one group. */
    bool in;                /* For certain: a join has answered OK, and nothing has begun since. */
    bool maybe;             /* Not out for certain: a join has begun, and no leave has answered OK alone since. */
    uint32_t out_since;     /* While it is not: messages offered from this one on are not for it. */
    uint32_t moves, moving; /* As the party's. */
} sim_member;

typedef struct sim_conn {
    pipeport_conn name;
    sim_party *party;
    sim_link *link;
    uint32_t side;
    bool inside; /* An event of it is running. */
    bool is_closed;
    bool drain_asked, abort_asked; /* From the call's begin. */
    bool close_done;               /* A close has answered OK: sends that begin now hear GONE. */
    bool closed_inside;            /* One that was called in an event of it: no `message` may begin. */
    bool was_paused;
    bool paused;          /* A pause has returned, and no resume has begun since. */
    uint32_t pause_grace; /* `message` events that may still begin: the one at the moment of a foreign pause. */
    uint32_t resumes;     /* Begun, */
    uint32_t resuming;    /* and under way. */
    uint32_t drained;     /* Events. */
    bool starved;         /* A send heard FULL, and no `drained` came since that send began. */
    uint64_t opened_ns;   /* When `opened` began, */
    uint64_t listens_ns;  /* and returned. */
    uint64_t spoke;       /* Messages. */
    uint64_t sent;        /* Bytes, as `sent` has told. */
    uint64_t accepted;    /* Bytes of its own sends that were accepted. */
    uint32_t broadcasts;  /* That have reached it for certain, long enough for a serial. */
    sim_member groups[SIM_GROUPS];
    pipeport_end end;
} sim_conn;

typedef struct sim_audience { /* Of a message for more than one. */
    sim_party *party;
    uint32_t group;                     /* 1 to SIM_GROUPS; 0: all, or */
    const sim_conn *list[SIM_LIST_MAX]; /* these, */
    uint32_t list_count;                /* if there are some. */
} sim_audience;

extern sim_engine sim_engines[SIM_ENGINES_MAX];
extern sim_party sim_parties[SIM_PARTIES_MAX];
extern uint32_t sim_parties_count;
extern sim_conn sim_conns[SIM_CONNS_MAX];
extern uint32_t sim_conns_count;
extern uint32_t sim_message_bytes_max; /* Of all parties of this world. */
extern uint32_t sim_events_asleep;     /* Events that take their time, */
extern uint64_t sim_nap_ns_max;        /* and how much at most. */

void sim_judge_begin(void);

/* The end: everything has gone. */
void sim_judge_end(void);

/* ---- Events, before and after the user's own part ---- */

/* Who came to a server, at `accept`. `stays`: what its user will answer. */
void sim_judge_accept(sim_party *party, const pipeport_peer *peer, bool stays);
sim_conn *sim_judge_opened(sim_party *party, pipeport_conn name);
sim_conn *sim_judge_enter(sim_party *party, void *state, pipeport_conn name, const char *what);
void sim_judge_leave(sim_conn *conn);
void sim_judge_message(sim_conn *conn, const void *data, size_t length);
void sim_judge_sent(sim_conn *conn, uint64_t bytes);
void sim_judge_closed(sim_conn *conn, const pipeport_end *end);
void sim_judge_failed(sim_party *party, pipeport_status why);

/* ---- Messages ---- */

/* A message of this length that is about to be offered to `conn`, or to an audience, or to who knows whom (both NULL);
 * its serial. Its content is filled in, in that dialect. */
uint32_t sim_judge_offer(const sim_dialect *dialect, const sim_conn *conn, const sim_audience *audience, uint8_t *data,
                         uint32_t length);
void sim_judge_answer(uint32_t serial, pipeport_status status);

/* Is this the answer to an offer, as far as its content and the pipe's direction say? `mute`: against it. */
void sim_judge_admission(uint32_t serial, pipeport_status status, bool mute);

/* rest.c: asserts what must hold while everybody waits. */
void sim_rest_check(void);

#endif
