/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "tools/pipeport/say.h"
#include "tools/pipeport/serve.h"

static uint64_t books_read(const _Atomic uint64_t *sum)
{
    return atomic_load_explicit(sum, memory_order_acquire);
}

/* Why connections ended, in one line. */
static void books_say_ends(const struct serve *serve)
{
    for (int why = 0; why < SERVE_STATUSES; why++) {
        uint64_t count = books_read(&serve->ended[why]);

        if (count > 0) {
            say("  %" PRIu64 " ended with status %d: %s", count, why,
                why == PIPEPORT_OK ? "closed by this side" : pipeport_status_text((pipeport_status) why));
        }
    }
}

static void books_say_memory(const struct serve *serve, const pipeport_engine_figures *figures)
{
    struct say_room before, most, peak;

    if (serve->memory_open == 0) {
        return;
    }
    say("memory: %.0f bytes a connection (the engine's memory: %s with %" PRIu64
        " open, least seen, less %s with none, "
        "over %" PRIu64 "); %s at most",
        ((double) serve->memory_most - (double) serve->memory_before) / (double) serve->memory_open,
        say_bytes(&most, (double) serve->memory_most), serve->memory_open,
        say_bytes(&before, (double) serve->memory_before), serve->memory_open,
        say_bytes(&peak, (double) figures->memory_bytes_peak));
}

static void books_say_traffic(const struct serve *serve)
{
    struct say_room in, out, room;

    say("connections: %" PRIu64 " opened, %" PRIu64 " closed, %" PRIu64 " at most at one time",
        books_read(&serve->opened), books_read(&serve->closed), books_read(&serve->open_most));
    books_say_ends(serve);
    say("messages: %" PRIu64 " in (%s), %" PRIu64 " out (%s), %" PRIu64 " waited for a full queue",
        books_read(&serve->messages_in), say_bytes(&in, (double) books_read(&serve->messages_in_bytes)),
        books_read(&serve->messages_out), say_bytes(&out, (double) books_read(&serve->messages_out_bytes)),
        books_read(&serve->waited));
    if (serve->options.topics) {
        serve_topics_books(serve);
    }
    if (serve->options.verify) {
        serve_verify_books(serve);
    }
    if (serve->broadcasts > 0) {
        say("broadcasts: %" PRIu64 " of %" PRIu32 " bytes, %" PRIu64 " deliveries queued in %s of calls (%.0f/s), "
            "%" PRIu64 " refused by a full queue, %" PRIu64 " dropped, %" PRIu64 " closed as slow",
            serve->broadcasts, serve->options.broadcast_bytes, serve->deliveries,
            say_duration(&room, serve->broadcast_call_ns), say_rate(serve->deliveries, serve->broadcast_call_ns),
            serve->deliveries_refused, serve->deliveries_dropped, serve->slow_peers);
    }
}

static bool books_balance(const char *what, uint64_t left, const char *left_name, uint64_t right,
                          const char *right_name)
{
    say("accounting: %s: %" PRIu64 " %s %s %" PRIu64 " %s", what, left, left_name, left == right ? "=" : "IS NOT",
        right, right_name);
    return left == right;
}

bool serve_books_close(struct serve *serve)
{
    pipeport_engine_figures figures = {.size = sizeof(figures)};
    uint64_t sent = books_read(&serve->sent_bytes), discarded = books_read(&serve->discarded_bytes);
    struct say_room room;
    char parts[64];
    bool balanced;

    if (pipeport_engine_stats(serve->engine, &figures) != PIPEPORT_OK) {
        say_error("serve", "the engine gives no figures");
        return false;
    }
    snprintf(parts, sizeof(parts), "(%" PRIu64 " sent, %" PRIu64 " discarded)", sent, discarded);
    say("ran for %s", say_duration(&room, serve->ran_ns));
    books_say_traffic(serve);
    books_say_memory(serve, &figures);
    balanced = books_balance("operations", figures.operations_armed, "armed", figures.operations_done, "done");
    balanced &= books_balance("connections", books_read(&serve->opened), "opened", books_read(&serve->closed),
                              "closed");
    balanced &= books_balance("bytes", books_read(&serve->accepted_bytes), "accepted", sent + discarded, parts);
    say("accounting: blocks: %" PRIu64 " allocated, %" PRIu64 " freed, %" PRIu64 " (%s) the engine's until it ends",
        figures.allocations, figures.frees, figures.allocations - figures.frees,
        say_bytes(&room, (double) figures.memory_bytes));
    if (balanced) {
        say("accounting balances");
    } else {
        say_error("serve", "the accounting does not balance; that is a fault in the library");
    }
    return balanced;
}
