/* SPDX-License-Identifier: MIT */
/* reply.c - see reply.h. */
#include "engine/conn/reply.h"

#include "engine/base/hints.h"
#include "engine/conn/fan.h"
#include "engine/flow/wire.h"

enum {
    REPLY_ROOM_BYTES_MAX = 32 * 1024,
    REPLY_PASSED_BYTES_MIN = 32 * 1024, /* Below, a copy costs less than a write of its own. */
    REPLY_AHEAD_PART = 8                /* Of a queue's bound, the most that is reserved for answers to come. */
};

/* A queue's bound is held to all the same; but it must not look full because of answers that nobody gives. */
static uint32_t reply_most_ahead(const pp_party *party)
{
    if (party->framing.kind == PP_FRAMING_MESSAGE) {
        return 0; /* Each is a write of its own. */
    }
    return party->options.send_queue_bytes_max / REPLY_AHEAD_PART;
}

uint32_t pp_reply_more_bytes(const pp_running *running, const pp_party *party)
{
    if (!running->conn) {
        return 0;
    }
    const pp_inbox *inbox = &running->conn->reader.inbox;
    uint32_t more = inbox->end - inbox->start;
    uint32_t most = REPLY_ROOM_BYTES_MAX - running->empty_bytes;
    uint32_t most_ahead = reply_most_ahead(party);
    most = most < most_ahead ? most : most_ahead;
    return more < most ? more : most;
}

void pp_reply_leave_room(pp_running *running, const pp_message *message)
{
    uint32_t room = pp_message_room(message);
    uint32_t most = REPLY_ROOM_BYTES_MAX - running->empty_bytes;
    running->empty_bytes += room < most ? room : most;
}

/* How much more than a frame of frame_bytes the message that begins with it may take: if the pump is ours, or will be:
 * nobody holds it. */
static uint32_t reply_foresee(pp_running *running)
{
    if (running->growing) {
        pp_reply_leave_room(running, running->growing);
    }
    bool grows = running->growing || pp_sendq_is_idle(&running->conn->writer.sendq);
    return grows ? pp_reply_more_bytes(running, running->conn->party) : 0;
}

static bool reply_grows(const pp_running *running, uint32_t frame_bytes)
{
    const pp_message *message = running->growing;
    const pp_writer *writer = &running->conn->writer;
    return message && pp_writer_is_newest(writer, &message->links[0]) && pp_message_room(message) >= frame_bytes;
}

static void reply_count(pp_running *running, uint32_t frame_bytes)
{
    running->messages_sent += 1;
    running->bytes_accepted += frame_bytes;
}

/* Reserves a frame, and at once what the answers after it will need. What was foreseen before is used first. */
static pipeport_status reply_reserve(pp_worker *worker, uint32_t frame_bytes, uint32_t more_bytes)
{
    pp_running *running = &worker->running;
    pp_conn *conn = running->conn;
    if (running->ahead_bytes >= frame_bytes) {
        running->ahead_bytes -= frame_bytes;
        return PIPEPORT_OK;
    }
    uint32_t bytes_max = conn->party->options.send_queue_bytes_max;
    uint32_t lacking = frame_bytes - running->ahead_bytes;
    if (more_bytes && pp_sendq_reserve_or_not(&conn->writer.sendq, lacking + more_bytes, bytes_max)) {
        running->ahead_bytes = more_bytes;
        return PIPEPORT_OK;
    }
    if (pp_sendq_reserve_or_not(&conn->writer.sendq, lacking, bytes_max)) {
        running->ahead_bytes = 0;
        return PIPEPORT_OK;
    }
    return pp_conn_reserve(conn, frame_bytes, PP_REACH_ONE, worker); /* Which gives back what was foreseen. */
}

/* A frame in a message of its own, which those after it may grow into. */
static pipeport_status reply_begin(pp_worker *worker, const void *data, uint32_t length, uint32_t frame_bytes)
{
    pp_running *running = &worker->running;
    pp_conn *conn = running->conn;
    uint32_t more_bytes = reply_foresee(running);
    pipeport_status status = reply_reserve(worker, frame_bytes, more_bytes);
    if (status != PIPEPORT_OK) {
        return status;
    }
    pp_memory *memory = &conn->party->hub->memory;
    const pp_framing *framing = &conn->party->framing;
    pp_message *message = pp_shelf_create_room(&worker->shelf, memory, framing, (uint64_t) frame_bytes + more_bytes);
    if (!message && more_bytes) {
        message = pp_shelf_create_room(&worker->shelf, memory, framing, frame_bytes);
    }
    if (!message) {
        pp_conn_refund(conn, frame_bytes, worker);
        return PIPEPORT_NO_MEMORY;
    }
    pp_message_append(message, data, length);
    bool held = !running->growing && conn->pipe.home == worker->home && pp_fan_hold(conn, &message->links[0], worker);
    bool corked = false;
    pp_writer_means means = pp_conn_writer_means(conn);
    if (!held && pp_writer_push(&conn->writer, &means, &message->links[0], worker, &corked) != PIPEPORT_OK) {
        pp_message_release(message, 1);
        return PIPEPORT_GONE;
    }
    if (corked || (held && !worker->alone)) { /* The turn's pin is the turn's. */
        pp_seat_pin(&conn->seat);
    }
    pp_party_pushed(conn->party);
    running->growing = held || corked || running->growing ? message : NULL;
    return PIPEPORT_OK;
}

/* A large frame in a message of its own, which is copied into that only as far as the pipe does not take it at once.
 * False: somebody else writes, or there is no memory; nothing is done. */
static PP_APART bool reply_pass(pp_worker *worker, const void *data, uint32_t length, pipeport_status *status)
{
    pp_running *running = &worker->running;
    pp_conn *conn = running->conn;
    pp_message *message = pp_message_create(&conn->party->hub->memory, &conn->party->framing, length, 1);
    if (!message) {
        return false;
    }
    uint32_t frame_bytes = message->frame_bytes;
    *status = reply_reserve(worker, frame_bytes, 0);
    if (*status != PIPEPORT_OK) {
        pp_message_release(message, 1);
        return true;
    }
    pp_writer_means means = pp_conn_writer_means(conn);
    pp_passing passing = pp_writer_pass(&conn->writer, &means, message, data, worker);
    if (passing == PP_PASS_NOT) {
        pp_message_release(message, 1);
        pp_conn_refund(conn, frame_bytes, worker);
        return false;
    }
    pp_party_pushed(conn->party);
    if (passing == PP_PASS_KEPT) {
        running->growing = message; /* It has no room itself, but the pump is this turn's: see reply_foresee. */
    }
    return true;
}

static bool reply_may_pass(const pp_running *running, size_t length)
{
    const pp_conn *conn = running->conn;
    return length >= REPLY_PASSED_BYTES_MIN && running->may_write && conn->reader.awaits &&
           pp_sendq_is_idle(&conn->writer.sendq);
}

static PP_APART pipeport_status reply_send_or_begin(pp_worker *worker, const void *data, size_t length)
{
    pp_running *running = &worker->running;
    pp_conn *conn = running->conn;
    pipeport_status status = pp_party_admit(conn->party, data, length);
    if (status != PIPEPORT_OK) {
        return status;
    }
    if (atomic_load(&conn->wish) != PP_WISH_NONE) {
        pp_conn_rest_fan(worker);
        return PIPEPORT_GONE;
    }
    uint32_t frame_bytes = pp_wire_frame_bytes(&conn->party->framing, (uint32_t) length);
    if (reply_grows(running, frame_bytes)) {
        status = reply_reserve(worker, frame_bytes, 0);
        if (status == PIPEPORT_OK) {
            pp_message_append(running->growing, data, (uint32_t) length);
        }
    } else if (!reply_may_pass(running, length) || !reply_pass(worker, data, (uint32_t) length, &status)) {
        status = reply_begin(worker, data, (uint32_t) length, frame_bytes);
    }
    if (status == PIPEPORT_OK) {
        reply_count(running, frame_bytes);
    }
    return status;
}

/* Most answers are in the default framing, and for all but the first of a batch everything is there. */
pipeport_status pp_reply_send(pp_worker *worker, const void *data, size_t length)
{
    pp_running *running = &worker->running;
    const pp_conn *conn = running->conn;
    const pp_party *party = conn->party;
    uint32_t frame_bytes = PP_FRAMING_DEFAULT_HEADER_BYTES + (uint32_t) length;
    if (length <= party->options.message_bytes_max && frame_bytes <= running->ahead_bytes &&
        pp_framing_is_default(&party->framing) && !party->mute && reply_grows(running, frame_bytes) &&
        atomic_load(&conn->wish) == PP_WISH_NONE) {
        running->ahead_bytes -= frame_bytes;
        reply_count(running, frame_bytes);
        pp_message_append_default(running->growing, data, (uint32_t) length);
        return PIPEPORT_OK;
    }
    return reply_send_or_begin(worker, data, length);
}
