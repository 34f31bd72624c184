/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "tools/pipeport/say.h"
#include "tools/pipeport/swarm.h"

#define REPORT_UNFINISHED_SAID 5

/* The sum over all connections. */
struct report {
    uint64_t echoed, due, broadcasts; /* Verified; messages that are to be. */
    uint64_t echo_last_ns, broadcast_first_ns, broadcast_last_ns;
    uint64_t accepted_bytes, sent_bytes, discarded_bytes, came_bytes, received_bytes;
    uint32_t unfinished;
};

static uint64_t report_later(uint64_t left, uint64_t right)
{
    return left > right ? left : right;
}

static void report_add(struct report *report, const struct swarm_client *client)
{
    report->echoed += client->echoed;
    report->due += client->swarm->options.topics > 0 ? client->due : client->swarm->options.messages;
    report->broadcasts += client->broadcasts;
    report->echo_last_ns = report_later(report->echo_last_ns, client->echo_last_ns);
    report->broadcast_last_ns = report_later(report->broadcast_last_ns, client->broadcast_last_ns);
    if (client->broadcasts > 0 &&
        (report->broadcast_first_ns == 0 || client->broadcast_first_ns < report->broadcast_first_ns)) {
        report->broadcast_first_ns = client->broadcast_first_ns;
    }
    report->accepted_bytes += client->accepted_bytes;
    if (client->first_accepted) {
        report->accepted_bytes += swarm_send_frame(client, 0);
    }
    report->sent_bytes += client->end.bytes_sent;
    report->discarded_bytes += client->end.bytes_discarded;
    report->came_bytes += client->came_bytes;
    report->received_bytes += client->end.bytes_received;
}

/* From the first request on, or from the first broadcast where nobody asked for anything. */
static void report_say_bytes(const struct swarm *swarm, const struct report *report)
{
    uint64_t began_ns = swarm->options.messages > 0 ? swarm->start_ns : report->broadcast_first_ns;
    uint64_t ended_ns = report_later(report->echo_last_ns, report->broadcast_last_ns);
    struct say_room amount, rate;

    if (ended_ns > began_ns && began_ns > 0 && report->came_bytes > 0) {
        say("received: %s with frames and broadcasts, %s/s", say_bytes(&amount, (double) report->came_bytes),
            say_bytes(&rate, say_rate(report->came_bytes, ended_ns - began_ns)));
    }
}

static void report_say_messages(const struct swarm *swarm, const struct report *report)
{
    uint64_t took_ns = report->echo_last_ns > swarm->start_ns ? report->echo_last_ns - swarm->start_ns : 0;
    bool topics = swarm->options.topics > 0, one_way = swarm_is_one_way(swarm);
    struct say_room room, p99, longest;

    if (swarm->start_ns == 0 || swarm->options.messages == 0) {
        return;
    }
    say("messages: %" PRIu64 " of %" PRIu64 " %s in %s, %.0f messages/s", report->echoed, report->due,
        topics    ? "delivered"
        : one_way ? "taken"
                  : "echoed",
        say_duration(&room, took_ns), say_rate(report->echoed, took_ns));
    if (report->echoed == 0) {
        return;
    }
    say("%s: p50 %s, p99 %s, max %s",
        topics    ? "published to its last receiver"
        : one_way ? "sent to taken by the system"
                  : "round trip",
        say_duration(&room, histogram_share_ns(swarm->round_trips, 0.50)),
        say_duration(&p99, histogram_share_ns(swarm->round_trips, 0.99)),
        say_duration(&longest, histogram_longest_ns(swarm->round_trips)));
}

static void report_say_broadcasts(const struct swarm *swarm, const struct report *report)
{
    uint64_t took_ns = report->broadcast_last_ns - report->broadcast_first_ns, sum_ns = 0, slowest_ns = 0;
    struct say_room room, p99, longest;

    if (report->broadcasts == 0) {
        return;
    }
    say("broadcasts: %" PRIu64 " deliveries in %s, %.0f deliveries/s from the first to the last", report->broadcasts,
        say_duration(&room, took_ns), say_rate(report->broadcasts, took_ns));
    if (histogram_count(swarm->delays) == 0) {
        return; /* Of bytes without messages, which do not say when they were made. */
    }
    say("broadcast delay, made to received: p50 %s, p99 %s, max %s",
        say_duration(&room, histogram_share_ns(swarm->delays, 0.50)),
        say_duration(&p99, histogram_share_ns(swarm->delays, 0.99)),
        say_duration(&longest, histogram_longest_ns(swarm->delays)));
    if (swarm->slowest_ns == NULL || swarm->options.broadcasts == 0) {
        return;
    }
    for (uint32_t i = 0; i < swarm->options.broadcasts; i++) {
        uint64_t ns = atomic_load_explicit(&swarm->slowest_ns[i], memory_order_relaxed);

        sum_ns += ns;
        slowest_ns = report_later(slowest_ns, ns);
    }
    say("broadcast reached its last receiver after %s on average, %s at most",
        say_duration(&room, sum_ns / swarm->options.broadcasts), say_duration(&longest, slowest_ns));
}

static bool report_balance(const char *what, uint64_t left, const char *left_name, uint64_t right,
                           const char *right_name)
{
    say("accounting: %s: %" PRIu64 " %s %s %" PRIu64 " %s", what, left, left_name, left == right ? "=" : "IS NOT",
        right, right_name);
    return left == right;
}

static bool report_say_accounting(const struct swarm *swarm, const struct report *report)
{
    bool whole = !swarm->timed_out && !swarm->interrupted && report->unfinished == 0 &&
                 atomic_load(&swarm->errors) == 0 &&
                 (report->broadcasts == 0 || swarm->options.broadcasts != SWARM_ANY_BROADCASTS);
    pipeport_engine_figures figures = {.size = sizeof(figures)};
    char parts[64];
    bool balanced;

    if (pipeport_engine_stats(swarm->engine, &figures) != PIPEPORT_OK) {
        say_error("swarm", "the engine gives no figures");
        return false;
    }
    balanced = report_balance("operations", figures.operations_armed, "armed", figures.operations_done, "done");
    balanced &= report_balance("connections", atomic_load(&swarm->opened), "opened", atomic_load(&swarm->closed),
                               "closed");
    snprintf(parts, sizeof(parts), "(%" PRIu64 " sent, %" PRIu64 " discarded)", report->sent_bytes,
             report->discarded_bytes);
    balanced &= report_balance("bytes", report->accepted_bytes, "accepted",
                               report->sent_bytes + report->discarded_bytes, parts);
    /* Who closes while somebody still sends may well close in the middle of a message. */
    if (whole) {
        balanced &= report_balance("bytes", report->received_bytes, "received", report->came_bytes,
                                   "in whole messages");
    }
    return balanced;
}

static uint64_t report_sent(const struct swarm_client *client)
{
    bool first_is_out = client->swarm->options.topics == 0 && client->sent > 0 && !client->first_accepted;

    return client->sent - first_is_out;
}

static void report_say_unfinished(const struct swarm *swarm, const struct report *report)
{
    uint32_t said = 0;

    for (uint32_t i = 0; i < swarm->options.connections && said < REPORT_UNFINISHED_SAID; i++) {
        const struct swarm_client *client = &swarm->clients[i];

        if (atomic_load(&client->over)) {
            continue;
        }
        if (client->opened_ns == 0) {
            say_error("swarm", "connection %" PRIu32 ": not connected", client->tag);
        } else {
            say_error("swarm",
                      "connection %" PRIu32 ": %" PRIu64 " sent, %" PRIu64 " of %" PRIu64 " %s, %" PRIu64 " broadcasts",
                      client->tag, report_sent(client), client->echoed,
                      swarm->options.topics > 0 ? client->due : swarm->options.messages,
                      swarm->options.topics > 0 ? "come"
                      : swarm_is_one_way(swarm) ? "taken"
                                                : "echoed",
                      client->broadcasts);
        }
        said++;
    }
    if (report->unfinished > said) {
        say_error("swarm", "... and %" PRIu32 " more connections unfinished", report->unfinished - said);
    }
}

/* What a human wants to know of the sizes. */
static void report_sizes(const struct args_sizes *sizes, uint32_t *least, uint32_t *most)
{
    *least = UINT32_MAX;
    *most = 0;
    for (uint32_t i = 0; i < sizes->count; i++) {
        *least = sizes->bytes[i] < *least ? sizes->bytes[i] : *least;
        *most = sizes->bytes[i] > *most ? sizes->bytes[i] : *most;
    }
}

static void report_say_verified(const struct swarm *swarm, const struct report *report, uint32_t least, uint32_t most)
{
    const struct swarm_options *options = &swarm->options;

    if (options->topics > 0) {
        say("verified: %" PRIu32 " connections, %" PRIu64 " messages of %" PRIu32 " to %" PRIu32 " bytes to %" PRIu32
            " topics, %" PRIu64 " deliveries to who had subscribed and none to others; none lost, doubled, out of "
            "order or corrupt",
            options->connections, (uint64_t) options->messages * options->connections, least, most, options->topics,
            report->echoed);
    } else if (swarm_is_one_way(swarm)) {
        say("verified: %" PRIu32 " connections, %" PRIu64 " messages of %" PRIu32 " to %" PRIu32
            " bytes sent and taken whole; what came of them is the server's to verify",
            options->connections, report->echoed, least, most);
    } else {
        say("verified: %" PRIu32 " connections, %" PRIu64 " messages of %" PRIu32 " to %" PRIu32
            " bytes there and back, %" PRIu64 " broadcast deliveries; none lost, doubled, out of order or corrupt",
            options->connections, report->echoed, least, most, report->broadcasts);
    }
}

static bool report_verdict(const struct swarm *swarm, const struct report *report, bool balanced)
{
    uint64_t errors = atomic_load(&swarm->errors);
    uint32_t least, most;

    report_sizes(&swarm->options.sizes, &least, &most);
    report_say_unfinished(swarm, report);
    if (errors > 0) {
        say_error("swarm", "%" PRIu64 " connections went wrong (seed %" PRIu32 ")", errors, swarm->options.seed);
    }
    if (swarm->timed_out) {
        say_error("swarm", "nothing came for %" PRIu32 " s (--timeout)", swarm->options.timeout_s);
    }
    if (swarm->interrupted) {
        say_error("swarm", "interrupted: %" PRIu64 " messages and %" PRIu64 " broadcasts were right until then",
                  report->echoed, report->broadcasts);
    }
    if (!balanced) {
        say_error("swarm", "the accounting does not balance; that is a fault in the library");
    }
    if (swarm_is_one_way(swarm) && report->discarded_bytes > 0 && !swarm->interrupted) {
        say_error("swarm", "%" PRIu64 " bytes that were sent were not taken", report->discarded_bytes);
        return false;
    }
    if (errors > 0 || swarm->timed_out || swarm->interrupted || !balanced || report->unfinished > 0) {
        return false;
    }
    report_say_verified(swarm, report, least, most);
    return true;
}

void swarm_report_connected(const struct swarm *swarm)
{
    uint32_t opened = atomic_load(&swarm->opened);
    uint64_t last_ns = swarm->dial_ns;
    struct say_room room;

    for (uint32_t i = 0; i < swarm->options.connections; i++) {
        last_ns = report_later(last_ns, swarm->clients[i].opened_ns);
    }
    say("connected: %" PRIu32 " of %" PRIu32 " in %s, %.0f connections/s", opened, swarm->options.connections,
        say_duration(&room, last_ns - swarm->dial_ns), say_rate(opened, last_ns - swarm->dial_ns));
    say("driver: %s", pipeport_engine_driver(swarm->engine));
}

bool swarm_report(struct swarm *swarm)
{
    struct report report = {0};
    bool balanced;

    for (uint32_t i = 0; i < swarm->options.connections; i++) {
        report_add(&report, &swarm->clients[i]);
        report.unfinished += !atomic_load(&swarm->clients[i].over);
    }
    if (!swarm->all_connected) {
        swarm_report_connected(swarm);
    }
    report_say_messages(swarm, &report);
    report_say_bytes(swarm, &report);
    report_say_broadcasts(swarm, &report);
    balanced = report_say_accounting(swarm, &report);
    return report_verdict(swarm, &report, balanced);
}
