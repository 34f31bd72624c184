/* SPDX-License-Identifier: MIT */
#include "bench/generator/peers_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/generator/figure.h"
#include "engine/include/pipeport.h"

/* "io_uring", of "listening on X with io_uring"; "" where it does not say. */
static const char *peers_report_driver(const struct contest *contest)
{
    const char *with = strstr(contest->entrants[0].listening, " with ");

    return with == NULL ? "" : with + strlen(" with ");
}

static bool peers_report_is_in(const struct entrant *entrant)
{
    return entrant->state != ENTRANT_OUT && entrant->visits_count > 0;
}

static void peers_report_add_head(const struct contest *contest, struct text *text)
{
    const struct rival_task *task = &contest->plan.task;
    const char *driver = peers_report_driver(contest);
    struct figure connections, bytes;

    text_add(text, "pipeport %s%s%s%s beside its peers, on %s, %s\n", pipeport_version(), *driver == '\0' ? "" : " (",
             driver, *driver == '\0' ? "" : ")", contest->machine, contest->began);
    text_add(text, "%s, %s connection%s, %s, depth %" PRIu32 "; %" PRIu32 " round%s", rival_mode_text(task->mode),
             figure_count(&connections, task->connections), task->connections == 1 ? "" : "s",
             figure_bytes(&bytes, task->bytes), task->depth, contest->rounds_done,
             contest->rounds_done == 1 ? "" : "s");
    if (task->mode != RIVAL_IDLE) {
        text_add(text, " of %" PRIu32 " ms, each after %" PRIu32 " ms of warm-up", task->duration_ms, task->warmup_ms);
    }
    if (contest->arena.server_processor >= 0) {
        text_add(text, "; servers on processor %d, the load on %d", contest->arena.server_processor,
                 contest->arena.load_processor);
    }
    text_add(text, "\n%s\n", contest->interrupted ? "interrupted: this is what was measured until then\n" : "");
}

/* What is unstable, and how far apart it lies. */
static void peers_report_add_remark(const struct standing *figures, const struct standing *ratios, struct text *text)
{
    struct figure lowest, highest;

    if (standing_is_unstable(figures)) {
        text_add(text, "  %s to %s", figure_count(&lowest, (uint64_t) (figures->lowest + 0.5)),
                 figure_count(&highest, (uint64_t) (figures->highest + 0.5)));
    }
    if (standing_is_unstable(ratios)) {
        text_add(text, "%s ratios %.2f to %.2f", standing_is_unstable(figures) ? ";" : " ", ratios->lowest,
                 ratios->highest);
    }
}

static void peers_report_add_line(const struct contest *contest, const struct entrant *entrant, struct text *text)
{
    double values[CONTEST_ROUNDS_MAX];
    struct standing figures = standing_of(values, contest_figures(contest, entrant, values));
    struct standing cpu = standing_of(values, contest_cpu(entrant, values));
    struct standing ratios = contest_ratios(contest, entrant);
    struct figure median;

    text_add(text, "%-20s %18s %8.2f", entrant->rival->title,
             standing_is_unstable(&figures) ? "unstable" : figure_count(&median, (uint64_t) (figures.median + 0.5)),
             figures.spread);
    if (ratios.count == 0) {
        text_add(text, " %8s  %-13s", "-", "");
    } else if (entrant == &contest->entrants[0]) {
        text_add(text, " %8s  %-13s", "1", "");
    } else {
        char quartiles[32];

        snprintf(quartiles, sizeof quartiles, "(%.2f-%.2f)", ratios.low, ratios.high);
        text_add(text, " %8.2f  %-13s", ratios.median, quartiles);
    }
    if (cpu.count > 0) {
        text_add(text, " %12.3f", cpu.median);
    } else {
        text_add(text, " %12s", "-");
    }
    peers_report_add_remark(&figures, &ratios, text);
    if (entrant->state == ENTRANT_FAILED) {
        text_add(text, "  %" PRIu32 " of %" PRIu32 " rounds", entrant->visits_count, contest->rounds_done);
    }
    text_add(text, "\n");
}

/* Those that have no figures, or none any more. */
static void peers_report_add_absent(const struct contest *contest, struct text *text)
{
    for (uint32_t i = 0; i < contest->entrants_count; i++) {
        const struct entrant *entrant = &contest->entrants[i];

        if (entrant->state == ENTRANT_ABSENT) {
            text_add(text, "left out: %s: %s\n", entrant->rival->title, entrant->why);
        } else if (entrant->state == ENTRANT_FAILED) {
            text_add(text, "failed: %s %s\n", entrant->rival->title, entrant->why);
        }
    }
}

void peers_report_table(const struct contest *contest, struct text *text)
{
    bool any = false, unstable = false;

    peers_report_add_head(contest, text);
    for (uint32_t i = 0; i < contest->entrants_count; i++) {
        const struct entrant *entrant = &contest->entrants[i];
        double values[CONTEST_ROUNDS_MAX];
        struct standing figures;

        if (!peers_report_is_in(entrant)) {
            continue;
        }
        if (!any) {
            text_add(text, "%-20s %18s %8s %8s  %-13s %12s\n", "", rival_unit(contest->plan.task.mode), "spread",
                     "ratio", "(quartiles)", "CPU us each");
        }
        figures = standing_of(values, contest_figures(contest, entrant, values));
        unstable |= standing_is_unstable(&figures);
        any = true;
        peers_report_add_line(contest, entrant, text);
    }
    text_add(text, "%s\n", any ? "" : "nothing was measured");
    text_add(text, "ratio: pipeport's figure by the peer's, of each round%s; spread: the highest by the lowest round\n",
             contest->plan.task.mode == RIVAL_IDLE ? " (below 1 is better for it)" : "");
    if (unstable) {
        text_add(text, "unstable: no figure is claimed; try a quiet machine, a longer --duration, more --rounds\n");
    }
    peers_report_add_absent(contest, text);
}

void peers_report_list(const struct contest *contest, struct text *text)
{
    for (uint32_t i = 0; i < contest->entrants_count; i++) {
        const struct entrant *entrant = &contest->entrants[i];

        text_add(text, "%-13s %-55s %s\n", entrant->rival->word, entrant->rival->about,
                 entrant->state == ENTRANT_ABSENT ? entrant->why
                 : entrant->state == ENTRANT_OUT  ? "not chosen"
                                                  : "here");
    }
}

/* A number of which nothing is known is null. */
static void peers_report_add_number(struct text *text, const char *name, bool known, double number)
{
    text_add(text, "\"%s\": ", name);
    if (known) {
        text_add(text, "%.9g", number);
    } else {
        text_add(text, "null");
    }
}

static void peers_report_add_rounds(const struct contest *contest, const struct entrant *entrant, struct text *text)
{
    bool idle = contest->plan.task.mode == RIVAL_IDLE;

    text_add(text, "\"rounds\": [");
    for (uint32_t i = 0; i < entrant->visits_count; i++) {
        const struct visit *visit = &entrant->visits[i];
        const struct {
            const char *name;
            bool known;
            double number;
        } cells[] = {{"rate", !idle, visit->rate},
                     {"cpu_us", visit->cpu_us > 0, visit->cpu_us},
                     {"p50_us", !idle, visit->p50_us},
                     {"p90_us", !idle, visit->p90_us},
                     {"p99_us", !idle, visit->p99_us},
                     {"p999_us", !idle, visit->p999_us},
                     {"max_us", !idle, visit->max_us},
                     {"load_busy", visit->load_busy > 0, visit->load_busy},
                     {"memory_bytes", idle, visit->memory_bytes}};

        text_add(text, "%s\n        {", i == 0 ? "" : ",");
        for (size_t cell = 0; cell < sizeof cells / sizeof cells[0]; cell++) {
            peers_report_add_number(text, cells[cell].name, cells[cell].known, cells[cell].number);
            text_add(text, ", ");
        }
        text_add(text, "\"messages\": %" PRIu64 "}", visit->messages);
    }
    text_add(text, "%s]", entrant->visits_count == 0 ? "" : "\n      ");
}

static void peers_report_add_peer(const struct contest *contest, const struct entrant *entrant, struct text *text)
{
    static const char *const states[] = {"not chosen", "left out", "measured", "measured", "failed"};
    double values[CONTEST_ROUNDS_MAX];
    bool idle = contest->plan.task.mode == RIVAL_IDLE;
    struct standing figures = standing_of(values, contest_figures(contest, entrant, values));
    struct standing cpu = standing_of(values, contest_cpu(entrant, values));
    struct standing ratios = contest_ratios(contest, entrant);

    text_add(text, "    {\"peer\": \"%s\", \"title\": \"%s\", \"program\": \"%s\", \"load\": \"%s\",\n      ",
             entrant->rival->word, entrant->rival->title, entrant->rival->program, rival_load(entrant->rival));
    text_add(text, "\"state\": \"%s\", \"why\": ", states[entrant->state]);
    if (entrant->why[0] == '\0') {
        text_add(text, "null");
    } else {
        text_add_json(text, entrant->why);
    }
    text_add(text, ",\n      ");
    peers_report_add_number(text, "rate", !idle && figures.count > 0, figures.median);
    text_add(text, ", ");
    peers_report_add_number(text, "memory_bytes", idle && figures.count > 0, figures.median);
    text_add(text, ", ");
    peers_report_add_number(text, "spread", figures.count > 0, figures.spread);
    text_add(text, ", ");
    peers_report_add_number(text, "cpu_us", cpu.count > 0, cpu.median);
    text_add(text, ",\n      ");
    peers_report_add_number(text, "ratio", ratios.count > 0, ratios.median);
    if (ratios.count > 0) {
        text_add(text, ", \"quartiles\": [%.9g, %.9g], ", ratios.low, ratios.high);
    } else {
        text_add(text, ", \"quartiles\": null, ");
    }
    peers_report_add_number(text, "ratio_spread", ratios.count > 0, ratios.spread);
    text_add(text, ",\n      ");
    peers_report_add_rounds(contest, entrant, text);
    text_add(text, "}");
}

static void peers_report_add_processor(struct text *text, const char *name, int processor)
{
    peers_report_add_number(text, name, processor >= 0, processor);
    text_add(text, ", ");
}

void peers_report_json(const struct contest *contest, struct text *text)
{
    const struct rival_task *task = &contest->plan.task;
    bool idle = task->mode == RIVAL_IDLE, first = true;

    text_add(text, "{\n  \"format\": \"%s\", \"format_version\": %d,\n  \"command\": ", PEERS_REPORT_FORMAT,
             PEERS_REPORT_VERSION);
    text_add_json(text, contest->command);
    text_add(text, ",\n  \"machine\": ");
    text_add_json(text, contest->machine);
    text_add(text, ",\n  \"began\": \"%s\", \"version\": \"%s\", \"driver\": ", contest->began, pipeport_version());
    text_add_json(text, peers_report_driver(contest));
    text_add(text, ", \"interrupted\": %s,\n  \"mode\": \"%s\", \"unit\": \"%s\", \"connections\": %" PRIu32,
             contest->interrupted ? "true" : "false", rival_mode_text(task->mode), rival_unit(task->mode),
             task->connections);
    text_add(text, ", \"depth\": %" PRIu32 ", \"bytes\": %" PRIu32 ",\n  ", task->depth, task->bytes);
    peers_report_add_number(text, "duration_ms", !idle, task->duration_ms);
    text_add(text, ", ");
    peers_report_add_number(text, "warmup_ms", !idle, task->warmup_ms);
    text_add(text, ", ");
    peers_report_add_processor(text, "server_processor", contest->arena.server_processor);
    peers_report_add_processor(text, "load_processor", contest->arena.load_processor);
    text_add(text, "\"rounds_done\": %" PRIu32 ",\n  \"peers\": [\n", contest->rounds_done);
    for (uint32_t i = 0; i < contest->entrants_count; i++) {
        if (contest->entrants[i].state != ENTRANT_OUT) {
            text_add(text, "%s", first ? "" : ",\n");
            peers_report_add_peer(contest, &contest->entrants[i], text);
            first = false;
        }
    }
    text_add(text, "\n  ]\n}\n");
}
