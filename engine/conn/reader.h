/* SPDX-License-Identifier: MIT */
/*
 * reader.h - the read pump of one connection: asks the pipe for bytes and hands out whole messages, one at a time.
 *
 * Pulled, not pushed: the connection asks for the next message as long as it wants one, so pausing is simply not
 * asking. At most one operation is armed. Everything here belongs to the connection's turn, except that from arming
 * until pp_reader_home the op is the system's.
 *
 * Where the port can await, that is all that is ever armed, and it lends nothing: when it comes home (`told`), the turn
 * reads what is there into the worker's spare block, and gives the block back before it ends (pp_reader_rest). An await
 * may be wrong, and then the read finds nothing and the next await is armed. Where the port cannot, a read is armed,
 * and the inbox's room is the system's meanwhile. One that comes home with all its room filled tells the same: most
 * likely it was too small for what has come.
 */
#ifndef PP_CONN_READER_H
#define PP_CONN_READER_H

#include "engine/flow/inbox.h"
#include "engine/port/pipe.h"

enum { PP_READER_WAITS_MAX = 31 };

typedef struct pp_reader_means { /* What it is called with each time, and need not keep. */
    pp_pipe *pipe;               /* Open, and in its place. */
    pp_inbox_means inbox;        /* The spare: this worker's. */
} pp_reader_means;

typedef struct pp_reader {
    pp_inbox inbox;
    pp_op op;          /* done is the connection's, and leads to its turn. */
    uint64_t bytes;    /* Received, ever. */
    int32_t code;      /* Of the system, with `ended`. */
    uint8_t ended;     /* pipeport_status: how it ended; OK while it has not. */
    bool armed;        /* True exactly from PP_LATER until pp_reader_home. */
    bool awaits : 1;   /* pp_port_can_await. Set once. */
    bool told : 1;     /* No read has followed an await that was answered, or an armed read that filled its room. */
    bool dropping : 1; /* What comes is thrown away: the connection is closing and listens for the end only. */
    /* 0, or since pp_reader_be_late so many times less than PP_READER_WAITS_MAX something was armed; at least 1. */
    uint8_t waits_left : 5;
} pp_reader;

typedef enum pp_reading {
    PP_READING_MESSAGE, /* One whole message: *payload, *length, valid until the next call of next or rest. */
    PP_READING_ARMED,   /* A read, or an await, is pending. */
    PP_READING_CAME,    /* A read finished at once: look whether more is still wanted, and ask again. */
    PP_READING_TIRED,   /* The budget of reads is used up; there may be more at once. */
    PP_READING_ENDED    /* pp_reader_fault says how. */
} pp_reading;

void pp_reader_init(pp_reader *reader, const pp_port *port, pp_op_done *done);
void pp_reader_fini(pp_reader *reader, pp_memory *memory);

/* What pp_reader_next does, without its short cut. */
pp_reading pp_reader_next_or_read(pp_reader *reader, const pp_reader_means *means, uint32_t *budget,
                                  const uint8_t **payload, uint32_t *length);

/* Not while armed. Each read that finishes at once takes one from *budget. */
static inline pp_reading pp_reader_next(pp_reader *reader, const pp_reader_means *means, uint32_t *budget,
                                        const uint8_t **payload, uint32_t *length)
{
    const pp_inbox_means *inbox = &means->inbox;
    if (pp_framing_is_default(inbox->framing) && !reader->dropping &&
        pp_inbox_next_default(&reader->inbox, inbox->payload_bytes_max, payload, length)) {
        return PP_READING_MESSAGE;
    }
    return pp_reader_next_or_read(reader, means, budget, payload, length);
}

/* The same of a pipe that is never read: it only waits for the end. Where the port can await. */
pp_reading pp_reader_await_end(pp_reader *reader, pp_pipe *pipe);

/* What is armed has come home with this result. */
void pp_reader_home(pp_reader *reader, pp_result result);

/* Tells, from its first call on, whether all that had come by then has been read: since then it was armed so often that
 * no system can still hold anything of it. One read that waits would say that; an await is answered also with what the
 * system brings in pieces (io_uring: one for each buffer of a receive that goes on, of which it makes no more than
 * that before it is asked again). */
bool pp_reader_be_late(pp_reader *reader);
void pp_reader_be_early(pp_reader *reader); /* Forgets that. */

/* How it ended; OK while it has not. */
pp_fault pp_reader_fault(const pp_reader *reader);

/* The turn ends, on the worker of the calls before: its spare block goes back. */
void pp_reader_rest(pp_reader *reader, const pp_reader_means *means);

#endif
