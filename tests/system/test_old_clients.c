/* SPDX-License-Identifier: MIT */
/*
 * test_old_clients.c - clients of the old ways of life, as they are: who floods with messages of no bytes, who writes
 * text without any framing and reads to a NUL, who never writes, who was there before the server looked; and what the
 * old callback libraries told of every write.
 */
#include "tests/support/expect.h"
#include "tests/support/pattern.h"
#include "tests/support/system.h"
#include "tests/support/talker.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(old_clients, .timeout = 120);

enum { FLOOD = 100000, FLOOD_WHOLE = 5000, TEXTS = 100, TEXT_BYTES_MAX = 1000, PUSHES = 300, EARLY = 8, TOLD = 6 };

static test_rig rig;
static char name[RIG_NAME_BYTES];

/* ---- Messages of no bytes ---- */

static void old_begin(test_peer *server, uint32_t workers, pipeport_options options)
{
    options.size = sizeof options;
    rig_name(name);
    rig_open(&rig, workers);
    peer_serve(server, &rig, name, &options);
}

static void old_end(test_peer *server)
{
    peer_stop(server, 0);
    rig_close(&rig);
    expect_fine();
}

Test(old_clients, flood_with_frames_of_no_bytes_and_others_are_served)
{
    static const char frames[4 * 1000]; /* Zeros: a thousand lengths of 0. */
    static char came[sizeof frames];
    test_peer server = {.does = {.message = peer_echo}};
    test_talker talkers[2] = {0};
    raw_client raw;
    old_begin(&server, 2, (pipeport_options){0});
    talker_start(talkers, 2, &rig, name, &talker_small);
    cr_assert(raw_connect(&raw, pipeport_server_address(server.server)));
    for (uint32_t i = 0; i < FLOOD / 1000; i++) {
        cr_assert(raw_write(&raw, frames, sizeof frames));
        memset(came, 1, sizeof came);
        cr_assert(raw_read_all(&raw, came, sizeof came), "each is a message, and answered");
        EXPECT(memcmp(came, frames, sizeof came) == 0);
    }
    talker_still_talks(talkers, 2, 20);
    talker_hush(talkers, 2);
    AWAIT(server.messages == FLOOD + talkers[0].heard + talkers[1].heard); /* Counted behind the answer. */
    raw_close(&raw);
    talker_stop(talkers, 2);
    AWAIT(server.closed == 3);
    old_end(&server);
}

/* The pipe's own messages: none of them is an end. */
Test(old_clients, flood_with_messages_of_no_bytes_and_others_are_served)
{
    test_peer server = {0}, talker = {0};
    pipeport_options options = {.framing = pipeport_framing_message()};
    raw_client raw;
    old_begin(&server, 2, options);
    options.size = sizeof options;
    cr_assert(raw_connect_whole(&raw, pipeport_server_address(server.server)));
    for (uint32_t i = 0; i < FLOOD_WHOLE; i++) {
        cr_assert(raw_write_whole(&raw, "", 0));
        if (i == FLOOD_WHOLE / 2) { /* Another comes and speaks in the middle of it. */
            peer_dial(&talker, &rig, name, &options);
            AWAIT(talker.opened == 1);
            EXPECT(peer_send(&talker, "words", 5) == PIPEPORT_OK);
        }
    }
    AWAIT(server.messages == FLOOD_WHOLE + 1);
    EXPECT(server.bytes == 5 && server.closed == 0);
    raw_close(&raw);
    AWAIT(server.closed == 1);
    peer_stop(&talker, 1000);
    AWAIT(server.closed == 2);
    old_end(&server);
}

/* ---- Text without framing ---- */

static uint32_t old_text_bytes(uint32_t round)
{
    return 1 + round * 7919 % TEXT_BYTES_MAX;
}

/* What came goes back; who has said all that he had to say this time gets the NUL that he reads to. */
static void old_answer(test_peer *peer, pipeport_conn conn, const void *data, size_t length)
{
    static uint64_t round, came; /* Of the only connection. */
    EXPECT(length > 0);
    EXPECT(pipeport_send(peer->rig->engine, conn, data, length) == PIPEPORT_OK);
    came += length;
    EXPECT(came <= old_text_bytes((uint32_t) round));
    if (came == old_text_bytes((uint32_t) round)) {
        EXPECT(pipeport_send(peer->rig->engine, conn, "", 1) == PIPEPORT_OK);
        came = 0;
        round++;
    }
}

Test(old_clients, write_text_without_framing_and_read_to_a_nul_byte_by_byte)
{
    static char text[TEXT_BYTES_MAX], byte;
    test_peer server = {.does = {.message = old_answer}};
    raw_client raw;
    old_begin(&server, 1, (pipeport_options){.framing = pipeport_framing_none()});
    cr_assert(raw_connect(&raw, pipeport_server_address(server.server)));
    for (uint32_t round = 0; round < TEXTS; round++) {
        uint32_t length = old_text_bytes(round), at = 0;
        for (uint32_t i = 0; i < length; i++) {
            text[i] = (char) ('a' + (round + i) % 26);
        }
        cr_assert(raw_write(&raw, text, length));
        for (;;) {
            cr_assert_eq(raw_read(&raw, &byte, 1), 1);
            if (byte == '\0') {
                break;
            }
            cr_assert(at < length && byte == text[at], "round %u, byte %u", round, at);
            at++;
        }
        cr_assert_eq(at, length, "round %u", round);
    }
    raw_close(&raw);
    AWAIT(server.closed == 1);
    old_end(&server);
}

/* ---- Who never writes ---- */

static void old_push(test_peer *peer, pipeport_conn conn)
{
    char data[PUSHES];
    for (uint32_t i = 0; i < PUSHES; i++) {
        pattern_fill(data, i, i);
        EXPECT(pipeport_send(peer->rig->engine, conn, data, i) == PIPEPORT_OK);
    }
}

Test(old_clients, never_write_and_are_pushed_to_at_once)
{
    test_peer server = {.does = {.opened = old_push}};
    raw_client raw[3];
    char came[PUSHES];
    old_begin(&server, 2, (pipeport_options){0});
    for (int i = 0; i < 3; i++) {
        cr_assert(raw_connect(&raw[i], pipeport_server_address(server.server)));
    }
    for (int i = 0; i < 3; i++) {
        for (uint32_t k = 0; k < PUSHES; k++) {
            unsigned char header[4];
            cr_assert(raw_read_all(&raw[i], header, sizeof header));
            cr_assert_eq(header[0] + header[1] * 256u, k);
            cr_assert(k == 0 || raw_read_all(&raw[i], came, k));
            cr_assert(pattern_is(came, k, k), "push %u", k);
        }
        raw_close(&raw[i]);
    }
    AWAIT(server.closed == 3);
    EXPECT(server.messages == 0);
    old_end(&server);
}

/* ---- Who was there before the server looked ---- */

/* Nobody drains the port while they come, write and, some of them, leave: all are heard when somebody does. */
Test(old_clients, came_before_the_accept_and_are_heard)
{
    test_peer server = {.does = {.message = peer_echo}};
    pipeport_options options = {.size = sizeof options, .accepts_pending = EARLY};
    raw_client raw[EARLY];
    char came[9];
    rig_name(name);
    rig_open(&rig, PIPEPORT_HOST_THREADS);
    peer_serve(&server, &rig, name, &options);
    for (int i = 0; i < EARLY; i++) {
        cr_assert(raw_connect(&raw[i], pipeport_server_address(server.server)));
        cr_assert(raw_write(&raw[i], "\5\0\0\0early", 9));
    }
    raw_close(&raw[0]); /* Came, wrote and went. */
    EXPECT(server.opened == 0);
    AWAIT((pipeport_engine_run(rig.engine, 1), server.messages == EARLY));
    EXPECT(server.opened == EARLY);
    AWAIT((pipeport_engine_run(rig.engine, 1), server.closed == 1));
    for (int i = 1; i < EARLY; i++) {
        cr_assert(raw_read_all(&raw[i], came, sizeof came));
        EXPECT(memcmp(came, "\5\0\0\0early", 9) == 0);
        raw_close(&raw[i]);
    }
    AWAIT((pipeport_engine_run(rig.engine, 1), server.closed == EARLY));
    old_end(&server);
}

/* ---- What was told of every write ---- */

typedef struct old_told {
    uint64_t sent, sents, ended; /* Bytes and events of `sent`; `closed` events. */
    pipeport_end end;
} old_told;

static old_told told[TOLD];
static _Atomic uint32_t told_opened, told_closed;
static _Atomic uint64_t told_sents; /* Of all. */

static void *old_told_opened(void *user, pipeport_conn conn)
{
    static char data[200000];
    old_told *mine = &told[atomic_fetch_add(&told_opened, 1)];
    (void) user;
    for (uint32_t i = 0; i < 10; i++) { /* More than the pipe takes at once. */
        EXPECT(pipeport_send(rig.engine, conn, data, i * 20000) == PIPEPORT_OK);
    }
    return mine;
}

static void old_told_sent(void *user, void *state, pipeport_conn conn, uint64_t bytes)
{
    old_told *mine = state;
    (void) user;
    (void) conn;
    EXPECT(bytes > 0 && mine->ended == 0);
    mine->sent += bytes;
    mine->sents++;
    atomic_fetch_add(&told_sents, 1);
}

static void old_told_closed(void *user, void *state, pipeport_conn conn, const pipeport_end *end)
{
    old_told *mine = state;
    (void) user;
    (void) conn;
    mine->ended++;
    mine->end = *end;
    atomic_fetch_add(&told_closed, 1);
}

/* Two read all, two leave in the middle, two never read and are stopped: of each every byte that the system took was
 * told, before its end. */
Test(old_clients, are_told_of_every_byte_whatever_the_end)
{
    static char came[10 * 4 + 900000];
    pipeport_events events = {
        .size = sizeof events, .opened = old_told_opened, .sent = old_told_sent, .closed = old_told_closed};
    pipeport_options options = {.size = sizeof options, .pipe_buffer_bytes = 4096};
    pipeport_server *server = NULL;
    raw_client raw[TOLD];
    uint64_t whole = sizeof came, complete = 0;
    rig_name(name);
    rig_open(&rig, 2);
    cr_assert_eq(pipeport_server_start(&server, rig.engine, name, &options, &events), PIPEPORT_OK);
    for (uint32_t i = 0; i < TOLD; i++) {
        cr_assert(raw_connect(&raw[i], pipeport_server_address(server)));
        AWAIT(told_opened == i + 1);
    }
    for (int i = 0; i < 4; i++) {
        cr_assert(raw_read_all(&raw[i], came, i < 2 ? sizeof came : sizeof came / 2));
    }
    AWAIT(told_sents >= 4);
    for (int i = 0; i < 4; i++) {
        raw_close(&raw[i]);
    }
    AWAIT(told_closed == 4);
    pipeport_server_stop(server, 0);
    for (uint32_t i = 0; i < TOLD; i++) {
        EXPECT(told[i].ended == 1);
        EXPECT(told[i].sent == told[i].end.bytes_sent);
        EXPECT(told[i].end.bytes_sent + told[i].end.bytes_discarded == whole);
        complete += told[i].sent == whole && told[i].sents > 1;
    }
    EXPECT(complete >= 2); /* Who read all was sent all, in more than one write. */
    EXPECT(told[5].end.bytes_discarded > 0);
    raw_close(&raw[4]);
    raw_close(&raw[5]);
    rig_close(&rig);
    expect_fine();
}
