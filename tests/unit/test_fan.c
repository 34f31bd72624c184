/* SPDX-License-Identifier: MIT */
/*
 * test_fan.c - broadcasts that one event after another makes (engine/api/broadcast.c): everybody gets each of them, in
 * order, and who cannot take one costs nobody else anything.
 */
#include "engine/api/server.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>
#include <string.h>

enum { PEERS = 5 };

TestSuite(fan, .timeout = 100);

static fake_pipe *peers[PEERS];
static life_conn *conns[PEERS];
static uint32_t reached[64];
static unsigned calls;

static void fan_open(void)
{
    calls = 0;
    life_serve();
    for (unsigned i = 0; i < PEERS; ++i) {
        peers[i] = life_client();
        cr_assert_not_null(peers[i]);
        conns[i] = life_newest();
    }
}

static pipeport_engine_figures figures(void)
{
    pipeport_engine_figures now = {.size = sizeof now};
    cr_assert_eq(pipeport_engine_stats(life.engine, &now), PIPEPORT_OK);
    return now;
}

static void broadcast(life_conn *conn, const void *data, size_t length)
{
    (void) conn;
    cr_assert_eq(pipeport_broadcast(life.server, data, length, &reached[calls++]), PIPEPORT_OK);
}

static void broadcast_uncounted(life_conn *conn, const void *data, size_t length)
{
    (void) conn;
    cr_assert_eq(pipeport_broadcast(life.server, data, length, NULL), PIPEPORT_OK);
}

static void says(const char *bytes)
{
    uint8_t stream[5 * 64];
    size_t length = 0;
    for (; *bytes; ++bytes) {
        memcpy(stream + length, ((char[]){1, 0, 0, 0, *bytes}), 5);
        length += 5;
    }
    fake_peer_sends(peers[0], stream, length);
    life_settle();
}

static void expect(unsigned peer, const char *bytes)
{
    const fake_pipe *pipe = peers[peer];
    cr_assert_eq(pipe->written.length, 5 * strlen(bytes), "peer %u: %zu bytes", peer, pipe->written.length);
    for (size_t i = 0; bytes[i]; ++i) {
        cr_assert_arr_eq(pipe->written.data + 5 * i, ((char[]){1, 0, 0, 0, bytes[i]}), 5, "peer %u, %zu", peer, i);
    }
}

/* The first calls reached everybody who was there at the beginning, and those after them `later`. */
static void expect_reached(unsigned all, unsigned first, uint32_t later)
{
    for (unsigned i = 0; i < all; ++i) {
        cr_assert_eq(reached[i], i < first ? PEERS : later, "call %u reached %u", i, reached[i]);
    }
}

LIFE_TEST(fan, reaches_everybody_in_one_write_and_two_blocks)
{
    life.on_message = broadcast;
    fan_open();
    says("a"); /* The worker's spare is there after it. */
    uint64_t before = figures().allocations;
    says("bcdefghijklmnop");
    for (unsigned i = 0; i < PEERS; ++i) {
        expect(i, "abcdefghijklmnop");
        cr_assert_eq(peers[i]->writes, 2);
    }
    expect_reached(16, 16, PEERS);
    /* Two messages; and each receiver joins them for its write. */
    cr_assert_leq(figures().allocations - before, 2 + PEERS, "%llu",
                  (unsigned long long) figures().allocations - before);
    pipeport_stats stats = {.size = sizeof stats};
    cr_assert_eq(pipeport_server_stats(life.server, &stats), PIPEPORT_OK);
    cr_assert_eq(stats.messages_sent, 16 * PEERS);
}

/* Room for all of a turn's broadcasts is in the first one, where the last turn's grew: everybody is sent the same bytes
 * as they lie, and nothing is joined. */
LIFE_TEST(fan, is_one_block_where_the_last_was_grown_into)
{
    life.on_message = broadcast;
    fan_open();
    says("abc");
    says("defghijk");
    uint64_t before = figures().allocations;
    says("lmnopqrstuvwxyz");
    cr_assert_eq(figures().allocations - before, 1, "%llu", (unsigned long long) (figures().allocations - before));
    says("A");  /* One alone needs no room, */
    says("BC"); /* and is no reason for none. */
    before = figures().allocations;
    says("DEF");
    cr_assert_eq(figures().allocations - before, 1, "%llu", (unsigned long long) (figures().allocations - before));
    for (unsigned i = 0; i < PEERS; ++i) {
        expect(i, "abcdefghijklmnopqrstuvwxyzABCDEF");
    }
}

/* It is foreseen that a turn's broadcasts will grow, as the last turn's did; then one reads slowly. */
LIFE_TEST(fan, leaves_room_empty_once_where_it_hoped_in_vain)
{
    enum { TURNS = 20, SAID = 200 };
    static uint8_t stream[5 * SAID];
    life.on_message = broadcast;
    fan_open();
    says("abc");
    life.on_message = broadcast_uncounted;
    peers[3]->write_room = 0;
    says("d");
    for (unsigned i = 0; i < SAID; ++i) {
        memcpy(stream + 5 * i, ((char[]){1, 0, 0, 0, 'e'}), 5);
    }
    uint64_t before = figures().memory_bytes;
    for (unsigned turn = 0; turn < TURNS; ++turn) {
        fake_peer_sends(peers[0], stream, sizeof stream);
        life_settle();
    }
    uint64_t each = sizeof(pp_message) + PEERS * sizeof(pp_link) + 5;
    cr_assert_leq(figures().memory_bytes - before, TURNS * SAID * each + PP_SHELF_BYTES_MAX + sizeof stream,
                  "%llu, %llu each", (unsigned long long) (figures().memory_bytes - before), (unsigned long long) each);
    fake_peer_reads(peers[3], UINT64_MAX);
    life_settle();
    cr_assert_eq(peers[3]->written.length, 5 * 4 + TURNS * sizeof stream);
}

LIFE_TEST(fan, does_not_grow_where_one_reads_slowly)
{
    life.on_message = broadcast;
    fan_open();
    peers[3]->write_room = 0;
    says("a");
    uint64_t before = figures().memory_bytes;
    says("bcdefghijklmnopqrstuvwxyz");
    cr_assert_lt(figures().memory_bytes - before, 25 * (128 + PEERS * 16), "empty room waits for who reads slowly");
    expect(4, "abcdefghijklmnopqrstuvwxyz");
    fake_peer_reads(peers[3], UINT64_MAX);
    life_settle();
    expect(3, "abcdefghijklmnopqrstuvwxyz");
}

static uint64_t bytes_most;

static void broadcast_both_ways(life_conn *conn, const void *data, size_t length)
{
    (void) conn;
    pipeport_message *built = NULL;
    void *room = NULL;
    cr_assert_eq(pipeport_broadcast(life.server, data, length, NULL), PIPEPORT_OK);
    cr_assert_eq(pipeport_message_create(&built, life.engine, NULL, 1, &room), PIPEPORT_OK);
    *(char *) room = '.';
    cr_assert_eq(pipeport_broadcast_message(life.server, built, NULL), PIPEPORT_OK);
    pipeport_message_release(built);
    bytes_most = figures().memory_bytes > bytes_most ? figures().memory_bytes : bytes_most;
}

/* A message that was built in place ends the growth of the one before: what stays empty is bounded for the turn. */
LIFE_TEST(fan, leaves_little_room_empty_between_built_messages)
{
    enum { SAID = 2000 };
    static uint8_t stream[5 * SAID];
    fan_open();
    life.on_message = broadcast_both_ways;
    for (unsigned i = 0; i < SAID; ++i) {
        memcpy(stream + 5 * i, ((char[]){1, 0, 0, 0, 'a'}), 5);
    }
    bytes_most = 0;
    uint64_t before = figures().memory_bytes;
    fake_peer_sends(peers[0], stream, sizeof stream);
    life_settle();
    for (unsigned i = 0; i < PEERS; ++i) {
        cr_assert_eq(peers[i]->written.length, 2 * sizeof stream);
    }
    cr_assert_lt(bytes_most - before, SAID * (3 * 128 + 2 * PEERS * 16) + 3 * 64 * 1024, "%llu bytes for %u",
                 (unsigned long long) (bytes_most - before), SAID);
}

LIFE_TEST(fan, passes_by_whose_bound_is_reached)
{
    life_options.message_bytes_max = 16;
    life_options.send_queue_bytes_max = 50;
    life.on_message = broadcast;
    fan_open();
    cr_assert_eq(life_send(conns[2], "01234567890123", 14), PIPEPORT_OK);
    peers[2]->write_room = 0;
    cr_assert_eq(life_send(conns[2], "0123456", 7), PIPEPORT_OK); /* Pends. */
    says("abcdefgh");
    expect_reached(8, 7, PEERS - 1); /* 11 + 5 * 7 = 46 */
    expect(1, "abcdefgh");
    cr_assert_eq(conns[2]->drained, 0);
    fake_peer_reads(peers[2], UINT64_MAX);
    life_settle();
    cr_assert_eq(conns[2]->drained, 1);
    cr_assert_eq(peers[2]->written.length, 18 + 11 + 35);
}

static void broadcast_and_fill(life_conn *conn, const void *data, size_t length)
{
    broadcast(conn, data, length);
    if (*(const char *) data == 'c') {
        cr_assert_eq(life_send(conns[2], "0123456789012345678901234", 25), PIPEPORT_OK);
    }
}

/* The bound of one is reached in the middle: what was reserved with the others goes back. */
LIFE_TEST(fan, gives_back_what_it_reserved_where_it_stops_growing)
{
    life_options.message_bytes_max = 25;
    life_options.send_queue_bytes_max = 50;
    life.on_message = broadcast_and_fill;
    fan_open();
    says("abcdefg");
    expect_reached(7, 4, PEERS - 1); /* 3 * 5 + 29 + 5 = 49 */
    expect(1, "abcdefg");
    expect(4, "abcdefg");
    for (unsigned i = 0; i < PEERS; ++i) {
        cr_assert_eq(conns[i]->drained, i == 2);
    }
    cr_assert_eq(peers[2]->written.length, 49);
}

static void broadcast_and_answer(life_conn *conn, const void *data, size_t length)
{
    broadcast(conn, data, length);
    cr_assert_eq(life_send(conn, "!", 1), PIPEPORT_OK);
}

LIFE_TEST(fan, keeps_its_place_among_answers)
{
    life.on_message = broadcast_and_answer;
    fan_open();
    says("abcd");
    expect(0, "a!b!c!d!");
    expect(1, "abcd");
}

/* ---- Who joins on another worker while a broadcast takes its block ---- */

pp_message *__real_pp_message_create_room(pp_memory *memory, const pp_framing *framing, uint64_t room_bytes,
                                          uint32_t links);
pp_message *__wrap_pp_message_create_room(pp_memory *memory, const pp_framing *framing, uint64_t room_bytes,
                                          uint32_t links);
static void (*while_a_block_is_taken)(void);

pp_message *__wrap_pp_message_create_room(pp_memory *memory, const pp_framing *framing, uint64_t room_bytes,
                                          uint32_t links)
{
    void (*body)(void) = while_a_block_is_taken;
    while_a_block_is_taken = NULL;
    if (body) {
        life_as_thread(78, body);
    }
    return __real_pp_message_create_room(memory, framing, room_bytes, links);
}

static fake_pipe *newcomer;

static void speak(life_conn *conn)
{
    cr_assert_eq(life_send(conn, "!", 1), PIPEPORT_OK);
}

static void other_worker_opens(void)
{
    unsigned before = life.count;
    newcomer = fake_client_comes();
    cr_assert_not_null(newcomer);
    newcomer->write_room = 0;
    life.on_opened = speak;
    cr_assert_eq(pipeport_engine_run(life.engine, 0), PIPEPORT_OK);
    cr_assert_eq(life.count, before + 1);
}

static void broadcast_in_a_block_of_its_own(life_conn *conn, const void *data, size_t length)
{
    if (*(const char *) data == 'a') {
        while_a_block_is_taken = other_worker_opens;
    }
    uint64_t before = figures().allocations;
    broadcast(conn, data, length);
    cr_assert_gt(figures().allocations, before, "call %u grew in what others may take", calls - 1);
}

/* The first broadcast takes the pump of all but of one who has just opened: his is elsewhere, so nothing may grow. */
LIFE_TEST(fan, does_not_grow_where_one_opened_meanwhile)
{
    if (life_has_homes) { /* Its one home has one worker: nobody opens meanwhile. */
        return;
    }
    fan_open();
    life.on_message = broadcast_in_a_block_of_its_own;
    says("abcdef");
    expect_reached(6, 1, PEERS + 1);
    expect(0, "abcdef");
    fake_peer_reads(newcomer, UINT64_MAX);
    life_settle();
    cr_assert_eq(newcomer->written.length, 5 * 6);
    cr_assert_arr_eq(newcomer->written.data, ((char[]){1, 0, 0, 0, '!', 1, 0, 0, 0, 'b'}), 10);
}

static void another_opens(void)
{
    newcomer = fake_client_comes();
    cr_assert_not_null(newcomer);
    cr_assert_eq(pipeport_engine_run(life.engine, 0), PIPEPORT_OK);
}

static void broadcast_before_another_opens(life_conn *conn, const void *data, size_t length)
{
    broadcast(conn, data, length);
    if (*(const char *) data == 'c') {
        life_as_thread(78, another_opens);
    }
}

/* The second of them has room, and the third grew there; the fourth must not, for its message has no link for him. */
LIFE_TEST(fan, reaches_who_opened_between_two_that_could_grow)
{
    if (life_has_homes) { /* Its one home has one worker: nobody opens meanwhile. */
        return;
    }
    fan_open();
    life.on_message = broadcast_before_another_opens;
    says("abcdef");
    expect_reached(6, 3, PEERS + 1);
    expect(1, "abcdef");
    cr_assert_eq(newcomer->written.length, 5 * 3);
    cr_assert_arr_eq(newcomer->written.data, ((char[]){1, 0, 0, 0, 'd', 1, 0, 0, 0, 'e'}), 10);
}

static void abort_another_and_broadcast(life_conn *conn, const void *data, size_t length)
{
    if (calls == 0) {
        cr_assert_eq(pipeport_close(life.engine, conns[1]->name, PIPEPORT_ABORT), PIPEPORT_OK);
    }
    broadcast(conn, data, length);
}

/* His queue is idle and not sealed yet: only his wish says that he is gone. */
LIFE_TEST(fan, passes_who_was_aborted_in_the_same_event)
{
    life.on_message = abort_another_and_broadcast;
    fan_open();
    says("ab");
    expect_reached(2, 0, PEERS - 1);
    expect(0, "ab");
    expect(1, "");
    life_expect_end(conns[1], PIPEPORT_STOPPED);
}

static void broadcast_and_close(life_conn *conn, const void *data, size_t length)
{
    broadcast(conn, data, length);
    if (*(const char *) data == 'c') {
        cr_assert_eq(pipeport_close(life.engine, conns[1]->name, PIPEPORT_DRAIN), PIPEPORT_OK);
    }
}

LIFE_TEST(fan, ends_for_who_is_closed_between)
{
    life.on_message = broadcast_and_close;
    fan_open();
    says("abcdef");
    expect_reached(6, 3, PEERS - 1);
    expect(1, "abc");
    expect(0, "abcdef");
    expect(4, "abcdef");
    life_expect_end(conns[1], PIPEPORT_OK);
}

static void abort_oneself(life_conn *conn, const void *data, size_t length)
{
    (void) data;
    (void) length;
    cr_assert_eq(pipeport_close(life.engine, conn->name, PIPEPORT_ABORT), PIPEPORT_OK);
}

static void broadcast_twice(life_conn *conn)
{
    (void) conn;
    for (unsigned i = 0; i < 2; ++i) {
        cr_assert_eq(pipeport_broadcast(life.server, "x", 1, NULL), PIPEPORT_OK);
    }
}

/* The last event of a turn may broadcast as any other: what was foreseen for it is given back. */
LIFE_TEST(fan, gives_back_what_a_broadcast_inside_closed_foresaw)
{
    fan_open();
    life.on_message = abort_oneself;
    life.on_closed = broadcast_twice;
    says("abcdefghijklmnop");
    life.on_closed = NULL;
    cr_assert_eq(conns[0]->closed, 1);
    cr_assert_eq(atomic_load(&life.server->party.fans), 0, "a broadcast still counts as growing");
    for (unsigned i = 1; i < PEERS; ++i) {
        expect(i, "xx");
        pp_conn *conn = pp_conn_pin(&life.engine->hub, conns[i]->name.id);
        cr_assert_eq(atomic_load(&conn->writer.sendq.bytes), 0, "peer %u", i);
        pp_conn_unpin(conn, NULL);
    }
}

/* ---- Two servers in one turn ---- */

static pipeport_server *neighbour; /* peers[0] is its client, peers[1] that of life.server. */

static void second_server_is_read(void)
{
    fake_peer_reads(peers[1], UINT64_MAX);
    cr_assert_eq(pipeport_engine_run(life.engine, 0), PIPEPORT_OK);
}

/* The last but one while the pump of its receiver is elsewhere; who then has written it before the last. */
static void broadcast_to_both(life_conn *conn, const void *data, size_t length)
{
    if (*(const char *) data == 'c') {
        cr_assert_eq(pipeport_broadcast(neighbour, data, length, &reached[8]), PIPEPORT_OK);
        broadcast(conn, data, length);
        life_as_thread(78, second_server_is_read);
    } else {
        broadcast(conn, data, length);
    }
}

/* As many have joined the one as the other, and each has had a broadcast: so it was once held for one server's. */
LIFE_TEST(fan, of_one_server_is_not_taken_for_the_others)
{
    if (life_has_homes) { /* Its one home has one worker: nobody writes meanwhile. */
        return;
    }
    calls = 0;
    life_options.connections_max = 1;
    for (unsigned i = 0; i < 2; ++i) {
        neighbour = life.server;
        life_serve();
        peers[i] = life_client();
        cr_assert_not_null(peers[i]);
        conns[i] = life_newest();
    }
    life.on_message = broadcast;
    says("ab");
    says("ababab"); /* It pays to make room for those to come. */
    expect(1, "abababab");
    peers[1]->write_room = 0;
    cr_assert_eq(life_send(conns[1], "!", 1), PIPEPORT_OK);
    life.on_message = broadcast_to_both;
    says("cdef");
    expect_reached(calls, 0, 1);
    cr_assert_eq(reached[8], 1);
    expect(0, "c");
    expect(1, "abababab!cdef");
    pipeport_server_stop(neighbour, 0);
}
