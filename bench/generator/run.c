/* SPDX-License-Identifier: MIT */
#include "bench/generator/run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/generator/drive.h"
#include "bench/generator/machine.h"
#include "bench/generator/options.h"
#include "bench/generator/origin.h"
#include "bench/generator/report.h"
#include "bench/generator/text.h"
#include "tools/pipeport/interrupt.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/system.h"

#define RUN_COMMAND_BYTES 4096

/* What a result points to; static, as the command's own. */
struct run_texts {
    char command[RUN_COMMAND_BYTES], machine[256], began[32], name[64];
};

/* One run. */
static enum drive_end run_once(struct result *result)
{
    static struct load load; /* The events keep pointing at it. */
    struct result_run *run = &result->runs[result->runs_count];
    enum drive_end end = DRIVE_FAILED;

    if (load_create(&load, &result->plan, result->runs_count + 1)) {
        result->driver = pipeport_engine_driver(load.engine);
        end = drive(&load, run);
    }
    load_destroy(&load);
    result->interrupted |= end == DRIVE_INTERRUPTED;
    result->runs_count += end < DRIVE_FAILED;
    return end;
}

static int run_all(struct result *result)
{
    enum drive_end end = DRIVE_DONE;
    int code;

    while (end == DRIVE_DONE && result->runs_count < result->plan.repeat) {
        end = run_once(result);
        if (end >= DRIVE_FAILED) {
            return end == DRIVE_MISNAMED ? SAY_EXIT_USAGE : SAY_EXIT_FAIL;
        }
    }
    code = report_result(result);
    return end == DRIVE_BROKEN && code == SAY_EXIT_OK ? SAY_EXIT_FAIL : code;
}

/* Better before a long run than after it. */
static bool run_can_write(const char *path)
{
    bool can = path == NULL || text_can_save(path);

    if (!can) {
        say_error("run", "%s cannot be written: %s; give a file in a folder that is there and yours", path,
                  strerror(errno));
    }
    return can;
}

int run_main(int count, char **arguments)
{
    static struct result result;
    static struct run_texts texts;
    enum args_result read = options_read(count, arguments, &result.plan);
    int code;

    if (read != ARGS_GO) {
        return args_exit(read);
    }
    if (!run_can_write(result.plan.json) || !run_can_write(result.plan.hgrm) || !run_can_write(result.plan.html)) {
        return SAY_EXIT_FAIL;
    }
    if (!system_allows("run", result.plan.connections)) {
        return SAY_EXIT_FAIL;
    }
    origin_command(texts.command, sizeof texts.command, "run", count, arguments);
    origin_began(texts.began, sizeof texts.began);
    machine_describe(texts.machine, sizeof texts.machine);
    if (result.plan.self) {
        snprintf(texts.name, sizeof texts.name, "pipeport-bench-%" PRIu32, machine_process());
        result.plan.name = texts.name;
    }
    result.command = texts.command;
    result.machine = texts.machine;
    result.began = texts.began;
    result.version = pipeport_version();
    result.build = origin_build();
    result.driver = "";
    result.runs = calloc(result.plan.repeat, sizeof *result.runs);
    if (result.runs == NULL) {
        say_error("run", "there is not enough memory for the result");
        return SAY_EXIT_FAIL;
    }
    interrupt_watch();
    code = run_all(&result);
    result_clear(&result);
    return code;
}
