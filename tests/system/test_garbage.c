/* SPDX-License-Identifier: MIT */
/*
 * test_garbage.c - in every framing, bytes that break it end who wrote them, BAD_PEER, and nobody else; what was whole
 * before them is heard. What each framing refuses to the byte: tests/unit; here it comes through a pipe.
 */
#include "tests/support/expect.h"
#include "tests/support/system.h"
#include "tests/support/talker.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(garbage, .timeout = 100);

enum { BOUND = 1000 };

#define LENGTH(WIDTH, FLAGS, ADJUST)                                                                                   \
    .framing = {.kind = PIPEPORT_FRAMING_LENGTH, .width = WIDTH, .flags = FLAGS, .adjust = ADJUST}
#define BYTES(TEXT) .bytes = TEXT, .count = sizeof(TEXT) - 1
#define ONES "\xff\xff\xff\xff\xff\xff\xff\xff"

static const char garbage_long[BOUND + 1]; /* Zeros, and no line. */

/* Frames begin with 'h'; anything else is none. */
static int64_t garbage_measure(void *user, const void *stream, size_t available)
{
    (void) user;
    const uint8_t *bytes = stream;
    return bytes[0] != 'h' ? -1 : available < 2 ? 0 : bytes[1];
}

/* Behind `whole` messages that are as they should be. */
static const struct garbage {
    pipeport_framing framing;
    const char *bytes;
    size_t count;
    uint64_t whole;
} garbages[] = {
    {LENGTH(1, 0, 1000), BYTES("\2hi"), .whole = 0},
    {LENGTH(1, 0, -1), BYTES("\3hi\0"), .whole = 1},
    {LENGTH(2, PIPEPORT_BIG_ENDIAN, 0), BYTES("\0\2hi\3\351"), .whole = 1},
    {LENGTH(3, 0, 0), BYTES("\2\0\0hi\351\3\0"), .whole = 1},
    {LENGTH(4, PIPEPORT_BIG_ENDIAN | PIPEPORT_ESCAPE, 0), BYTES("\0\0\0\2hi\377\377\377\377" ONES), .whole = 1},
    {LENGTH(4, PIPEPORT_KEEP, 0), BYTES("\2\0\0\0hi\345\3\0\0"), .whole = 1},
    {LENGTH(8, PIPEPORT_BIG_ENDIAN, 0), BYTES("\0\0\0\0\0\0\0\2hi" ONES), .whole = 1},
    {.framing = {.kind = PIPEPORT_FRAMING_VARINT}, BYTES("\2hi" ONES), .whole = 1},
    {.framing = {.kind = PIPEPORT_FRAMING_VARINT}, BYTES("\2hi\351\7"), .whole = 1},
    {.framing = {.kind = PIPEPORT_FRAMING_DELIMITER, .delimiter = '\n'}, .bytes = garbage_long, .count = BOUND + 1},
    {.framing = {.kind = PIPEPORT_FRAMING_HEADERS}, BYTES("Content-Length: 2\r\n\r\nhiGET / HTTP/1.1\r\n"), .whole = 1},
    {.framing = {.kind = PIPEPORT_FRAMING_HEADERS}, BYTES("Content-Length: 1001\r\n"), .whole = 0},
    {.framing = {.kind = PIPEPORT_FRAMING_HEADERS}, BYTES("Content-Type: x\r\n\r\n"), .whole = 0},
    {.framing = {.kind = PIPEPORT_FRAMING_MEASURED, .measure = garbage_measure}, BYTES("h\2h\3iX"), .whole = 2},
};

static test_rig rig;
static char name[RIG_NAME_BYTES];
static pipeport_end
    garbage_end; /* Of whom a fault ended; read after `closed`. The good one may end on another worker. */

static void garbage_closed(test_peer *peer, pipeport_conn conn, const pipeport_end *end)
{
    (void) peer;
    (void) conn;
    if (end->why != PIPEPORT_GONE && end->why != PIPEPORT_STOPPED) {
        garbage_end = *end;
    }
}

static void garbage_goes_to(test_peer *server, const struct garbage *garbage, unsigned number)
{
    raw_client raw;
    char byte;
    uint64_t heard = server->messages;
    cr_assert(raw_connect(&raw, pipeport_server_address(server->server)));
    EXPECT(raw_write(&raw, garbage->bytes, garbage->count));
    EXPECT(raw_read(&raw, &byte, 1) == 0);
    raw_close(&raw);
    AWAIT(server->closed == 1);
    cr_expect_eq(server->messages - heard, garbage->whole, "garbage %u: %u whole", number,
                 (unsigned) (server->messages - heard));
    cr_expect_eq(garbage_end.why, PIPEPORT_BAD_PEER, "garbage %u: %s", number, pipeport_status_text(garbage_end.why));
    cr_expect_str_eq(pipeport_status_text(garbage_end.why), "The peer sent bytes that break the framing or its bound.");
    cr_expect_eq(garbage_end.bytes_received, garbage->count);
}

static void garbage_try(pipeport_options *options, const struct garbage *garbage, unsigned number)
{
    test_peer server = {.does = {.closed = garbage_closed}}, good = {0};
    garbage_end = (pipeport_end){0};
    options->size = sizeof *options;
    options->message_bytes_max = BOUND;
    options->framing = garbage->framing;
    peer_serve(&server, &rig, name, options);
    peer_dial(&good, &rig, name, options);
    AWAIT(server.opened == 1 && good.opened == 1);
    garbage_goes_to(&server, garbage, number);
    uint64_t heard = server.messages;
    const char *message = garbage->framing.flags & PIPEPORT_KEEP ? "\1\0\0\0x" : "h\2";
    EXPECT(peer_send(&good, message, garbage->framing.flags & PIPEPORT_KEEP ? 5 : 2) ==
           (garbage->framing.adjust > 0 ? PIPEPORT_INVALID : PIPEPORT_OK));
    if (garbage->framing.adjust <= 0) {
        AWAIT(server.messages == heard + 1);
    }
    EXPECT(good.closed == 0);
    peer_stop(&good, 1000);
    peer_stop(&server, 1000);
}

Test(garbage, ends_who_wrote_it_in_every_framing)
{
    rig_open(&rig, 2);
    rig_name(name);
    for (unsigned i = 0; i < sizeof garbages / sizeof garbages[0]; ++i) {
        garbage_try(&(pipeport_options){0}, &garbages[i], i);
    }
    rig_close(&rig);
    expect_fine();
}
