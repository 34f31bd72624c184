/* SPDX-License-Identifier: MIT */
#include "bench/generator/peers.h"

#include <errno.h>
#include <string.h>

#include "bench/generator/contest.h"
#include "bench/generator/machine.h"
#include "bench/generator/origin.h"
#include "bench/generator/peers_options.h"
#include "bench/generator/peers_report.h"
#include "tools/pipeport/interrupt.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/system.h"

#define PEERS_COMMAND_BYTES 4096

/* What a contest points to; static, as the command's own. */
struct peers_texts {
    char command[PEERS_COMMAND_BYTES], machine[256], began[32];
};

static bool peers_save(const struct contest *contest)
{
    struct text text = {NULL, 0, 0, false};
    bool saved;

    peers_report_json(contest, &text);
    saved = text_save(&text, contest->plan.json);
    if (!saved) {
        say_error("peers", "%s could not be written: %s", contest->plan.json,
                  text.failed ? "no memory" : strerror(errno));
    }
    text_clear(&text);
    return saved;
}

static int peers_compare(struct contest *contest)
{
    struct text text = {NULL, 0, 0, false};
    bool fine;

    if (contest->plan.json != NULL && !text_can_save(contest->plan.json)) {
        say_error("peers", "%s cannot be written: %s; give a file in a folder that is there and yours",
                  contest->plan.json, strerror(errno));
        return SAY_EXIT_FAIL;
    }
    if (!system_allows("peers", contest->plan.task.connections)) { /* What it may open the servers and the load may. */
        return SAY_EXIT_FAIL;
    }
    if (!contest_run(contest)) {
        return SAY_EXIT_FAIL;
    }
    fine = contest_is_fine(contest);
    fine = (contest->plan.json == NULL || peers_save(contest)) && fine;
    peers_report_table(contest, &text);
    fine = text_print(&text) && fine;
    text_clear(&text);
    return fine ? SAY_EXIT_OK : SAY_EXIT_FAIL;
}

static int peers_list(const struct contest *contest)
{
    struct text text = {NULL, 0, 0, false};
    bool printed;

    peers_report_list(contest, &text);
    printed = text_print(&text);
    text_clear(&text);
    return printed ? SAY_EXIT_OK : SAY_EXIT_FAIL;
}

int peers_main(int count, char **arguments)
{
    static struct contest contest;
    static struct peers_texts texts;
    enum args_result read = peers_options_read(count, arguments, &contest.plan);
    int code = SAY_EXIT_FAIL;

    if (read != ARGS_GO) {
        return args_exit(read);
    }
    origin_command(texts.command, sizeof texts.command, "peers", count, arguments);
    origin_began(texts.began, sizeof texts.began);
    machine_describe(texts.machine, sizeof texts.machine);
    contest.command = texts.command;
    contest.began = texts.began;
    contest.machine = texts.machine;
    interrupt_watch(); /* Before there is anything to be left behind. */
    if (contest_open(&contest)) {
        code = contest.plan.list ? peers_list(&contest) : peers_compare(&contest);
    }
    contest_clear(&contest);
    return code;
}
