/* SPDX-License-Identifier: MIT */
/* reader.c - see reader.h. */
#include "engine/conn/reader.h"

#include "engine/base/assert.h"

#include <string.h>

void pp_reader_init(pp_reader *reader, const pp_port *port, pp_op_done *done)
{
    memset(reader, 0, sizeof *reader);
    reader->op.done = done;
    reader->awaits = pp_port_can_await(port);
    pp_inbox_init(&reader->inbox);
}

void pp_reader_fini(pp_reader *reader, pp_memory *memory)
{
    PP_ASSERT(!reader->armed);
    pp_inbox_fini(&reader->inbox, memory);
}

static void reader_end(pp_reader *reader, pp_fault fault)
{
    reader->ended = (uint8_t) fault.status;
    reader->code = fault.system_code;
}

pp_fault pp_reader_fault(const pp_reader *reader)
{
    return (pp_fault){(pipeport_status) reader->ended, reader->code};
}

static void reader_took(pp_reader *reader, pp_result result)
{
    reader_end(reader, result.fault);
    if (result.fault.status == PIPEPORT_OK) {
        reader->bytes += result.bytes;
        pp_inbox_filled(&reader->inbox, result.bytes, result.more);
    }
}

void pp_reader_home(pp_reader *reader, pp_result result)
{
    PP_ASSERT(reader->armed);
    reader->armed = false;
    if (reader->awaits) {
        reader_end(reader, result.fault);
        reader->told = result.fault.status == PIPEPORT_OK;
    } else {
        reader_took(reader, result);
        reader->told = pp_inbox_is_full(&reader->inbox);
    }
}

/* Arms a read into the room, or an await. True: it was answered at once, with *now. */
static bool reader_arm(pp_reader *reader, pp_pipe *pipe, uint8_t *room, uint32_t bytes, pp_result *now)
{
    reader->op.home = pipe->home;
    reader->armed = true; /* Before arming: from then on the completion may be on its way to another thread. */
    pp_armed armed = room ? pp_pipe_read(pipe, room, bytes, &reader->op, now) : pp_pipe_await(pipe, &reader->op, now);
    if (armed == PP_NOW) {
        reader->armed = false;
    } else if (reader->waits_left > 1) {
        reader->waits_left--;
    }
    return armed == PP_NOW;
}

bool pp_reader_be_late(pp_reader *reader)
{
    if (reader->waits_left == 0) {
        reader->waits_left = PP_READER_WAITS_MAX;
    }
    return reader->waits_left == 1;
}

void pp_reader_be_early(pp_reader *reader)
{
    reader->waits_left = 0;
}

/* Sees to it that an await has said that there is something to read. False: it is pending, or has failed (`ended`). */
static bool reader_is_told(pp_reader *reader, pp_pipe *pipe)
{
    pp_result now = {{PIPEPORT_OK, 0}, 0, 0};
    if (!reader->told && reader_arm(reader, pipe, NULL, 0, &now)) {
        reader_end(reader, now.fault);
        reader->told = now.fault.status == PIPEPORT_OK;
    }
    return reader->told;
}

/* True: a read is over. False: it is pending, or there is no room (`ended`). */
static bool reader_read(pp_reader *reader, const pp_reader_means *means)
{
    uint8_t *room = NULL;
    uint32_t bytes = 0;
    pipeport_status status = pp_inbox_room(&reader->inbox, &means->inbox, &room, &bytes);
    if (status != PIPEPORT_OK) {
        reader_end(reader, (pp_fault){status, 0});
        return false;
    }
    pp_result now = {{PIPEPORT_OK, 0}, 0, 0};
    reader->told = false;
    if (reader->awaits) {
        (void) pp_pipe_read(means->pipe, room, bytes, NULL, &now);
    } else if (!reader_arm(reader, means->pipe, room, bytes, &now)) {
        return false;
    }
    reader_took(reader, now);
    reader->told = reader->awaits && now.more > 1; /* A message is there, and only lacked room. */
    if (reader->told && reader->dropping) {        /* There will be none for it, and behind it more may come. */
        pp_pipe_skip(means->pipe);
    }
    return true;
}

/* What it has come to when there is nothing to do but wait. */
static pp_reading reader_waits(const pp_reader *reader)
{
    return reader->armed ? PP_READING_ARMED : PP_READING_ENDED;
}

pp_reading pp_reader_next_or_read(pp_reader *reader, const pp_reader_means *means, uint32_t *budget,
                                  const uint8_t **payload, uint32_t *length)
{
    PP_ASSERT(!reader->armed);
    if (reader->dropping) {
        pp_inbox_drop(&reader->inbox);
    } else if (!pp_framing_is_default(means->inbox.framing) || !pp_inbox_is_empty(&reader->inbox)) {
        switch (pp_inbox_next(&reader->inbox, &means->inbox, payload, length)) {
        case PP_INBOX_MESSAGE:
            return PP_READING_MESSAGE;
        case PP_INBOX_REFUSED:
            reader_end(reader, (pp_fault){PIPEPORT_BAD_PEER, 0});
            return PP_READING_ENDED;
        case PP_INBOX_MORE:
            break;
        }
    }
    if (reader->ended != PIPEPORT_OK) {
        return PP_READING_ENDED;
    }
    /* An await is armed also where no more shall be read: it costs next to nothing, and spares a turn for it alone. */
    if (reader->awaits && !reader_is_told(reader, means->pipe)) {
        return reader_waits(reader);
    }
    if (*budget == 0) {
        return PP_READING_TIRED;
    }
    *budget -= 1;
    return reader_read(reader, means) ? PP_READING_CAME : reader_waits(reader);
}

pp_reading pp_reader_await_end(pp_reader *reader, pp_pipe *pipe)
{
    PP_ASSERT(!reader->armed && reader->awaits);
    if (reader->ended == PIPEPORT_OK && reader_is_told(reader, pipe)) {
        PP_ASSERT(false); /* Such an await never comes without an end. */
    }
    return reader_waits(reader);
}

void pp_reader_rest(pp_reader *reader, const pp_reader_means *means)
{
    if (reader->awaits) {
        pp_inbox_rest(&reader->inbox, &means->inbox);
    }
}
