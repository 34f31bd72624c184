/* SPDX-License-Identifier: MIT */
/* reply.c - see reply.h. */
#include "engine/conn/reply.h"

#include "engine/base/assert.h"
#include "engine/conn/connection.h"
#include "protocol/frame.h"

enum { REPLY_ROOM_BYTES_MAX = 32 * 1024 };

void pp_reply_begin(pp_reply *reply, pp_conn *conn)
{
    PP_ASSERT(!reply->conn && !reply->growing);
    reply->conn = conn;
}

void pp_reply_count(pp_reply *reply)
{
    pp_tally *tally = &reply->conn->party->tally;
    if (reply->messages_received) {
        pp_tally_add(&tally->messages_received, reply->messages_received);
        reply->messages_received = 0;
    }
    if (reply->messages_sent) {
        pp_tally_add(&tally->messages_sent, reply->messages_sent);
        pp_tally_add(&tally->bytes_accepted, reply->bytes_accepted);
        reply->messages_sent = 0;
        reply->bytes_accepted = 0;
    }
}

void pp_reply_end(pp_reply *reply)
{
    pp_reply_count(reply);
    reply->conn = NULL;
    reply->growing = NULL;
}

pp_conn *pp_reply_conn(const pp_reply *reply, uint64_t id)
{
    return reply->conn && pp_seat_is_open_as(&reply->conn->seat, id) ? reply->conn : NULL;
}

/* A message for a frame of frame_bytes, and for more if nobody holds the pump: then it will be ours. */
static pp_message *reply_begin_message(const pp_reply *reply, uint32_t frame_bytes)
{
    const pp_conn *conn = reply->conn;
    const pp_inbox *inbox = &conn->reader.inbox;
    uint32_t more = 0;
    if (reply->growing || pp_sendq_is_idle(&conn->writer.sendq)) {
        more = inbox->end - inbox->start;
        more = more < REPLY_ROOM_BYTES_MAX ? more : REPLY_ROOM_BYTES_MAX;
    }
    return pp_message_create_room(&conn->party->hub->memory, (uint64_t) frame_bytes + more);
}

pipeport_status pp_reply_send(pp_worker *worker, const void *data, size_t length)
{
    pp_reply *reply = &worker->reply;
    pp_conn *conn = reply->conn;
    pp_writer *writer = &conn->writer;
    if (length > conn->party->options.message_bytes_max) {
        return PIPEPORT_TOO_LARGE;
    }
    if (atomic_load(&conn->wish) != PP_WISH_NONE) {
        return PIPEPORT_GONE;
    }
    uint32_t frame_bytes = PP_FRAME_HEADER_BYTES + (uint32_t) length;
    pp_message *message = reply->growing;
    bool grows = message && pp_sendq_is_newest(&writer->sendq, &message->links[0]) &&
                 pp_message_room(message) >= frame_bytes;
    if (!grows && !(message = reply_begin_message(reply, frame_bytes))) {
        return PIPEPORT_NO_MEMORY;
    }
    if (!pp_sendq_reserve(&writer->sendq, frame_bytes)) {
        pp_tally_add(&conn->party->tally.sends_refused, 1);
        if (!grows) {
            pp_message_release(message, 1);
        }
        return PIPEPORT_FULL;
    }
    pp_message_append(message, data, (uint32_t) length);
    if (!grows) {
        bool corked = false;
        if (pp_writer_push_corked(writer, &message->links[0], worker, &corked) != PIPEPORT_OK) {
            pp_message_release(message, 1);
            return PIPEPORT_GONE;
        }
        reply->growing = corked || reply->growing ? message : NULL;
    }
    reply->messages_sent += 1;
    reply->bytes_accepted += frame_bytes;
    return PIPEPORT_OK;
}
