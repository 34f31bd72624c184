/* SPDX-License-Identifier: MIT */
/*
 * reader.h - the read pump of one connection: asks the pipe for bytes and hands out whole messages, one at a time.
 *
 * Pulled, not pushed: the connection asks for the next message as long as it wants one, so pausing is simply not
 * asking. At most one read is armed. Everything here belongs to the connection's turn, except that from arming until
 * pp_reader_home the op and the inbox's room are the system's.
 */
#ifndef PP_CONN_READER_H
#define PP_CONN_READER_H

#include "engine/flow/inbox.h"
#include "engine/port/pipe.h"

typedef struct pp_reader {
    pp_pipe *pipe;
    pp_inbox inbox;
    pp_op op;       /* done is the connection's, and leads to its turn. */
    bool armed;     /* True exactly from PP_LATER until pp_reader_home. */
    bool dropping;  /* What comes is thrown away: the connection is closing and listens for the end only. */
    uint64_t bytes; /* Received, ever. */
    pp_fault fault; /* How it ended; OK while it has not. */
} pp_reader;

typedef enum pp_reading {
    PP_READING_MESSAGE, /* One whole message: *payload, *length, valid until the next call. */
    PP_READING_ARMED,   /* A read is pending. */
    PP_READING_CAME,    /* A read finished at once: look whether more is still wanted, and ask again. */
    PP_READING_TIRED,   /* The budget of reads is used up; there may be more at once. */
    PP_READING_ENDED    /* `fault` says how. */
} pp_reading;

void pp_reader_init(pp_reader *reader, pp_pipe *pipe, pp_memory *memory, uint32_t payload_bytes_max, pp_op_done *done);
void pp_reader_fini(pp_reader *reader);

/* Not while armed. Each read that finishes at once takes one from *budget. */
pp_reading pp_reader_next(pp_reader *reader, uint32_t *budget, const uint8_t **payload, uint32_t *length);

/* The armed read has come home with this result. */
void pp_reader_home(pp_reader *reader, pp_result result);

#endif
