/* SPDX-License-Identifier: MIT */
/*
 * test_membership.c - groups and lists through the public functions: who gets what is sent to them, and until when.
 */
#include "engine/api/server.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>
#include <string.h>

enum { PEERS = 5 };

TestSuite(membership, .timeout = 100);

static fake_pipe *peers[PEERS];
static life_conn *conns[PEERS];
static pipeport_group *odd, *even;

static pipeport_group *open_group(const char *name)
{
    pipeport_group *group = NULL;
    cr_assert_eq(pipeport_group_open(&group, life.server, name), PIPEPORT_OK);
    cr_assert_not_null(group);
    return group;
}

/* Peers 1 and 3 are odd; 0, 2 and 4 are even. */
static void member_open(void)
{
    life_serve();
    odd = open_group("odd");
    even = open_group("even");
    for (unsigned i = 0; i < PEERS; ++i) {
        peers[i] = life_client();
        cr_assert_not_null(peers[i]);
        conns[i] = life_newest();
        cr_assert_eq(pipeport_group_join(i % 2 ? odd : even, conns[i]->name), PIPEPORT_OK);
    }
}

static void expect(unsigned peer, const char *bytes)
{
    life_settle();
    const fake_pipe *pipe = peers[peer];
    cr_assert_eq(pipe->written.length, 5 * strlen(bytes), "peer %u: %zu bytes", peer, pipe->written.length);
    for (size_t i = 0; bytes[i]; ++i) {
        cr_assert_arr_eq(pipe->written.data + 5 * i, ((char[]){1, 0, 0, 0, bytes[i]}), 5, "peer %u, %zu", peer, i);
    }
}

static uint32_t say(pipeport_group *group, const char *letter)
{
    uint32_t reached = 99;
    cr_assert_eq(pipeport_group_broadcast(group, letter, 1, &reached), PIPEPORT_OK);
    return reached;
}

static pipeport_message *built(char letter)
{
    pipeport_message *message = NULL;
    void *room = NULL;
    cr_assert_eq(pipeport_message_create(&message, life.engine, NULL, 1, &room), PIPEPORT_OK);
    *(char *) room = letter;
    return message;
}

LIFE_TEST(membership, brings_a_group_what_is_sent_to_it_and_nobody_else)
{
    member_open();
    cr_assert_eq(say(odd, "a"), 2);
    cr_assert_eq(say(even, "b"), 3);
    cr_assert_eq(say(open_group("odd"), "c"), 2);
    cr_assert_eq(say(open_group("empty"), "d"), 0);
    pipeport_message *message = built('e');
    uint32_t reached = 0;
    cr_assert_eq(pipeport_group_broadcast_message(even, message, &reached), PIPEPORT_OK);
    cr_assert_eq(reached, 3);
    cr_assert_eq(pipeport_group_broadcast_message(odd, message, NULL), PIPEPORT_OK);
    pipeport_message_release(message);
    for (unsigned i = 0; i < PEERS; ++i) {
        expect(i, i % 2 ? "ace" : "be");
    }
    pipeport_stats stats = {.size = sizeof stats};
    cr_assert_eq(pipeport_server_stats(life.server, &stats), PIPEPORT_OK);
    cr_assert_eq(stats.messages_sent, 2 + 3 + 2 + 3 + 2);
}

LIFE_TEST(membership, costs_a_group_its_members)
{
    member_open();
    pipeport_engine_figures before = {.size = sizeof before}, after = before;
    for (unsigned i = 0; i < PEERS; ++i) {
        peers[i]->write_room = 0;
    }
    cr_assert_eq(pipeport_engine_stats(life.engine, &before), PIPEPORT_OK);
    cr_assert_eq(say(odd, "a"), 2);
    cr_assert_eq(pipeport_engine_stats(life.engine, &after), PIPEPORT_OK);
    cr_assert_eq(after.allocations, before.allocations + 1);
    cr_assert_eq(after.memory_bytes, before.memory_bytes + sizeof(pp_message) + 2 * sizeof(pp_link) + 5);
}

LIFE_TEST(membership, may_be_taken_twice_given_up_and_taken_again)
{
    member_open();
    cr_assert_eq(pipeport_group_join(odd, conns[1]->name), PIPEPORT_OK);
    cr_assert_eq(say(odd, "a"), 2);
    cr_assert_eq(pipeport_group_leave(odd, conns[1]->name), PIPEPORT_OK);
    cr_assert_eq(pipeport_group_leave(odd, conns[1]->name), PIPEPORT_OK);
    cr_assert_eq(pipeport_group_leave(odd, conns[0]->name), PIPEPORT_OK);
    cr_assert_eq(say(odd, "b"), 1);
    cr_assert_eq(pipeport_group_join(odd, conns[1]->name), PIPEPORT_OK);
    cr_assert_eq(pipeport_group_join(odd, conns[0]->name), PIPEPORT_OK);
    cr_assert_eq(say(odd, "c"), 3);
    expect(0, "c");
    expect(1, "ac");
    expect(3, "abc");
}

static uint32_t members_at_closed;

static void look_at_closed(life_conn *conn)
{
    members_at_closed = say(odd, "x");
    cr_assert_eq(pipeport_group_join(odd, conn->name), PIPEPORT_GONE);
    cr_assert_eq(pipeport_group_leave(odd, conn->name), PIPEPORT_GONE);
    cr_assert_eq(pp_groups_check(&life.server->groups), PEERS - 1);
}

LIFE_TEST(membership, ends_before_closed_is_told)
{
    member_open();
    life.on_closed = look_at_closed;
    members_at_closed = 99;
    fake_peer_goes(peers[1]);
    life_settle();
    cr_assert_eq(members_at_closed, 1);
    life.on_closed = NULL;
    fake_pipe *next = life_client(); /* Perhaps in the same seat. */
    cr_assert_eq(say(odd, "y"), 1);
    cr_assert_eq(say(even, "z"), 3);
    life_settle();
    cr_assert_eq(next->written.length, 0);
}

LIFE_TEST(membership, is_refused_to_who_closes)
{
    member_open();
    peers[1]->write_room = 0;
    cr_assert_eq(life_send(conns[1], "x", 1), PIPEPORT_OK);
    life_settle();
    cr_assert_eq(pipeport_close(life.engine, conns[1]->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    cr_assert_eq(pipeport_group_join(even, conns[1]->name), PIPEPORT_GONE);
    cr_assert_eq(say(odd, "a"), 1);
    fake_peer_reads(peers[1], UINT64_MAX);
    life_settle();
    expect(1, "x");
    cr_assert_eq(pp_groups_check(&life.server->groups), PEERS - 1);
}

LIFE_TEST(membership, is_for_the_servers_own)
{
    member_open();
    cr_assert_eq(life_dial(), PIPEPORT_OK);
    life_settle();
    life_conn *client = life_newest();
    cr_assert_eq(pipeport_group_join(odd, client->name), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_group_leave(odd, client->name), PIPEPORT_INVALID);
    uint32_t reached = 99;
    pipeport_conn list[] = {client->name, conns[0]->name, {0}, {conns[1]->name.id + (UINT64_C(1) << 24)}};
    cr_assert_eq(pipeport_multicast(life.server, &(pipeport_conns){list, 4}, "m", 1, &reached), PIPEPORT_OK);
    cr_assert_eq(reached, 1);
    expect(0, "m");
    expect(1, "");
}

LIFE_TEST(membership, refuses_what_makes_no_sense)
{
    char name[300];
    pipeport_group *group = NULL;
    pipeport_conn list[1] = {{0}};
    member_open();
    memset(name, 'n', sizeof name);
    name[PIPEPORT_GROUP_NAME_BYTES_MAX + 1] = 0;
    cr_assert_eq(pipeport_group_open(NULL, life.server, "a"), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_group_open(&group, NULL, "a"), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_group_open(&group, life.server, NULL), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_group_open(&group, life.server, ""), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_group_open(&group, life.server, name), PIPEPORT_INVALID);
    cr_assert_null(group);
    cr_assert_eq(pipeport_group_join(NULL, conns[0]->name), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_group_leave(NULL, conns[0]->name), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_group_join(odd, (pipeport_conn){0}), PIPEPORT_GONE);
    cr_assert_eq(pipeport_group_broadcast(NULL, "a", 1, NULL), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_group_broadcast(odd, NULL, 1, NULL), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_group_broadcast(odd, "a", SIZE_MAX, NULL), PIPEPORT_TOO_LARGE);
    cr_assert_eq(pipeport_group_broadcast_message(odd, NULL, NULL), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_multicast(NULL, &(pipeport_conns){list, 1}, "a", 1, NULL), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_multicast(life.server, NULL, "a", 1, NULL), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_multicast(life.server, &(pipeport_conns){NULL, 1}, "a", 1, NULL), PIPEPORT_INVALID);
    pipeport_conns many = {list, PIPEPORT_MULTICAST_MAX + (size_t) 1};
    cr_assert_eq(pipeport_multicast(life.server, &many, "a", 1, NULL), PIPEPORT_INVALID);
    cr_assert_eq(pipeport_multicast(life.server, &(pipeport_conns){list, 1}, NULL, 1, NULL), PIPEPORT_INVALID);
    expect(0, "");
}

LIFE_TEST(membership, is_not_needed_for_a_list)
{
    member_open();
    uint32_t reached = 99;
    pipeport_conn list[] = {conns[4]->name, conns[1]->name, conns[4]->name};
    cr_assert_eq(pipeport_multicast(life.server, &(pipeport_conns){list, 2}, "a", 1, &reached), PIPEPORT_OK);
    cr_assert_eq(reached, 2);
    cr_assert_eq(pipeport_multicast(life.server, &(pipeport_conns){list, 3}, "b", 1, &reached), PIPEPORT_OK);
    cr_assert_eq(reached, 3);
    cr_assert_eq(pipeport_multicast(life.server, &(pipeport_conns){NULL, 0}, "c", 1, &reached), PIPEPORT_OK);
    cr_assert_eq(reached, 0);
    expect(1, "ab");
    expect(4, "abb");
    expect(0, "");
}

/* All of a turn's kinds of sending, to and fro: each connection hears what is for it in the order of the calls. */
static void speak_to_all_kinds(life_conn *conn, const void *data, size_t length)
{
    (void) length;
    char letter = *(const char *) data;
    pipeport_conn list[] = {conns[0]->name, conns[3]->name};
    switch (letter) {
    case 'b':
    case 'c':
        cr_assert_eq(pipeport_broadcast(life.server, data, 1, NULL), PIPEPORT_OK);
        break;
    case 'g':
        cr_assert_eq(pipeport_group_broadcast(odd, data, 1, NULL), PIPEPORT_OK);
        break;
    case 'h':
        cr_assert_eq(pipeport_group_broadcast(even, data, 1, NULL), PIPEPORT_OK);
        break;
    case 'm':
        cr_assert_eq(pipeport_multicast(life.server, &(pipeport_conns){list, 2}, data, 1, NULL), PIPEPORT_OK);
        break;
    default:
        cr_assert_eq(life_send(conn, data, 1), PIPEPORT_OK);
        break;
    }
}

LIFE_TEST(membership, keeps_its_place_among_broadcasts_and_answers)
{
    static const char said[] = "bcgbcbmbbhcarbgcmmcabc";
    static uint8_t stream[5 * sizeof said];
    member_open();
    life.on_message = speak_to_all_kinds;
    for (unsigned i = 0; said[i]; ++i) {
        memcpy(stream + 5 * i, ((char[]){1, 0, 0, 0, said[i]}), 5);
    }
    fake_peer_sends(peers[0], stream, 5 * (sizeof said - 1));
    life_settle();
    for (unsigned i = 0; i < PEERS; ++i) {
        char hears[sizeof said];
        unsigned count = 0;
        for (unsigned at = 0; said[at]; ++at) {
            char letter = said[at];
            bool is_for = letter == 'g'                    ? i % 2
                          : letter == 'h'                  ? i % 2 == 0
                          : letter == 'm'                  ? i == 0 || i == 3
                          : letter == 'a' || letter == 'r' ? i == 0
                                                           : true;
            hears[count] = letter;
            count += is_for;
        }
        hears[count] = 0;
        expect(i, hears);
    }
}

/* A second broadcast of a turn does not reach who left the group after the first. */
static void leave_between(life_conn *conn, const void *data, size_t length)
{
    (void) conn;
    cr_assert_eq(pipeport_group_broadcast(odd, data, length, NULL), PIPEPORT_OK);
    cr_assert_eq(pipeport_group_leave(odd, conns[3]->name), PIPEPORT_OK);
}

LIFE_TEST(membership, ends_between_two_broadcasts_of_a_turn)
{
    member_open();
    life.on_message = leave_between;
    fake_peer_sends(peers[0], ((uint8_t[]){1, 0, 0, 0, 'a', 1, 0, 0, 0, 'b'}), 10);
    life_settle();
    expect(1, "ab");
    expect(3, "a");
}

static pipeport_status opened_late, broadcast_late, multicast_late;

static void try_late(life_conn *conn)
{
    pipeport_group *group = NULL;
    pipeport_conn list[] = {conn->name};
    opened_late = pipeport_group_open(&group, life.server, "late");
    broadcast_late = pipeport_group_broadcast(odd, "x", 1, NULL);
    multicast_late = pipeport_multicast(life.server, &(pipeport_conns){list, 1}, "x", 1, NULL);
}

Test(membership, is_over_when_the_server_stops)
{
    life_begin();
    member_open();
    life.on_closed = try_late;
    life_end(); /* Its server's handle is there until it has stopped. */
    cr_assert_eq(opened_late, PIPEPORT_STOPPED);
    cr_assert_eq(broadcast_late, PIPEPORT_STOPPED);
    cr_assert_eq(multicast_late, PIPEPORT_STOPPED);
}

LIFE_TEST(membership, is_refused_without_memory)
{
    member_open();
    pipeport_group *group = NULL;
    pipeport_conn list[] = {conns[0]->name};
    atomic_store(&life.engine->hub.memory.fail_after, 0);
    cr_assert_eq(pipeport_group_open(&group, life.server, "new"), PIPEPORT_NO_MEMORY);
    cr_assert_eq(pipeport_group_join(even, conns[1]->name), PIPEPORT_NO_MEMORY);
    cr_assert_eq(pipeport_group_broadcast(odd, "x", 1, NULL), PIPEPORT_NO_MEMORY);
    cr_assert_eq(pipeport_multicast(life.server, &(pipeport_conns){list, 1}, "x", 1, NULL), PIPEPORT_NO_MEMORY);
    atomic_store(&life.engine->hub.memory.fail_after, UINT64_MAX);
    cr_assert_eq(say(even, "a"), 3);
    expect(1, "");
}
