/* SPDX-License-Identifier: MIT */
/*
 * test_members.c - named groups on real pipes: who is in a group hears all that is sent to it, once and in order, while
 * others join, leave, come and go.
 *
 * A client says in its first message which it is, and the server joins it to its groups then. Stayers must hear each
 * number of each thread to each of their groups; flippers, which a thread of their own takes out and in all the time,
 * and guests, which come and go, may miss numbers, but hear none twice and none late.
 */
#include "engine/port/os.h"
#include "tests/support/expect.h"
#include "tests/support/peer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(members, .timeout = 240);

enum {
    STAYERS = 12,
    FLIPPERS = 4,
    EARS = STAYERS + FLIPPERS + 1, /* The last one is the guest. */
    THREADS = 4,
    GROUPS = 3,
    LIST = GROUPS,   /* What is sent to a list counts as one group more: the stayers of group 0. */
    WINDOW = 16,     /* Numbers to one group that a thread is ahead of who hears them. */
    QUEUE = 1 << 20, /* So no queue is ever full. */
#ifdef _WIN32
    EACH = 10 * WINDOW, /* Wine's server is one thread. */
#else
    EACH = 40 * WINDOW
#endif
};

typedef struct members_said {
    uint32_t thread, group, number, check;
} members_said;

typedef struct members_ear { /* One client. */
    test_peer peer;
    uint32_t number;
    _Atomic uint32_t next[THREADS][GROUPS + 1];
} members_ear;

static struct {
    test_rig rig;
    test_peer server;
    char name[RIG_NAME_BYTES];
    pipeport_group *groups[GROUPS];
    members_ear ears[EARS];
    _Atomic uint64_t conns[EARS]; /* The server's ends. */
    _Atomic uint32_t joined;      /* Hellos that were seen to. */
    _Atomic uint32_t talking;
} stage; /* Each test is a process of its own. */

/* Group 0 is everybody's, group 1 of every second, group 2 of every third; a guest is in all. */
static bool members_is_in(uint32_t ear, uint32_t group)
{
    return ear == EARS - 1 || ear % (group + 1) == 0;
}

static void members_hello(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    uint32_t ear = EARS;
    (void) peer;
    EXPECT(length == sizeof ear);
    memcpy(&ear, data, sizeof ear);
    EXPECT(ear < EARS);
    for (uint32_t group = 0; group < GROUPS; ++group) {
        if (members_is_in(ear, group)) {
            pipeport_status status = pipeport_group_join(stage.groups[group], conn);
            EXPECT(status == PIPEPORT_OK || (status == PIPEPORT_GONE && ear == EARS - 1));
        }
    }
    atomic_store(&stage.conns[ear], conn.id);
    atomic_fetch_add(&stage.joined, 1);
}

static void members_say_hello(test_peer *peer, pipeport_conn conn)
{
    const members_ear *ear = (const members_ear *) peer;
    pipeport_status status = pipeport_send(peer->rig->engine, conn, &ear->number, sizeof ear->number);
    EXPECT(status == PIPEPORT_OK || (status == PIPEPORT_GONE && ear->number == EARS - 1)); /* A guest may be leaving. */
}

static void members_hear(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    members_ear *ear = (members_ear *) peer;
    members_said said = {.thread = THREADS};
    (void) conn;
    memcpy(&said, data, length < sizeof said ? length : sizeof said);
    EXPECT(length == sizeof said && said.thread < THREADS && said.group <= LIST);
    EXPECT(said.check == said.thread * 31 + said.group * 7 + said.number);
    if (said.thread >= THREADS || said.group > LIST) {
        return;
    }
    EXPECT(said.group == LIST || members_is_in(ear->number, said.group));
    uint32_t next = atomic_load(&ear->next[said.thread][said.group]);
    EXPECT(ear->number < STAYERS ? said.number == next : said.number >= next);
    atomic_store(&ear->next[said.thread][said.group], said.number + 1);
}

static void members_open(void)
{
    pipeport_options options = {.size = sizeof options, .send_queue_bytes_max = QUEUE, .message_bytes_max = 1000};
    rig_name(stage.name);
    rig_open(&stage.rig, 2);
    stage.server.does.message = members_hello;
    peer_serve(&stage.server, &stage.rig, stage.name, &options);
    for (uint32_t group = 0; group < GROUPS; ++group) {
        char name[16];
        (void) snprintf(name, sizeof name, "group-%u", group);
        EXPECT(pipeport_group_open(&stage.groups[group], stage.server.server, name) == PIPEPORT_OK);
    }
    for (uint32_t i = 0; i < EARS; ++i) {
        stage.ears[i].number = i;
        stage.ears[i].peer.does = (peer_does){.opened = members_say_hello, .message = members_hear};
    }
    for (uint32_t i = 0; i < STAYERS + FLIPPERS; ++i) {
        peer_dial(&stage.ears[i].peer, &stage.rig, stage.name, NULL);
    }
    AWAIT(stage.joined == STAYERS + FLIPPERS);
}

static void members_close(void)
{
    for (uint32_t i = 0; i < STAYERS + FLIPPERS; ++i) {
        peer_stop(&stage.ears[i].peer, 0);
    }
    peer_stop(&stage.server, 0);
    rig_close(&stage.rig);
}

static uint32_t members_stayers(uint32_t group)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < STAYERS; ++i) {
        count += group == LIST || members_is_in(i, group);
    }
    return count;
}

/* Guests' connections that the server has opened; and those that are in no group any more, for they are closed. */
static uint64_t members_guests(void)
{
    return atomic_load(&stage.server.opened) - (STAYERS + FLIPPERS);
}

static uint64_t members_guests_gone(void)
{
    return atomic_load(&stage.server.closed);
}

static void members_say(uint32_t thread, uint32_t group, uint32_t number)
{
    members_said said = {thread, group, number, thread * 31 + group * 7 + number};
    uint64_t gone = members_guests_gone();
    uint32_t reached = 0;
    if (group == LIST) {
        pipeport_conn list[STAYERS];
        for (uint32_t i = 0; i < STAYERS; ++i) {
            list[i].id = atomic_load(&stage.conns[i]);
        }
        pipeport_conns conns = {list, STAYERS};
        EXPECT(pipeport_multicast(stage.server.server, &conns, &said, sizeof said, &reached) == PIPEPORT_OK);
        EXPECT(reached == STAYERS);
    } else {
        EXPECT(pipeport_group_broadcast(stage.groups[group], &said, sizeof said, &reached) == PIPEPORT_OK);
        EXPECT(reached >= members_stayers(group));
        EXPECT(reached <= members_stayers(group) + FLIPPERS + members_guests() - gone);
    }
}

/* The stayers have heard this thread's numbers below `number`. */
static void members_await(uint32_t thread, uint32_t group, uint32_t number)
{
    for (uint32_t i = 0; i < STAYERS; ++i) {
        if (group == LIST || members_is_in(i, group)) {
            AWAIT(atomic_load(&stage.ears[i].next[thread][group]) >= number);
        }
    }
}

static void members_talk(void *argument)
{
    uint32_t thread = *(const uint32_t *) argument;
    for (uint32_t number = 0; number < EACH; ++number) {
        for (uint32_t group = 0; group <= LIST; ++group) {
            members_say(thread, group, number);
        }
        for (uint32_t group = 0; group <= LIST && number % WINDOW == 0 && number > WINDOW; ++group) {
            members_await(thread, group, number - WINDOW);
        }
    }
    for (uint32_t group = 0; group <= LIST; ++group) {
        members_await(thread, group, EACH);
    }
    atomic_fetch_sub(&stage.talking, 1);
}

static void members_flip(void *argument)
{
    (void) argument;
    while (atomic_load(&stage.talking) > 0) {
        for (uint32_t i = STAYERS; i < STAYERS + FLIPPERS; ++i) {
            pipeport_conn conn = {atomic_load(&stage.conns[i])};
            EXPECT(pipeport_group_leave(stage.groups[0], conn) == PIPEPORT_OK);
            EXPECT(pipeport_group_join(stage.groups[0], conn) == PIPEPORT_OK);
        }
    }
}

/* What one thread says to each group, nobody else there. */
Test(members, each_hear_what_is_for_them_and_nothing_else)
{
    members_open();
    uint32_t thread = 0;
    atomic_store(&stage.talking, 1);
    members_talk(&thread);
    for (uint32_t i = 0; i < STAYERS + FLIPPERS; ++i) {
        uint64_t expected = i < STAYERS ? EACH : 0; /* The list's. */
        for (uint32_t group = 0; group < GROUPS; ++group) {
            expected += members_is_in(i, group) ? EACH : 0;
        }
        AWAIT(stage.ears[i].peer.messages == expected);
    }
    members_close();
}

Test(members, hear_all_of_four_threads_while_others_come_and_go)
{
    pp_thread threads[THREADS + 1];
    uint32_t numbers[THREADS];
    members_open();
    atomic_store(&stage.talking, THREADS);
    for (uint32_t i = 0; i < THREADS; ++i) {
        numbers[i] = i;
        cr_assert_eq(pp_os_thread_start(&threads[i], members_talk, &numbers[i]).status, PIPEPORT_OK);
    }
    cr_assert_eq(pp_os_thread_start(&threads[THREADS], members_flip, NULL).status, PIPEPORT_OK);
    members_ear *guest = &stage.ears[EARS - 1];
    for (uint32_t visits = 0; atomic_load(&stage.talking) > 0; ++visits) {
        for (uint32_t i = 0; i < THREADS * (GROUPS + 1); ++i) {
            atomic_store(&guest->next[i / (GROUPS + 1)][i % (GROUPS + 1)], 0);
        }
        peer_dial(&guest->peer, &stage.rig, stage.name, NULL);
        if (visits % 2) { /* Else it may go before it is joined, or meanwhile. */
            AWAIT(guest->peer.messages > 0 || atomic_load(&stage.talking) == 0);
        }
        peer_stop(&guest->peer, 0);
    }
    for (uint32_t i = 0; i <= THREADS; ++i) {
        pp_os_thread_join(&threads[i]);
    }
    AWAIT(members_guests_gone() == members_guests());
    EXPECT(peer_stats(&stage.server).broadcasts_refused == 0);
    members_close();
}
