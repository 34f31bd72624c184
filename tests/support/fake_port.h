/* SPDX-License-Identifier: MIT */
/*
 * fake_port.h - a scripted backend: port.h and pipe.h in memory, so that a test decides what the system answers and
 * when.
 *
 * A program that has fake_port.c and fake_pipe.c among its sources gets it instead of engine/port/<system> (the
 * archive's own is never looked for). Nothing happens by itself: the peer of a pipe speaks, reads and goes when the
 * test says so, and what that finishes comes out of the next take. Completions come in the order in which they were
 * finished.
 *
 * It holds the seam's laws against the engine: an op armed twice, a second read or write on one pipe, a pipe closed
 * with something armed, or closed twice, or aborted though it was dialled, a write of nothing, an accept for which
 * there is no room, a pipe that is read or written against its way, aborts the test.
 *
 * One thread, save that several may write where everything is taken at once (the default), and post, and cancel.
 */
#ifndef TESTS_SUPPORT_FAKE_PORT_H
#define TESTS_SUPPORT_FAKE_PORT_H

#include "engine/port/pipe.h"
#include "tests/support/bytes.h"

enum { FAKE_PIPES_MAX = 1024, FAKE_SCRIPT_MAX = 64 };

typedef struct fake_armed { /* What is pending; op NULL: nothing. */
    pp_op *op;
    uint8_t *buffer; /* A read's; NULL: an await. */
    uint32_t bytes;
    pp_slice slices[PP_SLICES_MAX]; /* A write's: looked at when it finishes, as the system would. */
    uint32_t slices_count;
} fake_armed;

typedef struct fake_pipe fake_pipe;

struct fake_pipe {
    bool is_open;
    bool is_accepted;       /* Not dialled. */
    bool is_aborted;        /* And so closed. */
    bool whole;             /* Messages of its own: each write is one; the peer sends some with fake_peer_says. */
    bool unread, unwritten; /* By its plan: it is an error to read it, or to write it. */
    test_bytes said, heard; /* Whole: the lengths (uint32_t) of the messages that arrived, and of those written. */
    size_t said_at;         /* Of those that arrived the first that was not all read, */
    uint32_t said_read;     /* of which so much was. */
    test_bytes written;     /* By the engine: what the peer has got, or could read. */
    test_bytes arrived;     /* From the peer; from arrived_at on the engine has not read it. */
    size_t arrived_at;
    pp_fault read_end;                        /* Not OK: what a read answers once all that arrived is read. */
    pp_fault write_end;                       /* Not OK: what every write answers. */
    uint64_t write_room;                      /* Bytes the pipe still takes; a write that finds none is pending. */
    uint32_t read_bytes_max, write_bytes_max; /* What one operation moves at most. */
    bool reads_later, writes_later;           /* What could finish at once comes as a completion. */
    bool cancel_loses;                        /* A cancel is not heard: the true result comes. */
    unsigned reads, awaits, writes, cancels;  /* Calls, ever; a cancel counts where something was pending. */
    fake_armed read, write;
    pipeport_peer peer;                    /* Who is at the other end. */
    void (*inside_write)(fake_pipe *pipe); /* Runs inside pp_pipe_write, before it answers. */
    void (*inside_read)(fake_pipe *pipe);
};

typedef struct fake_script { /* Answers to come, oldest first. */
    pp_fault faults[FAKE_SCRIPT_MAX];
    unsigned count, at;
} fake_script;

typedef struct fake_system {
    fake_pipe pipes[FAKE_PIPES_MAX]; /* A pipe's handle is its number here. */
    unsigned pipes_count;
    uint32_t slices_max;        /* Of pipes opened from now on. */
    bool whole;                 /* Of fake_pipe_open's. A plan says it of the others. */
    bool gathers;               /* A read with no room for all of a message brings nothing of it (Linux), not a part. */
    bool not_shared;            /* pp_port_is_shared answers false. */
    bool can_await;             /* What pp_port_can_await answers; true after a reset. */
    const char *plan_lacks;     /* What pp_plan_lacks answers. */
    uint32_t message_bytes_max; /* What pp_plan_message_bytes_max answers; 1 GiB after a reset. */
    pipeport_peer peer;         /* Who is at the other end of pipes opened from now on, */
    pp_fault peer_fault;        /* unless this is not OK when he is asked for. */
    unsigned peers_asked;       /* Calls of pp_pipe_peer, ever. */
    pp_plan plan;               /* Of the last ear, or dial. Every open pipe is one of an ear's instances_max. */
    fake_script accepts;        /* What the next accepts answer at once, OK: a client was there. Empty: they wait. */
    fake_script dials;          /* What the next dials answer. Empty: OK. */
    pp_fault port_fault, ear_fault;
    unsigned accepts_called, accepts_armed, accepts_armed_peak, dials_called, ears_open, ports_open;
    unsigned room_made; /* Places, of all ears, ever. */
    _Atomic unsigned wakes;
    void (*inside_wake)(void);  /* Runs inside pp_port_wake: as another thread that comes between. */
    void (*waits)(uint32_t ms); /* What a take that finds nothing does with its time; NULL: nothing. */
    _Atomic uint64_t armed, done;
} fake_system;

extern fake_system fake;

void fake_reset(void);
void fake_say(fake_script *script, pipeport_status status, unsigned times);

/* Completions that no take has handed out yet. */
unsigned fake_port_waiting(void);

/* A pipe as if dialled, for tests of what stands on one pipe. */
fake_pipe *fake_pipe_open(pp_pipe *pipe, pp_port *port);

/* The peer. What it does finishes what is pending. */
void fake_peer_sends(fake_pipe *pipe, const void *data, size_t length);
void fake_peer_sends_message(fake_pipe *pipe, const void *payload, uint32_t length);
/* Whole: one message, also of 0 bytes. */
void fake_peer_says(fake_pipe *pipe, const void *message, uint32_t length);
void fake_peer_reads(fake_pipe *pipe, uint64_t bytes);
void fake_peer_goes(fake_pipe *pipe);
/* It ends its sending, and still reads. */
void fake_peer_has_said_all(fake_pipe *pipe);
/* The pending await is done, though nothing has come. */
void fake_await_lies(fake_pipe *pipe);
void fake_fail_read(fake_pipe *pipe, pipeport_status status, int32_t code);
void fake_fail_write(fake_pipe *pipe, pipeport_status status, int32_t code);

/* A client comes: the oldest pending accept is done. NULL: nobody accepts. */
fake_pipe *fake_client_comes(void);
/* The oldest pending accept ends with this status. */
void fake_accept_ends(pipeport_status status);

/* The newest pipe that was opened, by accept or dial. */
fake_pipe *fake_newest(void);
unsigned fake_pipes_open(void);

#endif
