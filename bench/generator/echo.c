/* SPDX-License-Identifier: MIT */
/* echo.c - what was sent comes back, or at least leaves: ping-pong, pipelined, churn, idle, one-way. */
#include "bench/generator/load.h"

#include "tools/pipeport/clock.h"
#include "tools/pipeport/framing.h"
#include "tools/pipeport/payload.h"

void echo_fill(struct lane *lane, uint64_t now_ns)
{
    uint64_t depth = lane->load->plan->depth;
    uint64_t done = atomic_load_explicit(&lane->done, memory_order_relaxed);

    while (atomic_load_explicit(&lane->sent, memory_order_relaxed) - done < depth && lane_may_send(lane, now_ns)) {
        if (!lane_send(lane, now_ns, now_ns)) {
            return;
        }
    }
}

/* What comes next of a lane whose last message was taken. */
static void echo_go_on(struct lane *lane, uint64_t now_ns)
{
    enum plan_mode mode = lane->load->plan->mode;

    if (!lane->load->open_loop && mode != PLAN_IDLE && mode != PLAN_CHURN) {
        echo_fill(lane, now_ns);
    }
    if (lane->load->plan->count != 0) {
        lane_look_over(lane);
    }
    if (mode == PLAN_CHURN) {
        lane_end_visit(lane);
    }
}

/* Without framing bytes come as they come: a message is there when all its bytes are. */
static void echo_stream(struct lane *lane, size_t length, uint64_t now_ns)
{
    const struct load_entry *entry;

    lane->came_bytes += length;
    while ((entry = lane_due(lane)) != NULL && lane->came_bytes >= entry->length) {
        lane->came_bytes -= entry->length;
        lane_take(lane, entry, now_ns);
    }
    if (entry == NULL && lane->came_bytes > 0) {
        load_object(lane->load, lane, RESULT_ORDER, "more bytes came back than were sent");
        lane->came_bytes = 0;
    }
    echo_go_on(lane, now_ns);
}

/* A later one came: those before it are given up, so that one that is lost does not make all others wrong. */
static struct load_entry *echo_skip_to(struct lane *lane, uint64_t sequence)
{
    uint64_t sent = atomic_load_explicit(&lane->sent, memory_order_acquire);

    if (sequence >= sent) {
        return NULL;
    }
    atomic_store_explicit(&lane->done, sequence, memory_order_release);
    return lane_due(lane);
}

/* The entry that this message is the echo of; NULL where it is none, or a damaged one. What is wrong has been said. */
static const struct load_entry *echo_verify(struct lane *lane, const struct load_entry *entry, const void *data,
                                            size_t length)
{
    struct payload expected = {.kind = PAYLOAD_KIND_REQUEST,
                               .tag = lane->tag,
                               .sequence = atomic_load_explicit(&lane->done, memory_order_relaxed),
                               .seed = lane->load->plan->seed,
                               .length = entry->length};
    struct payload found;
    enum payload_verdict verdict = payload_read(&expected, data, length, &found);
    const char *what = payload_verdict_text(verdict);

    switch (verdict) {
    case PAYLOAD_GOOD:
        return entry;
    case PAYLOAD_AHEAD:
        load_object(lane->load, lane, RESULT_ORDER, what);
        return echo_skip_to(lane, found.sequence);
    case PAYLOAD_AGAIN: /* What is due is still due. */
        load_object(lane->load, lane, RESULT_ORDER, what);
        return NULL;
    case PAYLOAD_WRONG_LENGTH:
    case PAYLOAD_WRONG_BYTES:
    case PAYLOAD_WRONG_KIND:
    case PAYLOAD_WRONG_TAG:
        break;
    }
    load_object(lane->load, lane, RESULT_DAMAGED, what);
    atomic_store_explicit(&lane->done, expected.sequence + 1, memory_order_release);
    return NULL;
}

void echo_message(struct lane *lane, const void *data, size_t length)
{
    uint64_t now_ns = clock_now_ns();
    const struct load_entry *entry;

    if (lane->load->plan->framing.kind == PIPEPORT_FRAMING_NONE) {
        echo_stream(lane, length, now_ns);
        return;
    }
    entry = lane_due(lane);
    if (entry == NULL) {
        load_object(lane->load, lane, RESULT_ORDER, "a message came where none was due");
        return;
    }
    if (lane->load->plan->verify) {
        entry = echo_verify(lane, entry, data, length);
    } else if (length != entry->length) {
        load_object(lane->load, lane, RESULT_DAMAGED, "a message came that is not as long as the one that was sent");
        atomic_store_explicit(&lane->done, atomic_load_explicit(&lane->done, memory_order_relaxed) + 1,
                              memory_order_release);
        entry = NULL;
    }
    if (entry != NULL) {
        lane_take(lane, entry, now_ns);
    }
    echo_go_on(lane, now_ns);
}

void one_way_sent(struct lane *lane, uint64_t bytes)
{
    const pipeport_framing *framing = &lane->load->plan->framing;
    uint64_t now_ns = clock_now_ns();
    const struct load_entry *entry;

    lane->came_bytes += bytes;
    while ((entry = lane_due(lane)) != NULL && lane->came_bytes >= framing_frame_bytes(framing, entry->length)) {
        lane->came_bytes -= framing_frame_bytes(framing, entry->length);
        lane_take(lane, entry, now_ns);
    }
    echo_go_on(lane, now_ns);
}
