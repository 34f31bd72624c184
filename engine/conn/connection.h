/* SPDX-License-Identifier: MIT */
/*
 * connection.h - one end of one pipe: its life, its events, its closing.
 *
 *      OPENING --> OPEN --> DRAINING --> CLOSING --> CLOSED      only forward, each step may be skipped
 *
 *      OPENING   seated, `opened` not yet begun          DRAINING  ended by either side, what was accepted goes out
 *      OPEN      messages go both ways                   CLOSING   cancelled; waits for read and pump to come home
 *      CLOSED    `closed` was told; the last pin frees the seat
 *
 * All that happens to a connection, save writing, happens in its turn (turn.h), so events of one connection never
 * overlap and no lock is needed. Writing belongs to who holds the pump (writer.h).
 *
 * Pins (roster.h): one for the connection's life, until `closed` was told; one for a running turn; one for the pump
 * while it is held (fan.h says where it has none); one for each look-up; one for the deadline while set. The armed read
 * needs none: the life's pin outlives it, for `closed` waits until it is home. Who takes the last pin away closes the
 * pipe and gives the seat back, on any thread.
 *
 * Closing: mark (state, seat shut), cancel (read, pump), join (read home and pump sealed), free (`closed`, then the
 * pins). A write that fails because the peer is gone does not end reading: what the peer had sent before is delivered
 * first. Nor does the peer's end end writing: it may have ended its sending alone (a socket of Linux), so it makes a
 * DRAIN wish, `left` remembers whose, and who is really gone fails the write. A pump that is idle seals in that turn.
 * Where the pipe's direction forbids reading (party.h: deaf) there is nothing to deliver: only the end is awaited,
 * where the port can, and a write that finds the peer gone ends the connection.
 *
 * Bounds in ms: whose part is done in time is not closed for it, however long a handler holds up the worker that should
 * hear of it (connection_clock.c).
 */
#ifndef PP_CONN_CONNECTION_H
#define PP_CONN_CONNECTION_H

#include "engine/conn/party.h"
#include "engine/conn/reader.h"
#include "engine/conn/stamp.h"
#include "engine/conn/turn.h"
#include "engine/conn/writer.h"

typedef enum pp_conn_state {
    PP_CONN_OPENING,
    PP_CONN_OPEN,
    PP_CONN_DRAINING,
    PP_CONN_CLOSING,
    PP_CONN_CLOSED
} pp_conn_state;

/* Duties of the turn, in the order in which they are done. */
enum {
    PP_DUTY_OPEN = 1 << 1,
    PP_DUTY_READ = 1 << 2,   /* The armed read is home: its result lies in its op. */
    PP_DUTY_SEALED = 1 << 3, /* The writer has ended. */
    PP_DUTY_CLOSE = 1 << 4,  /* A wish was made. */
    PP_DUTY_RESUME = 1 << 5,
    PP_DUTY_CLOCK = 1 << 6, /* The deadline fired, or should be looked at. */
    PP_DUTY_DRAINED = 1 << 7,
    PP_DUTY_SENT = 1 << 8 /* Bytes were taken, and there is an event for it. */
};

/* SLOW aborts whose queue was full, by the party's when_full; it overtakes nothing, and nothing overtakes it. */
typedef enum pp_conn_wish { PP_WISH_NONE, PP_WISH_DRAIN, PP_WISH_ABORT, PP_WISH_SLOW } pp_conn_wish;

/* Of who seems to be overdue where drainers share a port (connection_clock.c), on the way to being sure. */
typedef enum pp_conn_doubt {
    PP_DOUBT_NONE,
    PP_DOUBT_ASKS,  /* The turn is to go through the port, */
    PP_DOUBT_WAITS, /* is on its way there, */
    PP_DOUBT_PASSED /* and has come out; a little later the next look decides. */
} pp_conn_doubt;

typedef struct pp_conn { /* "Turn": only the turn's holder touches it. */
    pp_seat seat;        /* First: the roster knows nothing else. */
    pp_party *party;
    _Atomic uint64_t bytes_sent; /* The pump's holder adds, anybody reads (relaxed). */
    _Atomic uint8_t wish;        /* pp_conn_wish, only upward; seen by sends, and by the turn after each event. */
    _Atomic bool paused;
    uint8_t state;         /* Turn: pp_conn_state. */
    bool heard : 1;        /* Turn: `opened` was told, so `closed` will be. */
    bool spoke : 1;        /* Turn: a whole message came. */
    bool pump_home : 1;    /* Turn: the writer is sealed. */
    bool grouped : 1;      /* Turn: in the party's members at `slot`. */
    bool left : 1;         /* Turn: it drains because the peer ended its sending, and not by our wish. */
    bool doubts_write : 1; /* Turn: that a write is overdue; else the peer's word. */
    uint8_t doubt : 2;     /* Turn: pp_conn_doubt. */
    uint32_t slot;         /* Turn. */
    pp_pipe pipe;
    pp_writer writer; /* To here a message that is sent to it goes, and no further: fan.h. */
    pp_turn turn;
    pp_reader reader;           /* Turn. */
    void *user_state;           /* Turn: what `opened` returned. */
    union {                     /* Turn. */
        struct {                /* Before CLOSING, stamps (stamp.h): */
            uint32_t opened_at; /* since when the first message is waited for, */
            uint32_t heard_at;  /* and when the last byte came from the peer. */
        };
        pp_fault why; /* From CLOSING on. */
    };
    pp_deadline deadline;
} pp_conn;

_Static_assert(sizeof(void *) != 8 || PP_OP_ROOM_WORDS > 2 || sizeof(pp_conn) <= 304, "an idle connection is small");

/* Takes a seat and the open pipe (moved), and brings `opened` to a worker.
 * Fails: NO_MEMORY (the pipe is still the caller's). */
pipeport_status pp_conn_start(pp_party *party, const pp_pipe *pipe, pp_worker *worker);

/* The connection this id names, pinned, or NULL. */
pp_conn *pp_conn_pin(pp_hub *hub, uint64_t id);
void pp_conn_unpin(pp_conn *conn, pp_worker *worker);

typedef enum pp_conn_reach { PP_REACH_ONE, PP_REACH_MANY } pp_conn_reach; /* A unicast's; a broadcast's. */

/* With a pin. Reserves room in the queue; where there is none, does what the party's when_full says, and counts it.
 * Fails: FULL, GONE. */
pipeport_status pp_conn_reserve(pp_conn *conn, uint32_t bytes, pp_conn_reach reach, pp_worker *worker);

/* With a pin. Queues a message's link; the link's count goes with it when OK, and the caller adds what was accepted to
 * the party's tally. *corked becomes true if its pump now waits for the end of the worker's batch, and has taken the
 * pin. Fails: FULL, GONE. */
pipeport_status pp_conn_send(pp_conn *conn, pp_link *link, pp_conn_reach reach, pp_worker *worker, bool *corked);

/* Each member of the party has a link of `fan`, of which none leaves its queue before the turn that runs on this worker
 * has ended; a link without a message is nobody's. Reserves `bytes` with all of them. False: with none. */
bool pp_conn_reserve_ahead(pp_party *party, const pp_message *fan, uint32_t bytes, pp_worker *worker);

/* Nothing grows into the turn's last broadcast any more. */
void pp_conn_rest_fan(pp_worker *worker);

void pp_conn_refund(pp_conn *conn, uint32_t bytes, pp_worker *worker);

/* `messages` of `bytes` in all were accepted for connections of this party. */
void pp_conn_accepted(pp_party *party, uint64_t messages, uint64_t bytes);

/* With a pin. A drain gives up when its party says (drain_by_ms). Fails: GONE (an equal wish is there). */
pipeport_status pp_conn_close(pp_conn *conn, pp_conn_wish wish, pp_worker *worker);

/* With a pin. The party's drain_by_ms has come nearer. */
void pp_conn_hurry(pp_conn *conn, pp_worker *worker);

/* With a pin. */
void pp_conn_pause(pp_conn *conn);
void pp_conn_resume(pp_conn *conn);

/* Closes all connections of a stopping party. by_ms: when a drain gives up (UINT64_MAX: never by itself). */
void pp_conn_close_all(pp_party *party, pp_conn_wish wish, uint64_t by_ms, pp_worker *worker);

/* Turn. When to look at the clock again (UINT64_MAX: not for its sake). Not after now_ms: it is over, and why. */
uint64_t pp_conn_due_ms(pp_conn *conn, uint64_t now_ms, pipeport_status *why);

/* Turn. The deadline is then, whatever it was. */
void pp_conn_set_clock(pp_conn *conn, uint64_t due_ms, pp_worker *worker);

/* Turn, at its beginning, and how it rests: where the clock has a doubt, by the port. */
void pp_conn_look_at_doubt(pp_conn *conn, uint32_t duties, pp_worker *worker);
pp_turn_rest pp_conn_doubt_rests(pp_conn *conn, pp_turn_rest rest);

/* For one write to be taken by a peer that has ended its sending: what it takes is all that can be heard of it, so that
 * where writes have no bound its silence has. UINT32_MAX: none. */
static inline uint32_t pp_conn_stall_ms(const pipeport_options *options)
{
    return options->write_stall_ms == UINT32_MAX && options->idle_ms ? options->idle_ms : options->write_stall_ms;
}

/* Turn, before it is opened: whether who came may stay; counted where not. Fails: FULL (turned away), what the system
 * says of its peer, NO_MEMORY. */
pipeport_status pp_conn_admit(pp_conn *conn);

/* What its deadline does. */
void pp_conn_deadline_due(pp_deadline *deadline, void *drainer);

/* What its writer is called with, and what its writes lead to. */
pp_writer_means pp_conn_writer_means(pp_conn *conn);
void pp_conn_write_done(pp_op *op, pp_result result, void *drainer);

/* On that worker, inside no event: writes what stands in its fan (fan.h), one connection after the other, and meanwhile
 * brings near what the next one needs. */
void pp_conn_write_fan(pp_worker *worker);

/* Brings near what a message needs of the connection with this seat. */
void pp_conn_soon(const pp_seat *seat);

/* With a pin. Brings a worker to do `duties`. */
void pp_conn_summon(pp_conn *conn, uint32_t duties, pp_worker *worker);

/* With a pin. Tests: asserts what must hold while nobody is inside a call on it. */
void pp_conn_check(const pp_conn *conn);

#endif
