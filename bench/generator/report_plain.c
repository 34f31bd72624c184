/* SPDX-License-Identifier: MIT */
/* report_plain.c - the figures of the median run, a line each. */
#include "bench/generator/report.h"

#include <inttypes.h>

#include "tools/pipeport/say.h"

int report_result(const struct result *result)
{
    const struct result_run *run = result_median(result);
    struct say_room p50, p99, longest;

    if (run == NULL) {
        return SAY_EXIT_FAIL;
    }
    say("%s, %s, pipeport %s with %s", result->machine, result->began, result->version, result->driver);
    say("messages: %" PRIu64 ", %.0f/s, %" PRIu64 " bytes", run->messages, result_rate(run), run->bytes);
    say("service: p50 %s, p99 %s, longest %s", say_duration(&p50, histogram_share_ns(run->service, 0.5)),
        say_duration(&p99, histogram_share_ns(run->service, 0.99)),
        say_duration(&longest, histogram_longest_ns(run->service)));
    say("corrected: p50 %s, p99 %s, longest %s", say_duration(&p50, histogram_share_ns(run->corrected, 0.5)),
        say_duration(&p99, histogram_share_ns(run->corrected, 0.99)),
        say_duration(&longest, histogram_longest_ns(run->corrected)));
    if (run->last != NULL) {
        say("last receiver: p50 %s, p99 %s, longest %s", say_duration(&p50, histogram_share_ns(run->last, 0.5)),
            say_duration(&p99, histogram_share_ns(run->last, 0.99)),
            say_duration(&longest, histogram_longest_ns(run->last)));
    }
    say("connecting: p50 %s, longest %s; most at once %" PRIu32 "; killed %" PRIu64,
        say_duration(&p50, histogram_share_ns(run->connecting, 0.5)),
        say_duration(&longest, histogram_longest_ns(run->connecting)), run->connected, run->killed);
    say("planned: %" PRIu64 ", late p50 %s, p99 %s", run->planned, say_duration(&p50, run->late_p50_ns),
        say_duration(&p99, run->late_p99_ns));
    say("cpu: client %.3f s, server %.3f s; a connection costs the server %" PRIu64 " bytes",
        (double) run->client_cpu_ns / 1e9, (double) run->server_cpu_ns / 1e9, run->server_idle_bytes);
    say("errors: %" PRIu64 " (connect %" PRIu64 ", lost %" PRIu64 ", refused %" PRIu64 ", damaged %" PRIu64
        ", order %" PRIu64 ", missing %" PRIu64 ")",
        result_errors(run), run->errors[RESULT_CONNECT], run->errors[RESULT_LOST], run->errors[RESULT_REFUSED],
        run->errors[RESULT_DAMAGED], run->errors[RESULT_ORDER], run->errors[RESULT_MISSING]);
    return result_errors(run) == 0 ? SAY_EXIT_OK : SAY_EXIT_FAIL;
}
