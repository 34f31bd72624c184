/* SPDX-License-Identifier: MIT */
/*
 * test_crowd.c - the long one: 8 foreign threads send to one and to all while clients come and go.
 *
 * Some clients stay from begin to end and must hear everything; others come and go all the time and must hear, of each
 * thread's broadcasts, a stretch without a gap. What each thread says to one client, and to all, is numbered; a hash of
 * the payload follows from the number. Senders wait now and then for those who stay, so that no queue is ever full and
 * nothing is lost by right.
 *
 * PIPEPORT_TEST_SECONDS=60 in the environment runs it for 60 s; otherwise it is short.
 */
#include "engine/port/os.h"
#include "tests/support/expect.h"
#include "tests/support/pattern.h"
#include "tests/support/peer.h"
#include "tests/support/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(crowd, .timeout = 600);

enum { THREADS = 8, STAYERS = 24, GUESTS = 16, HOSTS = 2, LENGTH_MAX = 3000, AHEAD = 64, SECONDS = 6 };

typedef struct crowd_said { /* In front of each payload. */
    uint32_t thread;
    uint32_t to; /* A stayer's number, or CROWD_ALL. */
    uint64_t number;
    uint64_t seed;
} crowd_said;

#define CROWD_ALL UINT32_MAX

typedef struct crowd_ear { /* One client; its events only, but for what the senders look at. */
    test_peer peer;
    uint64_t next_to_me[THREADS];
    _Atomic uint64_t next_to_all[THREADS]; /* 0: nothing heard yet. */
    _Atomic uint64_t heard_to_me;
    bool stays;
    uint32_t number;
} crowd_ear;

static struct {
    test_rig rig;
    test_peer server;
    char name[RIG_NAME_BYTES];
    crowd_ear stayers[STAYERS];
    _Atomic uint64_t conns[STAYERS]; /* The server's ends, by the stayer's number. */
    _Atomic uint64_t sent_to_all[THREADS];
    _Atomic uint64_t sent_to_one;
    _Atomic uint64_t guests;
    _Atomic bool over, heard;
    uint64_t seed;
} crowd;

/* A guest may be slow. */
static const pipeport_options crowd_options = {.size = sizeof crowd_options, .send_queue_bytes_max = 256u << 20};

/* ---- Hearing ------------------------------------------------------------------------------------------- */

static void crowd_hear_all(crowd_ear *ear, const crowd_said *said)
{
    uint64_t next = atomic_load(&ear->next_to_all[said->thread]);
    if (next == 0 && !ear->stays) { /* A guest begins somewhere. */
        next = said->number;
    }
    EXPECT(said->number == (next ? next : 1));
    atomic_store(&ear->next_to_all[said->thread], said->number + 1);
}

static void crowd_hear(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    crowd_ear *ear = (crowd_ear *) peer;
    crowd_said said;
    EXPECT(length >= sizeof said);
    if (length < sizeof said) {
        return;
    }
    memcpy(&said, data, sizeof said);
    EXPECT(pattern_is((const char *) data + sizeof said, length - sizeof said, said.seed));
    EXPECT(said.thread < THREADS);
    if (said.thread >= THREADS) {
        return;
    }
    if (said.to == CROWD_ALL) {
        crowd_hear_all(ear, &said);
    } else {
        EXPECT(ear->stays && said.to == ear->number);
        EXPECT(said.number == ++ear->next_to_me[said.thread]);
        atomic_fetch_add(&ear->heard_to_me, 1);
    }
    if (said.number % 16 == 0) { /* The other way, too. */
        pipeport_status status = pipeport_send(peer->rig->engine, conn, data, length);
        EXPECT(status == PIPEPORT_OK || (status == PIPEPORT_GONE && !ear->stays)); /* He is being asked to leave. */
    }
}

/* Who stays is ended by nobody before all was heard: a fault, and why it was ended tells of which. */
static void crowd_lose(test_peer *peer, pipeport_conn conn, const pipeport_end *end)
{
    const crowd_ear *ear = (crowd_ear *) peer;
    (void) conn;
    if (!atomic_load(&crowd.heard)) {
        cr_log_error("client %u ended: %s, system code %ld", ear->number, pipeport_status_text(end->why),
                     end->system_code);
        EXPECT(atomic_load(&crowd.heard));
    }
}

static void crowd_server_lose(test_peer *peer, pipeport_conn conn, const pipeport_end *end)
{
    (void) peer;
    for (uint32_t i = 0; i < STAYERS; ++i) {
        if (atomic_load(&crowd.conns[i]) == conn.id && !atomic_load(&crowd.heard)) {
            cr_log_error("server's end of %u ended: %s, system code %ld", i, pipeport_status_text(end->why),
                         end->system_code);
        }
    }
}

/* ---- Sending ------------------------------------------------------------------------------------------- */

/* So that nobody's queue is ever full: at most AHEAD of this thread's words to all are under way to who stays. */
static void crowd_wait_for_stayers(uint32_t thread, uint64_t number)
{
    for (uint32_t i = 0; number > AHEAD && i < STAYERS; ++i) {
        AWAIT(atomic_load(&crowd.stayers[i].next_to_all[thread]) > number - AHEAD);
    }
}

static void crowd_say(uint32_t thread, uint32_t to, uint64_t number, uint64_t *random)
{
    char data[LENGTH_MAX];
    size_t length = sizeof(crowd_said) + test_random_below(random, LENGTH_MAX - sizeof(crowd_said));
    crowd_said said = {thread, to, number, test_random(random)};
    memcpy(data, &said, sizeof said);
    pattern_fill(data + sizeof said, length - sizeof said, said.seed);
    pipeport_message *message = NULL;
    if (test_random_below(random, 2)) { /* Built in place, or not. */
        void *room = NULL;
        EXPECT(pipeport_message_create(&message, crowd.rig.engine, NULL, length, &room) == PIPEPORT_OK);
        memcpy(room, data, length);
    }
    if (to == CROWD_ALL) {
        EXPECT((message ? pipeport_broadcast_message(crowd.server.server, message, NULL)
                        : pipeport_broadcast(crowd.server.server, data, length, NULL)) == PIPEPORT_OK);
    } else {
        pipeport_conn conn = {atomic_load(&crowd.conns[to])};
        EXPECT((message ? pipeport_send_message(crowd.rig.engine, conn, message)
                        : pipeport_send(crowd.rig.engine, conn, data, length)) == PIPEPORT_OK);
    }
    pipeport_message_release(message);
}

static void crowd_talk(void *argument)
{
    uint32_t thread = *(uint32_t *) argument;
    uint64_t random = crowd.seed + thread;
    uint64_t to_one[STAYERS] = {0};
    uint64_t to_all = 0;
    while (!atomic_load(&crowd.over)) {
        if (test_random_below(&random, 4) == 0) {
            crowd_say(thread, CROWD_ALL, ++to_all, &random);
            atomic_store(&crowd.sent_to_all[thread], to_all);
            crowd_wait_for_stayers(thread, to_all);
        } else {
            uint32_t to = test_random_below(&random, STAYERS);
            crowd_say(thread, to, ++to_one[to], &random);
            atomic_fetch_add(&crowd.sent_to_one, 1);
        }
    }
}

/* ---- Coming and going ---------------------------------------------------------------------------------- */

/* Each thread keeps GUESTS / HOSTS guests, whom it replaces one after the other. */
static void crowd_entertain(void *argument)
{
    enum { MINE = GUESTS / HOSTS };
    crowd_ear *guests[MINE] = {0};
    uint64_t random = crowd.seed + *(uint32_t *) argument;
    for (uint32_t i = 0; !atomic_load(&crowd.over); i = (i + 1) % MINE) {
        if (guests[i]) {
            peer_stop(&guests[i]->peer, test_random_below(&random, 3) ? 0 : 100);
            EXPECT(guests[i]->peer.opened == guests[i]->peer.closed);
            free(guests[i]);
        }
        guests[i] = calloc(1, sizeof *guests[i]);
        guests[i]->peer.does.message = crowd_hear;
        EXPECT(peer_try_dial(&guests[i]->peer, &crowd.rig, crowd.name, &crowd_options) == PIPEPORT_OK);
        atomic_fetch_add(&crowd.guests, 1);
        if (test_random_below(&random, 2)) { /* Some hear something before they are replaced. */
            AWAIT(guests[i]->peer.messages > 0 || atomic_load(&crowd.over));
        }
    }
    for (uint32_t i = 0; i < MINE; ++i) {
        if (guests[i]) {
            peer_stop(&guests[i]->peer, 0);
            free(guests[i]);
        }
    }
}

static void crowd_seat_stayers(void)
{
    for (uint32_t i = 0; i < STAYERS; ++i) {
        crowd_ear *ear = &crowd.stayers[i];
        ear->stays = true;
        ear->number = i;
        ear->peer.does.message = crowd_hear;
        ear->peer.does.closed = crowd_lose;
        peer_dial(&ear->peer, &crowd.rig, crowd.name, &crowd_options);
        AWAIT(crowd.server.opened == i + 1);
        atomic_store(&crowd.conns[i], crowd.server.conn);
    }
}

static uint32_t crowd_seconds(void)
{
    const char *given = getenv("PIPEPORT_TEST_SECONDS");
    return given ? (uint32_t) atoi(given) : SECONDS;
}

/* Also on a machine on which everything takes its time. */
static bool crowd_was_one(void)
{
    uint64_t to_all = 0;
    for (uint32_t i = 0; i < THREADS; ++i) {
        to_all += crowd.sent_to_all[i];
    }
    return to_all > 0 && crowd.guests > GUESTS;
}

static void crowd_gather(void)
{
    pp_thread threads[THREADS + HOSTS];
    uint32_t numbers[THREADS + HOSTS];
    pp_gate shut;
    for (uint32_t i = 0; i < THREADS + HOSTS; ++i) {
        numbers[i] = i;
        cr_assert_eq(pp_os_thread_start(&threads[i], i < THREADS ? crowd_talk : crowd_entertain, &numbers[i]).status,
                     PIPEPORT_OK);
    }
    pp_gate_init(&shut, 1); /* The length of the test, not a guess at how long something takes. */
    (void) pp_gate_wait(&shut, crowd_seconds() * 1000);
    AWAIT(crowd_was_one());
    atomic_store(&crowd.over, true);
    for (uint32_t i = 0; i < THREADS + HOSTS; ++i) {
        pp_os_thread_join(&threads[i]);
    }
}

static void crowd_expect_all_heard(void)
{
    uint64_t to_all = 0, to_one = 0;
    for (uint32_t i = 0; i < THREADS; ++i) {
        uint64_t sent = crowd.sent_to_all[i];
        to_all += sent;
        for (uint32_t j = 0; sent && j < STAYERS; ++j) {
            AWAIT(atomic_load(&crowd.stayers[j].next_to_all[i]) == sent + 1);
        }
    }
    for (uint32_t j = 0; j < STAYERS; ++j) {
        to_one += crowd.stayers[j].heard_to_me;
    }
    for (uint64_t until_ms = expect_until(EXPECT_PATIENCE_MS); to_one < crowd.sent_to_one;) {
        until_ms = expect_nap(until_ms, "every word to one was heard", __FILE__, __LINE__);
        to_one = 0;
        for (uint32_t j = 0; j < STAYERS; ++j) {
            to_one += crowd.stayers[j].heard_to_me;
        }
    }
    EXPECT(to_one == crowd.sent_to_one);
    cr_log_info("%llu to one, %llu to all, %llu guests, %llu words back", (unsigned long long) to_one,
                (unsigned long long) to_all, (unsigned long long) crowd.guests,
                (unsigned long long) crowd.server.messages);
}

Test(crowd, nothing_is_lost_doubled_or_disordered_while_eight_threads_send_and_clients_come_and_go)
{
    crowd.seed = test_seed();
    cr_log_info("PIPEPORT_TEST_SEED=%llu", (unsigned long long) crowd.seed);
    rig_name(crowd.name);
    rig_open(&crowd.rig, 4);
    crowd.server.does.closed = crowd_server_lose;
    peer_serve(&crowd.server, &crowd.rig, crowd.name, &crowd_options);
    crowd_seat_stayers();
    crowd_gather();
    crowd_expect_all_heard();
    atomic_store(&crowd.heard, true);
    pipeport_stats stats = peer_stats(&crowd.server);
    EXPECT(stats.sends_refused == 0 && stats.broadcasts_refused == 0);
    for (uint32_t i = 0; i < STAYERS; ++i) {
        peer_stop(&crowd.stayers[i].peer, 1000);
    }
    peer_stop(&crowd.server, 1000);
    rig_close(&crowd.rig);
}
