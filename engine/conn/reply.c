/* SPDX-License-Identifier: MIT */
/* reply.c - see reply.h. */
#include "engine/conn/reply.h"

#include "engine/flow/wire.h"

enum { REPLY_ROOM_BYTES_MAX = 32 * 1024 };

pp_message *pp_reply_message(pp_party *party, uint32_t frame_bytes, uint32_t more_bytes, uint32_t links)
{
    pp_memory *memory = &party->hub->memory;
    const pp_framing *framing = &party->framing;
    if (framing->kind == PP_FRAMING_MESSAGE) {
        more_bytes = 0; /* Each is a write of its own. */
    }
    pp_message *message = pp_message_create_room(memory, framing, (uint64_t) frame_bytes + more_bytes, links);
    return message || !more_bytes ? message : pp_message_create_room(memory, framing, frame_bytes, links);
}

pp_conn *pp_reply_conn(const pp_running *running, uint64_t id)
{
    return running->conn && pp_seat_is_open_as(&running->conn->seat, id) ? running->conn : NULL;
}

uint32_t pp_reply_more_bytes(const pp_running *running)
{
    if (!running->conn) {
        return 0;
    }
    const pp_inbox *inbox = &running->conn->reader.inbox;
    uint32_t more = inbox->end - inbox->start;
    uint32_t most = REPLY_ROOM_BYTES_MAX - running->empty_bytes;
    return more < most ? more : most;
}

void pp_reply_leave_room(pp_running *running, const pp_message *message)
{
    uint32_t room = pp_message_room(message);
    uint32_t most = REPLY_ROOM_BYTES_MAX - running->empty_bytes;
    running->empty_bytes += room < most ? room : most;
}

/* A message for a frame of frame_bytes, and for more if the pump is ours, or will be: nobody holds it. */
static pp_message *reply_begin_message(pp_running *running, uint32_t frame_bytes)
{
    const pp_conn *conn = running->conn;
    if (running->growing) {
        pp_reply_leave_room(running, running->growing);
    }
    bool grows = running->growing || pp_sendq_is_idle(&conn->writer.sendq);
    uint32_t more = grows ? pp_reply_more_bytes(running) : 0;
    return pp_reply_message(conn->party, frame_bytes, more, 1);
}

pipeport_status pp_reply_send(pp_worker *worker, const void *data, size_t length)
{
    pp_running *running = &worker->running;
    pp_conn *conn = running->conn;
    pp_writer *writer = &conn->writer;
    pp_party *party = conn->party;
    pipeport_status status = pp_party_admit(party, data, length);
    if (status != PIPEPORT_OK) {
        return status;
    }
    if (atomic_load(&conn->wish) != PP_WISH_NONE) {
        return PIPEPORT_GONE;
    }
    uint32_t frame_bytes = pp_wire_frame_bytes(&party->framing, (uint32_t) length);
    pp_message *message = running->growing;
    bool grows = message && pp_sendq_is_newest(&writer->sendq, &message->links[0]) &&
                 pp_message_room(message) >= frame_bytes;
    status = pp_conn_reserve(conn, frame_bytes, PP_REACH_ONE, worker);
    if (status != PIPEPORT_OK) {
        return status;
    }
    if (!grows && !(message = reply_begin_message(running, frame_bytes))) {
        pp_conn_refund(conn, frame_bytes, worker);
        return PIPEPORT_NO_MEMORY;
    }
    pp_message_append(message, data, (uint32_t) length);
    if (!grows) {
        bool corked = false;
        pp_writer_means means = pp_conn_writer_means(conn);
        if (pp_writer_push(writer, &means, &message->links[0], worker, &corked) != PIPEPORT_OK) {
            pp_message_release(message, 1);
            return PIPEPORT_GONE;
        }
        running->growing = corked || running->growing ? message : NULL;
    }
    running->messages_sent += 1;
    running->bytes_accepted += frame_bytes;
    return PIPEPORT_OK;
}
