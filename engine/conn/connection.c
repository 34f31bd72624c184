/* SPDX-License-Identifier: MIT */
/* connection.c - see connection.h. The turn (`conn_run`) stands below what it calls. */
#include "engine/conn/connection.h"

#include "engine/base/assert.h"

#include <string.h>

enum {
    CONN_READS_A_TURN = 8,
    CONN_MUCH_BYTES = 32 * 1024 /* Answers of a turn: more than this would not stay near for a batch. */
};

static pp_conn *conn_of_turn(pp_turn *turn)
{
    return (pp_conn *) ((char *) turn - offsetof(pp_conn, turn));
}

static pipeport_conn conn_name(const pp_conn *conn)
{
    return (pipeport_conn){pp_seat_id(&conn->seat)};
}

/* ---- Pins ---- */

static void conn_free(pp_conn *conn, pp_worker *worker)
{
    pp_party *party = conn->party;
    pp_pipe pipe = conn->pipe;
    /* A client that this side has given up may keep its end; it shall not keep an instance with it. */
    bool aborts = party->members && conn->why.status != PIPEPORT_OK && conn->why.status != PIPEPORT_GONE;
    PP_VERIFY(conn->state == PP_CONN_CLOSED);
    pp_reader_fini(&conn->reader, &party->hub->memory);
    pp_roster_give(&party->hub->roster, &conn->seat);
    /* First: where the system has no more instances, the next takes the place of this one. */
    if (aborts) {
        pp_pipe_abort(&pipe);
    } else {
        pp_pipe_close(&pipe);
    }
    if (party->left) {
        party->left(party, worker);
    }
    pp_party_release(party);
}

void pp_conn_unpin(pp_conn *conn, pp_worker *worker)
{
    if (pp_seat_unpin(&conn->seat)) {
        conn_free(conn, worker);
    }
}

pp_conn *pp_conn_pin(pp_hub *hub, uint64_t id)
{
    return (pp_conn *) pp_roster_pin(&hub->roster, id);
}

/* ---- Turns ---- */

static pp_turn_rest conn_run(pp_turn *turn, uint32_t duties, pp_worker *worker);

static pp_port *conn_turn_port(pp_turn *turn)
{
    return conn_of_turn(turn)->pipe.port;
}

static void conn_turn_pin(pp_turn *turn)
{
    pp_seat_pin(&conn_of_turn(turn)->seat);
}

static void conn_turn_unpin(pp_turn *turn, pp_worker *worker)
{
    pp_conn_unpin(conn_of_turn(turn), worker);
}

static const pp_turn_owner conn_turn_owner = {conn_turn_port, conn_turn_pin, conn_turn_unpin, conn_run};

static void conn_turn_done(pp_op *op, pp_result result, void *drainer)
{
    (void) result;
    pp_turn_run((pp_turn *) ((char *) op - offsetof(pp_turn, op)), &conn_turn_owner, drainer);
}

void pp_conn_summon(pp_conn *conn, uint32_t duties, pp_worker *worker)
{
    pp_turn_summon(&conn->turn, &conn_turn_owner, duties, worker);
}

/* ---- Closing ---- */

/* Its place among the figures of what was told. A client has one connection at a time. */
static uint32_t conn_told_at(const pp_conn *conn)
{
    return conn->party->members ? conn->seat.index : 0;
}

/* What was sent since it was told last; all of it, once the pump is home. */
static void conn_tell_sent(pp_conn *conn)
{
    pp_party *party = conn->party;
    if (party->events.sent && conn->heard) {
        uint64_t sent = atomic_load_explicit(&conn->bytes_sent, memory_order_relaxed);
        uint64_t rest = pp_told_rest(&party->told, conn_told_at(conn), sent);
        if (rest) {
            party->events.sent(party->events.user, conn->user_state, conn_name(conn), rest);
        }
    }
}

/* Join and free: CLOSED as soon as read and pump are home. */
static void conn_finish(pp_conn *conn, pp_worker *worker)
{
    if (conn->state != PP_CONN_CLOSING || conn->reader.armed || !conn->pump_home) {
        return;
    }
    pp_party *party = conn->party;
    conn->state = PP_CONN_CLOSED;
    if (party->peers) { /* Before `closed`: who hears it finds room for another. */
        pp_peers_leave(party->peers, conn->seat.index);
    }
    if (conn->grouped) {
        pp_group_leave(party->members, conn->slot);
        pp_groups_forget(party->groups, &conn->seat);
    } else if (!party->members) {
        atomic_store(&party->only, 0);
    }
    /* Nobody but the turn sets it. */
    if (pp_deadline_due_ms(&conn->deadline) != 0 && pp_deadlines_clear(&party->hub->deadlines, &conn->deadline)) {
        pp_conn_unpin(conn, worker);
    }
    conn_tell_sent(conn);
    pp_party_count(party, worker);
    if (conn->heard) {
        atomic_fetch_add_explicit(&party->tally.closed, 1, memory_order_release); /* See pp_tally. */
        pp_tally_add(&party->tally.slow_peers, conn->why.status == PIPEPORT_SLOW_PEER);
        if (party->events.closed) {
            pipeport_end end = {.why = conn->why.status,
                                .system_code = conn->why.system_code,
                                .bytes_sent = atomic_load_explicit(&conn->bytes_sent, memory_order_relaxed),
                                .bytes_received = conn->reader.bytes,
                                .bytes_discarded = conn->writer.discarded};
            party->events.closed(party->events.user, conn->user_state, conn_name(conn), &end);
        }
    }
    pp_conn_unpin(conn, worker); /* The life's; the turn still holds its own. */
}

/* Mark and cancel. The first reason stays. */
static void conn_end(pp_conn *conn, pp_fault why, pp_worker *worker)
{
    if (conn->state >= PP_CONN_CLOSING) {
        return;
    }
    conn->state = PP_CONN_CLOSING;
    conn->why = why;
    pp_seat_shut(&conn->seat);
    worker->running.id = 0;
    if (conn->reader.armed) {
        pp_pipe_cancel(&conn->pipe, &conn->reader.op);
    }
    if (!conn->pump_home) {
        pp_writer_means means = pp_conn_writer_means(conn);
        pp_writer_stop(&conn->writer, &means, worker);
    }
    conn_finish(conn, worker);
}

/* ---- Time ---- */

/* Ends what is overdue, else sets the deadline if it would look too late. */
static void conn_look_at_clock(pp_conn *conn, pp_worker *worker)
{
    if (conn->state >= PP_CONN_CLOSING) {
        return;
    }
    pipeport_status why = PIPEPORT_OK;
    atomic_thread_fence(memory_order_seq_cst); /* See writing_stalled. */
    uint64_t now_ms = pp_os_now_ms();
    uint64_t due_ms = pp_conn_due_ms(conn, now_ms, &why);
    if (due_ms == UINT64_MAX) {
        return;
    }
    if (due_ms <= now_ms) {
        conn_end(conn, (pp_fault){why, 0}, worker);
        return;
    }
    uint64_t set_ms = pp_deadline_due_ms(&conn->deadline);
    if (set_ms == 0 || due_ms < set_ms) {
        pp_conn_set_clock(conn, due_ms, worker);
    }
}

void pp_conn_deadline_due(pp_deadline *deadline, void *drainer)
{
    pp_conn *conn = (pp_conn *) ((char *) deadline - offsetof(pp_conn, deadline));
    pp_worker *worker = drainer;
    bool knows = worker->drainer == conn->pipe.home || pp_port_is_shared(conn->pipe.port);
    pp_conn_summon(conn, PP_DUTY_CLOCK, knows ? worker : NULL); /* See pp_pipe_is_answered. */
    pp_conn_unpin(conn, worker);
}

/* ---- Duties ---- */

static bool conn_enter_group(pp_conn *conn)
{
    pp_party *party = conn->party;
    if (!party->members) {
        atomic_store(&party->only, pp_seat_id(&conn->seat));
        return true;
    }
    conn->grouped = pp_group_join(party->members, pp_seat_id(&conn->seat), &conn->slot) == PIPEPORT_OK;
    return conn->grouped;
}

static void conn_open(pp_conn *conn, pp_worker *worker)
{
    pp_party *party = conn->party;
    pipeport_status admitted = atomic_load(&party->stopping) ? PIPEPORT_STOPPED : pp_conn_admit(conn);
    if (admitted != PIPEPORT_OK) {
        conn_end(conn, (pp_fault){admitted, 0}, worker);
        return;
    }
    pp_seat_open(&conn->seat); /* Before joining: who finds the id in the group can pin it. */
    worker->running.id = pp_seat_id(&conn->seat);
    if (!conn_enter_group(conn)) { /* Nobody will hear of it, so it is counted as not accepted. */
        pp_tally_add(&party->tally.accepts_failed, 1);
        conn_end(conn, (pp_fault){PIPEPORT_NO_MEMORY, 0}, worker);
        return;
    }
    if (atomic_load(&party->stopping)) { /* After joining: a stop that missed us is seen here. */
        conn_end(conn, (pp_fault){PIPEPORT_STOPPED, 0}, worker);
        return;
    }
    conn->state = PP_CONN_OPEN;
    conn->heard = true;
    pp_tally_add(&party->tally.opened, 1);
    if (party->events.opened) {
        conn->user_state = party->events.opened(party->events.user, conn_name(conn));
    }
    conn->opened_at = conn->heard_at = pp_stamp_of(
        pp_os_now_ms()); /* Not before: until now nobody listened to the peer. */
    conn_look_at_clock(conn, worker);
}

static void conn_message(pp_conn *conn, const uint8_t *payload, uint32_t length, pp_worker *worker)
{
    pp_party *party = conn->party;
    conn->spoke = true;
    worker->running.messages_received += 1;
    if (party->events.message) {
        pipeport_conn name = {worker->running.id};
        party->events.message(party->events.user, conn->user_state, name, payload, length);
    }
}

/* A spare block only for who reads what an await has told of. */
static pp_reader_means conn_means(pp_conn *conn, pp_worker *worker)
{
    const pp_party *party = conn->party;
    return (pp_reader_means){&conn->pipe,
                             {&party->hub->memory, conn->reader.awaits ? &worker->spare : NULL, &party->framing,
                              party->options.message_bytes_max}};
}

/* Nothing more comes from the peer. Perhaps it ended its sending alone, and still reads: so what was accepted for it is
 * written, as by a drain. One that is gone ends that by the first write. */
static void conn_read_ended(pp_conn *conn, pp_worker *worker)
{
    pp_fault why = pp_reader_fault(&conn->reader);
    if (why.status != PIPEPORT_GONE || conn->pump_home) {
        conn_end(conn, why, worker);
    } else if (conn->state == PP_CONN_OPEN && pp_conn_close(conn, PP_WISH_DRAIN, worker) == PIPEPORT_OK) {
        conn->left = true;
    } /* Else a wish of this side was there before. */
}

/* Delivers and reads on, as long as it is wanted and not armed, and no more than `budget` times; then it is `tired`. */
static pp_turn_rest conn_read_on(pp_conn *conn, const pp_reader_means *means, uint32_t budget, pp_turn_rest tired,
                                 pp_worker *worker)
{
    if (conn->party->deaf && !conn->reader.awaits) { /* It hears of the end when it writes. */
        return PP_TURN_NOTHING;
    }
    while (!conn->reader.armed && (conn->state == PP_CONN_OPEN || conn->state == PP_CONN_DRAINING)) {
        if (conn->state == PP_CONN_OPEN && (atomic_load(&conn->wish) != PP_WISH_NONE || atomic_load(&conn->paused))) {
            return PP_TURN_NOTHING;
        }
        const uint8_t *payload = NULL;
        uint32_t length = 0;
        switch (conn->party->deaf ? pp_reader_await_end(&conn->reader, &conn->pipe)
                                  : pp_reader_next(&conn->reader, means, &budget, &payload, &length)) {
        case PP_READING_MESSAGE:
            conn_message(conn, payload, length, worker);
            break;
        case PP_READING_CAME: /* A pause or a close may have come before it. */
            break;
        case PP_READING_ARMED:
            return PP_TURN_NOTHING;
        case PP_READING_TIRED:
            return tired;
        case PP_READING_ENDED:
            conn_read_ended(conn, worker);
            return PP_TURN_NOTHING;
        }
    }
    return PP_TURN_NOTHING;
}

/* The writer has ended: because it was drained, because it broke, or because we asked it to. */
static void conn_sealed(pp_conn *conn, pp_worker *worker)
{
    conn->pump_home = true;
    if (conn->state >= PP_CONN_CLOSING) {
        return;
    }
    pp_fault why = conn->writer.fault;
    PP_ASSERT(conn->writer.drained || why.status != PIPEPORT_OK);
    if (conn->left && (why.status == PIPEPORT_OK || why.status == PIPEPORT_GONE)) {
        conn_end(conn, pp_reader_fault(&conn->reader), worker);
    } else if (why.status != PIPEPORT_GONE || conn->state == PP_CONN_DRAINING || conn->party->deaf) {
        conn_end(conn, why, worker);
    } /* Else the peer is gone: its last bytes are read first, and then their end. */
}

static void conn_obey(pp_conn *conn, pp_worker *worker)
{
    uint8_t wish = atomic_load(&conn->wish);
    if (wish != PP_WISH_DRAIN) {
        conn_end(conn, (pp_fault){wish == PP_WISH_SLOW ? PIPEPORT_SLOW_PEER : PIPEPORT_STOPPED, 0}, worker);
    } else if (conn->state == PP_CONN_OPEN) {
        if (conn->pump_home) { /* The writer broke before: there is nobody to drain to. */
            conn_end(conn, conn->writer.fault, worker);
            return;
        }
        conn->state = PP_CONN_DRAINING;
        conn->reader.dropping = true;
    }
    conn_look_at_clock(conn, worker);
}

/* Bytes have come since `before`. After the events that they led to: while we handle them nobody listens. */
static void conn_heard(pp_conn *conn, uint64_t before, pp_worker *worker)
{
    if (conn->reader.bytes != before) {
        worker->moved_bytes += conn->reader.bytes - before;
        pp_party_received(conn->party, conn->reader.bytes - before, worker);
        if (conn->party->options.idle_ms && conn->state < PP_CONN_CLOSING) {
            conn->heard_at = pp_stamp_of(pp_os_now_ms());
        }
    }
}

static void conn_resumed(pp_conn *conn)
{
    if (conn->state < PP_CONN_CLOSING) { /* Bounds on the peer's silence do not run while we do not listen. */
        conn->heard_at = pp_stamp_of(pp_os_now_ms());
        conn->opened_at = conn->spoke ? conn->opened_at : conn->heard_at;
        pp_reader_be_early(&conn->reader);
    }
}

/* Whether the turn's answers leave with it. Not while a broadcast waits beside them: those of a batch are one write for
 * each receiver. */
static bool conn_answers_leave(const pp_worker *worker)
{
    const pp_running *running = &worker->running;
    return running->bytes_accepted >= CONN_MUCH_BYTES && running->may_write && !worker->fan.broadcasts;
}

static pp_turn_rest conn_run(pp_turn *turn, uint32_t duties, pp_worker *worker)
{
    pp_conn *conn = conn_of_turn(turn);
    uint64_t before = conn->reader.bytes;
    bool open = conn->state == PP_CONN_OPEN || conn->state == PP_CONN_DRAINING;
    worker->running.conn = conn; /* The rest is as the turn before has left it: nothing. */
    worker->running.may_write = !(duties & (PP_DUTY_SENT | PP_DUTY_DRAINED));
    worker->running.id = open ? pp_seat_id(&conn->seat) : 0;
    if (conn->doubt != PP_DOUBT_NONE) {
        pp_conn_look_at_doubt(conn, duties, worker);
    }
    if (duties & PP_DUTY_OPEN) {
        conn_open(conn, worker);
    }
    if (duties & PP_DUTY_READ) {
        pp_reader_home(&conn->reader, conn->reader.op.room.result);
    }
    if (duties & PP_DUTY_SEALED) {
        conn_sealed(conn, worker);
    }
    if (duties & PP_DUTY_CLOSE) {
        conn_obey(conn, worker);
    }
    if (duties & PP_DUTY_RESUME) {
        conn_resumed(conn);
    }
    if (duties & (PP_DUTY_CLOCK | PP_DUTY_RESUME)) {
        conn_look_at_clock(conn, worker);
    }
    if ((duties & PP_DUTY_DRAINED) && conn->state == PP_CONN_OPEN && conn->party->events.drained &&
        atomic_load(&conn->wish) == PP_WISH_NONE) {
        conn->party->events.drained(conn->party->events.user, conn->user_state, conn_name(conn));
    }
    if ((duties & PP_DUTY_SENT) && conn->state < PP_CONN_CLOSED) {
        conn_tell_sent(conn);
    }
    /* What a read has brought is answered before the next one is armed: the peer that waits for the answers has nothing
     * to send yet, so the read would only pend, and the answers would leave later. */
    bool came = duties & PP_DUTY_READ;
    uint32_t reads_max = !came ? CONN_READS_A_TURN : conn->reader.told ? 1 : 0;
    pp_reader_means means = conn_means(conn, worker);
    pp_turn_rest rest = conn_read_on(conn, &means, reads_max, came ? PP_TURN_BATCH_END : PP_TURN_LATER, worker);
    pp_reader_rest(&conn->reader, &means);
    if (worker->running.ahead_bytes) {
        pp_conn_refund(conn, worker->running.ahead_bytes, worker);
    }
    conn_heard(conn, before, worker);
    conn_finish(conn, worker);
    pp_conn_rest_fan(worker); /* Behind the last event, which may broadcast as any other. */
    bool leaves = conn_answers_leave(worker);
    pp_party_count(conn->party, worker);
    worker->running = (pp_running){.conn = NULL};
    if (leaves) {
        pp_conn_write_fan(worker);
    }
    return conn->doubt == PP_DOUBT_NONE ? rest : pp_conn_doubt_rests(conn, rest);
}

static void conn_read_done(pp_op *op, pp_result result, void *drainer)
{
    pp_conn *conn = (pp_conn *) ((char *) op - offsetof(pp_conn, reader.op));
    op->room.result = result; /* The op's room is ours again, until the turn arms it. */
    pp_conn_summon(conn, PP_DUTY_READ, drainer);
}

/* ---- From outside ---- */

pipeport_status pp_conn_start(pp_party *party, const pp_pipe *pipe, pp_worker *worker)
{
    pp_hub *hub = party->hub;
    pp_seat *seat = pp_roster_take(&hub->roster);
    if (!seat) {
        return PIPEPORT_NO_MEMORY;
    }
    pp_conn *conn = (pp_conn *) seat;
    memset((char *) conn + sizeof conn->seat, 0, sizeof *conn - sizeof conn->seat);
    conn->party = party;
    if (party->events.sent && !pp_told_begin(&party->told, conn_told_at(conn))) {
        (void) pp_seat_unpin(seat);
        pp_roster_give(&hub->roster, seat);
        return PIPEPORT_NO_MEMORY;
    }
    conn->pipe = *pipe;
    pp_reader_init(&conn->reader, hub->port, conn_read_done);
    pp_writer_init(&conn->writer, pp_conn_write_done);
    pp_turn_init(&conn->turn, conn_turn_done, pipe->home);
    pp_party_retain(party);
    pp_conn_summon(conn, PP_DUTY_OPEN, worker);
    return PIPEPORT_OK;
}

pipeport_status pp_conn_close(pp_conn *conn, pp_conn_wish wish, pp_worker *worker)
{
    uint8_t before = atomic_load(&conn->wish);
    do {
        if (before >= (uint8_t) wish || (wish == PP_WISH_SLOW && before != PP_WISH_NONE)) {
            return PIPEPORT_GONE;
        }
    } while (!atomic_compare_exchange_weak(&conn->wish, &before, (uint8_t) wish));
    pp_party_pushed(conn->party);
    if (wish == PP_WISH_DRAIN) {
        pp_writer_means means = pp_conn_writer_means(conn);
        pp_writer_drain(&conn->writer, &means, worker); /* Sealed already: then the end is under way. */
    }
    pp_conn_summon(conn, PP_DUTY_CLOSE, worker);
    return PIPEPORT_OK;
}

void pp_conn_hurry(pp_conn *conn, pp_worker *worker)
{
    pp_conn_summon(conn, PP_DUTY_CLOCK, worker);
}

void pp_conn_resume(pp_conn *conn)
{
    if (atomic_exchange(&conn->paused, false)) { /* By the port, for the reason of writing_drained. */
        pp_conn_summon(conn, PP_DUTY_RESUME, NULL);
    }
}
