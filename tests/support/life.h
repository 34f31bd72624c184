/* SPDX-License-Identifier: MIT */
/*
 * life.h - an engine on the fake system, and everything that its servers and clients tell, written down and judged.
 *
 * Each event is held against the promise of pipeport.h: opened first, closed once and last, none inside another of the
 * same connection, none under a lock. life_end stops all and holds the accounts: operations armed = done, pipes opened
 * = closed, blocks taken = given, bytes accepted = sent + discarded; and each pipe was left to its peer, or not, as its
 * connection's end would have it.
 *
 * The test's thread is the engine's only one: nothing happens but in life_settle, life_pass and what waits.
 */
#ifndef TESTS_SUPPORT_LIFE_H
#define TESTS_SUPPORT_LIFE_H

#include "engine/include/pipeport.h"
#include "tests/support/fake_os.h"
#include "tests/support/fake_port.h"

enum { LIFE_CONNS_MAX = 256 };

typedef struct life_conn {
    pipeport_conn name;
    const fake_pipe *pipe;
    unsigned opened, messages, drained, closed;
    bool inside;         /* An event of it is running. */
    test_bytes received; /* All payloads, one behind the other. */
    size_t last_length;
    pipeport_end end;
    unsigned sents; /* `sent` events, and of how many bytes. */
    uint64_t sent_bytes;
} life_conn;

typedef struct life_record {
    pipeport_engine *engine;
    pipeport_server *server;
    pipeport_client *client;
    life_conn conns[LIFE_CONNS_MAX];
    unsigned count;  /* Connections that were opened. */
    unsigned failed; /* `failed` events. */
    pipeport_status failed_why;
    long failed_code;
    unsigned lines; /* Of the log. */
    bool leaked;    /* The engine said that blocks were never given back. */
    void (*on_opened)(life_conn *conn);
    void (*on_message)(life_conn *conn, const void *data, size_t length);
    void (*on_drained)(life_conn *conn);
    void (*on_closed)(life_conn *conn);
    bool hears_sent;                              /* Likewise `sent`. */
    void (*on_sent)(life_conn *conn);             /* Then. */
    bool (*on_accept)(const pipeport_peer *peer); /* Set before a server starts: else it has no `accept`. */
    unsigned accepts;                             /* `accept` events. */
    void (*on_failed)(void);
    void (*on_line)(void); /* A line of the log. */
} life_record;

extern life_record life;

/* The fake system as new, and an engine of host threads on it. */
void life_begin(void);
/* The same with a bound on memory; whether there was an engine. */
bool life_try_begin(uint64_t memory_bytes_max);

/* What the test may change before it starts a server or client with it; zeroed but for `size`. */
extern pipeport_options life_options;
extern bool life_has_homes; /* The next life_begin is on a port whose drainers have pipes of their own. */

void life_serve(void);
pipeport_status life_try_serve(void);
pipeport_status life_dial(void);
void life_stop_client(void); /* Aborts it, and forgets it. */

/* A client comes, is opened, and is the newest of life.conns. NULL: nobody accepted. */
fake_pipe *life_client(void);
life_conn *life_newest(void);

/* Drains until nothing happens any more, in no time. */
void life_settle(void);
/* Lets time pass, with all that happens in it. */
void life_pass(uint32_t ms);
/* The same until a client dials again: how long that was. */
uint32_t life_next_try(void);
/* For fake.inside_wake: the same on another thread, once, for longer than any of its deadlines. */
void life_pass_elsewhere(void);

pipeport_status life_send(const life_conn *conn, const void *data, size_t length);

/* What another thread does between two steps of this one: `body` runs as thread `self`. */
void life_as_thread(uintptr_t self, void (*body)(void));

/* One event inside the engine, on its worker: `body` runs as from a `closed` or `message` of nobody in particular. */
void life_on_worker(void (*body)(void));

/* `conn` has ended, and so. */
void life_expect_end(const life_conn *conn, pipeport_status why);
/* All that was opened is closed: the server's figures balance. */
void life_expect_balance(void);

/* Stops what is left and judges the whole. */
void life_end(void);

/* A test between life_begin and life_end, on ports that can await and that cannot, shared and not. (Criterion's .fini
 * will not do: what fails there fails no test.) */
#define LIFE_TEST(suite, name)                                                                                         \
    static void suite##_##name##_body(void);                                                                           \
    Test(suite, name)                                                                                                  \
    {                                                                                                                  \
        for (int kind = 0; kind < 4; ++kind) {                                                                         \
            life_has_homes = kind & 2;                                                                                 \
            life_begin();                                                                                              \
            fake.can_await = kind & 1;                                                                                 \
            suite##_##name##_body();                                                                                   \
            life_end();                                                                                                \
        }                                                                                                              \
    }                                                                                                                  \
    static void suite##_##name##_body(void)

#endif
