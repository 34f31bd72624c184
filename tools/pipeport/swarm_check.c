/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "tools/pipeport/carriage.h"
#include "tools/pipeport/clock.h"
#include "tools/pipeport/stream.h"
#include "tools/pipeport/swarm.h"

static void check_object(struct swarm_client *client, enum payload_verdict verdict, const struct payload *expected,
                         const struct payload *found)
{
    const char *what = expected->kind == PAYLOAD_KIND_BROADCAST ? "broadcast" : "message";

    swarm_client_object(client,
                        "%s %" PRIu64 " is wrong: %s (came: number %" PRIu64 " of tag %" PRIu32
                        ", %zu bytes; was due: number %" PRIu64 " of tag %" PRIu32 ", %zu bytes)",
                        what, expected->sequence, payload_verdict_text(verdict), found->sequence, found->tag,
                        found->length, expected->sequence, expected->tag, expected->length);
    swarm_client_is_bad(client);
}

static void check_say_late(struct swarm *swarm, uint64_t sequence, uint64_t delay)
{
    _Atomic uint64_t *slowest = &swarm->slowest_ns[sequence];
    uint64_t seen = atomic_load_explicit(slowest, memory_order_relaxed);

    while (delay > seen &&
           !atomic_compare_exchange_weak_explicit(slowest, &seen, delay, memory_order_relaxed, memory_order_relaxed)) {
    }
}

static void check_count_broadcasts(struct swarm_client *client, uint64_t broadcasts)
{
    uint64_t now = clock_now_ns();

    client->broadcast_first_ns = client->broadcasts == 0 ? now : client->broadcast_first_ns;
    client->broadcast_last_ns = now;
    client->broadcasts = broadcasts;
}

static void check_broadcast(struct swarm_client *client, const void *data, size_t length)
{
    struct swarm *swarm = client->swarm;
    bool counted = swarm->options.broadcasts != SWARM_ANY_BROADCASTS;
    struct payload expected = {.kind = PAYLOAD_KIND_BROADCAST, .tag = PAYLOAD_TAG_ALL, .length = length}, found;
    enum payload_verdict verdict;
    uint64_t now = clock_now_ns(), delay;

    expected.sequence = client->broadcast_next;
    expected.lacks = carriage_lacks(&swarm->options.pipe.framing);
    verdict = payload_read(&expected, data, length, &found);
    if (verdict == PAYLOAD_AHEAD && !counted && client->broadcasts == 0) {
        verdict = PAYLOAD_GOOD; /* Who joined late begins in the middle. */
    }
    if (verdict != PAYLOAD_GOOD) {
        check_object(client, verdict, &expected, &found);
        return;
    }
    if (counted && client->broadcasts == swarm->options.broadcasts) {
        swarm_client_object(client, "broadcast %" PRIu64 " came, one more than --broadcasts says", found.sequence);
        swarm_client_is_bad(client);
        return;
    }
    delay = now > found.made_ns ? now - found.made_ns : 0;
    histogram_add(swarm->delays, delay);
    if (counted) {
        check_say_late(swarm, found.sequence, delay);
    }
    client->broadcast_next = found.sequence + 1;
    check_count_broadcasts(client, client->broadcasts + 1);
}

static void check_echo(struct swarm_client *client, const void *data, size_t length)
{
    struct payload expected = swarm_send_request(client, client->echoed), found;
    enum payload_verdict verdict = payload_read(&expected, data, length, &found);

    if (client->echoed == client->sent) {
        swarm_client_object(client, "a message of %zu bytes came after %" PRIu64 " echoes, where none was due", length,
                            client->echoed);
        swarm_client_is_bad(client);
        return;
    }
    if (verdict != PAYLOAD_GOOD) {
        check_object(client, verdict, &expected, &found);
        return;
    }
    swarm_send_echoed(client);
    swarm_send_fill(client);
}

/* Framing none. Where something is sent, what comes is its echo; else it is what goes to all. */
static void check_stream(struct swarm_client *client, const void *data, size_t length)
{
    const struct swarm_options *options = &client->swarm->options;
    bool echoes = options->messages > 0;
    struct stream stream = {.seed = options->seed, .tag = client->tag};
    uint64_t most = client->stream_sent;
    size_t good;

    if (!echoes) {
        stream = (struct stream){.tag = PAYLOAD_TAG_ALL};
        most = options->broadcasts == SWARM_ANY_BROADCASTS ? UINT64_MAX
                                                           : (uint64_t) options->broadcasts * options->sizes.bytes[0];
    }
    good = stream_read(&stream, client->stream_came, data, length);
    if (good < length) {
        swarm_client_object(client, "byte %" PRIu64 " is wrong: lost, doubled, out of order or corrupt",
                            client->stream_came + good);
        swarm_client_is_bad(client);
        return;
    }
    client->stream_came += length;
    if (client->stream_came > most) {
        swarm_client_object(client, "%" PRIu64 " bytes came, where %" PRIu64 " were due", client->stream_came, most);
        swarm_client_is_bad(client);
    } else if (echoes) {
        swarm_send_arrived(client, client->stream_came);
        swarm_send_fill(client);
    } else {
        check_count_broadcasts(client, client->stream_came / options->sizes.bytes[0]);
    }
}

void swarm_check(struct swarm_client *client, const void *data, size_t length)
{
    const pipeport_framing *framing = &client->swarm->options.pipe.framing;
    const unsigned char *bytes = data;
    size_t at;

    if (client->swarm->options.topics > 0) {
        swarm_topics_check(client, data, length);
        return;
    }
    if (swarm_is_stream(client->swarm)) {
        check_stream(client, data, length);
        return;
    }
    if (!carriage_open(framing, data, length, &at)) {
        swarm_client_object(client, "a message of %zu bytes does not begin with the header of its frame (keep)",
                            length);
        swarm_client_is_bad(client);
    } else if (payload_kind(carriage_lacks(framing), bytes + at, length - at) == PAYLOAD_KIND_BROADCAST) {
        check_broadcast(client, bytes + at, length - at);
    } else {
        check_echo(client, bytes + at, length - at);
    }
}

bool swarm_check_has_all(const struct swarm_client *client)
{
    const struct swarm_options *options = &client->swarm->options;

    if (options->topics > 0) {
        return client->echoed == client->due;
    }
    return client->echoed == options->messages &&
           (options->broadcasts == SWARM_ANY_BROADCASTS || client->broadcasts == options->broadcasts);
}
