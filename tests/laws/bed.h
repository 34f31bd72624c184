/* SPDX-License-Identifier: MIT */
/*
 * bed.h - what the law tests stand on: a port, an ear, threads that drain, and connected ends. Nothing here knows which
 * system it runs on, and neither does a law.
 *
 * Most laws use one drainer and no thread: the test itself takes, with bed_await. Where threads drain, `done` runs as
 * in the engine, and what breaks a law there ends the process (LAW), for an assertion of Criterion belongs to the
 * test's own thread.
 */
#ifndef TESTS_LAWS_BED_H
#define TESTS_LAWS_BED_H

#include "engine/port/os.h"
#include "engine/port/pipe.h"

#include <stdatomic.h>

enum {
    BED_DRAINERS_MAX = 8,
    BED_PATIENCE_MS = 45000, /* A machine has stood still for 34 s. */
    BED_BUFFER_BYTES = 4096,
    BED_MESSAGE_BYTES_MAX = 100000,
    BED_KEPT_MAX = 16,
    BED_RACES = 400,
    BED_ROOM = 1000000
};

extern const pp_plan bed_plan;       /* BED_BUFFER_BYTES each way. */
extern const pp_plan bed_whole_plan; /* The same, with messages of the pipe's own, up to BED_MESSAGE_BYTES_MAX. */

#define LAW(what) ((what) ? (void) 0 : bed_broken(#what, __FILE__, __LINE__))
_Noreturn void bed_broken(const char *what, const char *file, int line);

typedef struct test_bed test_bed;

typedef struct bed_drainer {
    test_bed *bed;
    uint32_t number;
    pp_thread thread;
} bed_drainer;

struct test_bed {
    pp_memory memory;
    pp_port *port;
    uint32_t drainers_count;
    bed_drainer drainers[BED_DRAINERS_MAX];
    uint32_t running; /* How many of them have a thread. */
    bool lent;        /* As in pp_port_options. */
    atomic_bool stopping;
    pp_plan plan; /* bed_plan after bed_open; of its ear and what bed_pair dials. */
    char name[80];
    pp_ear *ear;                      /* NULL: not listening. */
    pp_completion kept[BED_KEPT_MAX]; /* Taken while another operation was awaited. */
    uint32_t kept_count;
};

/* One end of a connection, and the operations it needs. */
typedef struct bed_end {
    pp_pipe pipe;
    pp_op accept;
    pp_op read;
    pp_op write;
} bed_end;

/* Any thread takes, now this one, now that. */
void bed_open(test_bed *bed, uint32_t drainers);

/* Each drainer is taken by one thread for good: bed_start's, or (one drainer) the test's own. So the laws are held
 * where a backend may rely on that; with PIPEPORT_TEST_LENT set in the environment it is bed_open, for the other
 * half. */
void bed_open_own(test_bed *bed, uint32_t drainers);

/* Everything is closed but the ear, which it closes; every operation is home, every block given back. */
void bed_close(test_bed *bed);

/* A name that nobody else has, in this process or another. */
void bed_name(char name[80]);

/* An ear on a new name, with more room than any test needs, or with so much. */
void bed_listen(test_bed *bed);
void bed_listen_for(test_bed *bed, uint32_t room);

/* A thread for each drainer, which runs `done` with its bed_drainer. */
void bed_start(test_bed *bed);
void bed_stop(test_bed *bed);

/* The completion of `op` out of drainer 0, which must come; others that come before it are kept for their turn. */
pp_result bed_await(test_bed *bed, const pp_op *op);

/* True: it has come. Does not wait. */
bool bed_poll(test_bed *bed, const pp_op *op, pp_result *result);

/* Nothing was kept, and nothing comes out of drainer 0, though somebody waits for it a while. */
void bed_hears_nothing(test_bed *bed);

/* A closed end whose accept lives with drainer `home`. */
void bed_end_init(test_bed *bed, bed_end *end, uint32_t home);
void bed_end_close(bed_end *end);
void bed_end_abort(bed_end *end);

/* What each test calls at its end, since what breaks after the body fails no test of Criterion's: whatever it did, no
 * operation came home twice; then closes those of the ends that are open (NULL: there is none), and the bed. */
void bed_settle(test_bed *bed, bed_end *server, bed_end *client);

/* A connected pair whose ends live with drainer 0, taken by the caller. */
void bed_pair(test_bed *bed, bed_end *server, bed_end *client);

/* Waits for BUSY to pass. */
pp_fault bed_dial(bed_end *end, const char *name, uint32_t home);
pp_fault bed_dial_as(bed_end *end, const char *name, const pp_plan *plan, uint32_t home);

pp_armed bed_arm_await(bed_end *end, pp_result *now); /* With its read. */
pp_armed bed_arm_read(bed_end *end, void *buffer, uint32_t bytes, pp_result *now);
pp_armed bed_arm_write(bed_end *end, const void *data, uint32_t bytes, pp_result *now);

/* One operation of drainer 0, whether it ends now or later. */
pp_result bed_read(test_bed *bed, bed_end *end, void *buffer, uint32_t bytes);
pp_result bed_write(test_bed *bed, bed_end *end, const void *data, uint32_t bytes);

/* Writes a stamped stream, from its byte 0, until a write pends: it is still out after a take, in which a backend that
 * puts writes off does them. (Where threads drain, the test's own is a foreign one, which nobody puts off.) Answers how
 * much was taken before that one, which is of `bytes` at `block`. */
uint64_t bed_fill(test_bed *bed, bed_end *end, void *block, uint32_t bytes);

/* Writes `total` stamped bytes at `from`, `piece` at a time, while `to` reads and checks them. */
void bed_stream(test_bed *bed, bed_end *from, bed_end *to, uint64_t total, uint32_t piece);

/* A thread that writes byte number i of a stream to `from`, one byte, as soon as race i begins. They begin in order,
 * and the byte of one is read before the next. */
typedef struct bed_race {
    bed_end *from;
    pp_gate begins[BED_RACES];
    pp_gate armed[BED_RACES];
    bool later[BED_RACES]; /* The write's completion is on the way; read after `armed`. */
    pp_thread writer;
} bed_race;

void bed_race_open(bed_race *race, bed_end *from);
void bed_race_begin(bed_race *race, uint32_t number);
/* Where messages are the pipe's own a write may end later, and must before the next race begins. */
void bed_race_end(test_bed *bed, bed_race *race, uint32_t number);
/* All have begun. */
void bed_race_close(bed_race *race);

/* What byte number `at` of a stream is. */
static inline unsigned char bed_byte(uint64_t at)
{
    return (unsigned char) (at * 167 + (at >> 8) * 31 + (at >> 16));
}

void bed_stamp(void *buffer, uint32_t bytes, uint64_t at);
bool bed_is_stamped(const void *buffer, uint32_t bytes, uint64_t at);

#endif
