/* SPDX-License-Identifier: MIT */
/* A payload in a message of any framing: what was written is found, and a header that is not its frame's is not. */
#include "tools/pipeport/carriage.h"

#include "tools/pipeport/framing.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static pipeport_framing framing_of(const char *text)
{
    struct framing_fault fault;
    pipeport_framing framing;

    cr_assert(framing_read(text, &framing, &fault), "%s: %s", text, fault.text);
    return framing;
}

static struct payload payload_of(const pipeport_framing *framing, size_t length)
{
    return (struct payload){.kind = PAYLOAD_KIND_REQUEST,
                            .tag = 4,
                            .sequence = 2,
                            .seed = 1,
                            .length = length,
                            .lacks = carriage_lacks(framing)};
}

Test(carriage, finds_what_was_written)
{
    static const char *const texts[] = {"len:0,4,le,0",
                                        "len:0,4,le,0,keep",
                                        "len:3,1,be,0,escape,keep",
                                        "len:0,1,le,-300,escape,keep",
                                        "varint",
                                        "delim:0a,cr",
                                        "message"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        pipeport_framing framing = framing_of(texts[i]);

        for (size_t length = 0; length < 600; length++) {
            struct payload payload = payload_of(&framing, length), found;
            size_t bytes = (size_t) carriage_bytes(&framing, length), at = 99;
            unsigned char *room = malloc(bytes + 1);

            carriage_write(&framing, &payload, room);
            cr_assert(carriage_open(&framing, room, bytes, &at), "%s, %zu", texts[i], length);
            cr_assert_eq(at, bytes - length);
            cr_assert_eq(payload_read(&payload, room + at, bytes - at, &found), PAYLOAD_GOOD);
            for (size_t bit = 0; bit < at * 8; bit++) { /* Any change of the header is seen. */
                size_t nowhere;

                room[bit / 8] ^= (unsigned char) (1u << bit % 8);
                cr_assert_not(carriage_open(&framing, room, bytes, &nowhere), "%s, %zu, bit %zu", texts[i], length,
                              bit);
                cr_assert_eq(nowhere, 0);
                room[bit / 8] ^= (unsigned char) (1u << bit % 8);
            }
            free(room);
        }
    }
}

Test(carriage, is_not_opened_where_no_payload_has_that_length)
{
    static unsigned char data[400]; /* Zeros, and ones. */
    pipeport_framing framing = framing_of("len:0,1,be,0,escape,keep");
    size_t at;

    cr_assert_not(carriage_open(&framing, data, 0, &at));
    for (size_t length = 256; length < 264; length++) { /* Too long for a byte, too short to be escaped. */
        memset(data, 0, sizeof(data));
        cr_assert_not(carriage_open(&framing, data, length, &at), "%zu", length);
        memset(data, 0xff, sizeof(data));
        cr_assert_not(carriage_open(&framing, data, length, &at), "%zu", length);
    }
    framing = framing_of("len:0,1,be,0,keep");
    data[0] = 0; /* 256 bytes behind a field that can say 255. */
    cr_assert_not(carriage_open(&framing, data, 257, &at));
    framing = framing_of("len:0,4,le,10,keep");
    memset(data, 0, sizeof(data));
    cr_assert_not(carriage_open(&framing, data, 4 + 9, &at), "below its ADJUST");
}

Test(carriage, lacks_what_the_framing_ends_a_message_with)
{
    pipeport_framing lines = framing_of("delim:0a"), varint = framing_of("varint");

    cr_assert_eq(carriage_lacks(&lines), PAYLOAD_LACKS('\n'));
    cr_assert_eq(carriage_lacks(&varint), PAYLOAD_LACKS_NONE);
}
