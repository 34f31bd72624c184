/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/pipeport/carriage.h"
#include "tools/pipeport/framing.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/serve.h"
#include "tools/pipeport/stream.h"

#define VERIFY_TAGS 1000000 /* As many connections as a swarm may have. */
#define VERIFY_START 16     /* Bytes of a stream that tell whose it is. */
#define VERIFY_SAID 10

/* What has come on one connection, whose events alone look at it. */
struct serve_verify {
    bool knows, bad; /* Whose it is; whether something was wrong, so that nothing is looked at any more. */
    uint32_t tag;
    uint64_t next;     /* The number of the message that is due. */
    uint64_t position; /* Framing none: of the byte that is due. */
    unsigned char start[VERIFY_START];
};

struct serve_verify *serve_verify_opened(void)
{
    return calloc(1, sizeof(struct serve_verify));
}

static void verify_object(struct serve *serve, struct serve_verify *verify, pipeport_conn conn, const char *what)
{
    uint64_t number = atomic_fetch_add(&serve->failures, 1) + 1;

    verify->bad = true;
    if (number <= VERIFY_SAID) {
        say_error("serve", "connection %" PRIu32 " of the swarm: %s %" PRIu64 " is wrong: %s", verify->tag,
                  serve->options.pipe.framing.kind == PIPEPORT_FRAMING_NONE ? "byte" : "message",
                  serve->options.pipe.framing.kind == PIPEPORT_FRAMING_NONE ? verify->position : verify->next, what);
    }
    pipeport_close(serve->engine, conn, PIPEPORT_ABORT);
}

/* A stream does not say whose it is: its first bytes are those of one connection and of no other. */
static bool verify_learn(const struct serve *serve, struct serve_verify *verify)
{
    for (uint32_t tag = 0; tag < VERIFY_TAGS; tag++) {
        struct stream stream = {.seed = serve->options.seed, .tag = tag};

        if (stream_read(&stream, 0, verify->start, VERIFY_START) == VERIFY_START) {
            verify->tag = tag;
            verify->knows = true;
            return true;
        }
    }
    return false;
}

static void verify_stream(struct serve *serve, struct serve_verify *verify, pipeport_conn conn, const char *data,
                          size_t length)
{
    struct stream stream = {.seed = serve->options.seed};
    size_t good;

    if (!verify->knows) {
        size_t rest = VERIFY_START - (size_t) verify->position, piece = length < rest ? length : rest;

        memcpy(verify->start + verify->position, data, piece);
        verify->position += piece;
        data += piece;
        length -= piece;
        if (verify->position < VERIFY_START) {
            return;
        }
        if (!verify_learn(serve, verify)) {
            verify->position = 0;
            verify_object(serve, verify, conn, "no swarm with this --seed begins like that");
            return;
        }
        atomic_fetch_add(&serve->verified, VERIFY_START);
    }
    stream.tag = verify->tag;
    good = stream_read(&stream, verify->position, data, length);
    verify->position += good;
    atomic_fetch_add(&serve->verified, good);
    if (good < length) {
        verify_object(serve, verify, conn, "lost, doubled, out of order or corrupt");
    }
}

static void verify_message(struct serve *serve, struct serve_verify *verify, pipeport_conn conn, const void *data,
                           size_t length)
{
    struct payload expected = {.kind = PAYLOAD_KIND_REQUEST,
                               .sequence = verify->next,
                               .seed = serve->options.seed,
                               .lacks = carriage_lacks(&serve->options.pipe.framing)};
    struct payload found = expected;
    enum payload_verdict verdict;
    size_t at;

    if (!carriage_open(&serve->options.pipe.framing, data, length, &at)) {
        verify_object(serve, verify, conn, "it does not begin with the header of its frame (keep)");
        return;
    }
    expected.length = length - at;
    if (!verify->knows && payload_peek(&found, (const char *) data + at, length - at)) {
        verify->tag = found.tag;
        verify->knows = true;
    }
    expected.tag = verify->tag;
    if (!verify->knows) { /* Too short to say whose it is: only its length can be told. */
        verify->next++;
        return;
    }
    verdict = payload_read(&expected, (const char *) data + at, length - at, &found);
    if (verdict != PAYLOAD_GOOD) {
        verify_object(serve, verify, conn, payload_verdict_text(verdict));
        return;
    }
    verify->next++;
    atomic_fetch_add(&serve->verified, 1);
}

void serve_verify_message(struct serve *serve, struct serve_verify *verify, pipeport_conn conn, const void *data,
                          size_t length)
{
    if (verify == NULL || verify->bad) {
        return;
    }
    if (serve->options.pipe.framing.kind == PIPEPORT_FRAMING_NONE) {
        verify_stream(serve, verify, conn, data, length);
    } else {
        verify_message(serve, verify, conn, data, length);
    }
}

void serve_verify_books(const struct serve *serve)
{
    bool stream = serve->options.pipe.framing.kind == PIPEPORT_FRAMING_NONE;

    say("verified: %" PRIu64 " of %" PRIu64 " %s", atomic_load(&serve->verified),
        stream ? atomic_load(&serve->messages_in_bytes) : atomic_load(&serve->messages_in),
        stream ? "bytes" : "messages");
}
