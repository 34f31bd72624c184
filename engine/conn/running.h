/* SPDX-License-Identifier: MIT */
/*
 * running.h - what a worker notes of the turn that runs on it; reply.h says how it is used. It belongs to the worker's
 * thread.
 */
#ifndef PP_CONN_RUNNING_H
#define PP_CONN_RUNNING_H

#include "engine/flow/message.h"

typedef struct pp_running {
    struct pp_conn *conn; /* Whose turn it is; NULL: nobody's. */
    uint64_t id;          /* Its id while its seat is open, else 0: only its turn opens and shuts it. */
    pp_message *growing;  /* Not NULL: the pump of `conn` lies in this worker's chores. Its link's count keeps it. */
    pp_message *fan;      /* Not NULL: the turn's last broadcast; the pump of each receiver lies in the same chores. */
    struct pp_party *fan_party; /* All of whose members it reached, */
    uint32_t fan_joins;         /* and nobody has joined since, */
    uint32_t fan_pushes;        /* nor was anything else queued for one of them, or one of them closed. */
    uint32_t fan_reached;
    uint32_t fan_ahead_bytes; /* Reserved with each of these for broadcasts to come. */
    bool may_write;           /* Before the batch ends. Not while it is told of what was written: each such answer would
                                 lead to the next. */
    bool fan_grows;           /* It is counted in the party's `fans`. */
    uint32_t empty_bytes;     /* Room in the turn's messages that nothing grows into any more, up to reply.c's bound. */
    uint32_t ahead_bytes;     /* Reserved in the queue of `conn` for answers to come. */
    uint32_t messages_received; /* These three are not in the party's tally yet. */
    uint32_t messages_sent;
    uint64_t bytes_accepted;
} pp_running;

#endif
