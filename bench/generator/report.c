/* SPDX-License-Identifier: MIT */
#include "bench/generator/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/generator/assertions.h"
#include "bench/generator/comparison.h"
#include "bench/generator/hgrm.h"
#include "bench/generator/page.h"
#include "bench/generator/record.h"
#include "bench/generator/summary.h"
#include "tools/pipeport/say.h"

#define REPORT_SIDES_MAX 16

/* Whole or not at all said to be: false with a line on stderr. */
static bool report_save(struct text *text, const char *path)
{
    bool saved = text_save(text, path);

    if (!saved) {
        say_error("run", "%s could not be written: %s", path, text->failed ? "no memory" : strerror(errno));
    }
    text_clear(text);
    return saved;
}

static bool report_files(const struct result *result)
{
    const struct result_run *median = result_median(result);
    struct text text = {NULL, 0, 0, false};
    bool saved = true;

    if (result->plan.json != NULL) {
        record_write(result, &text);
        saved = report_save(&text, result->plan.json) && saved;
    }
    if (result->plan.hgrm != NULL) {
        hgrm_write(median == NULL ? NULL : median->corrected, &text);
        saved = report_save(&text, result->plan.hgrm) && saved;
    }
    if (result->plan.html != NULL) {
        page_write(result, &text);
        saved = report_save(&text, result->plan.html) && saved;
    }
    return saved;
}

/* The exit code that the assertions ask for. */
static int report_assertions(const struct result *result, struct text *text)
{
    struct assertions assertions;
    struct assertions_fault fault;
    uint32_t failed;

    if (!assertions_read(result->plan.assertions, &assertions, &fault)) {
        say_error("run", "--assert: %s", fault.text);
        return SAY_EXIT_USAGE;
    }
    failed = assertions_check(&assertions, result, text);
    if (failed == 0) {
        text_add(text, "%-14sall %u hold\n", "assertions", (unsigned) assertions.count);
    }
    return failed == 0 ? SAY_EXIT_OK : SAY_EXIT_FAIL;
}

int report_result(const struct result *result)
{
    struct text text = {NULL, 0, 0, false};
    bool saved = report_files(result), printed;
    int code = SAY_EXIT_OK;

    summary_write(result, &text);
    if (result->plan.assertions != NULL) {
        code = report_assertions(result, &text);
    } else {
        for (uint32_t i = 0; i < result->runs_count; i++) {
            code = result_errors(&result->runs[i]) > 0 ? SAY_EXIT_FAIL : code;
        }
    }
    printed = text_print(&text);
    text_clear(&text);
    return (saved && printed) || code != SAY_EXIT_OK ? code : SAY_EXIT_FAIL;
}

static const char report_compare_help[] =
    "%s compare A.json B.json [...]\n"
    "\n"
    "Says what changed from A to B, and to each further one, and whether it is more\n"
    "than noise. The files are what --json wrote. A change is called where each side\n"
    "has 3 runs or more (--repeat), all runs of the one lie beyond all of the other,\n"
    "and the ratio of the medians is above that of the highest run to the lowest of\n"
    "either side; with fewer runs it says 'cannot tell'. Errors where there were\n"
    "none, and none where there were some, are called after a single run.\n"
    "\n"
    "Exit codes: 0 compared, whatever came out; 1 a file could not be read; 2 wrong\n"
    "arguments.\n";

static int report_compare_files(int count, char **paths)
{
    struct result results[REPORT_SIDES_MAX];
    struct text text = {NULL, 0, 0, false};
    struct record_fault fault;
    int loaded = 0, code = SAY_EXIT_OK;

    while (loaded < count && code == SAY_EXIT_OK) {
        if (record_load(paths[loaded], &results[loaded], &fault)) {
            loaded++;
        } else {
            say_error("compare", "%s", fault.text);
            code = SAY_EXIT_FAIL;
        }
    }
    for (int i = 1; i < count && code == SAY_EXIT_OK; i++) {
        struct comparison_side from = {paths[0], &results[0]}, to = {paths[i], &results[i]};

        text_add(&text, "%s", i == 1 ? "" : "\n");
        comparison_write(&from, &to, &text);
    }
    if (code == SAY_EXIT_OK && !text_print(&text)) {
        code = SAY_EXIT_FAIL;
    }
    for (int i = 0; i < loaded; i++) {
        result_clear(&results[i]);
    }
    text_clear(&text);
    return code;
}

int compare_main(int count, char **arguments)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0) {
            printf(report_compare_help, say_program_name());
            fflush(stdout);
            return SAY_EXIT_OK;
        }
        if (arguments[i][0] == '-' && arguments[i][1] != '\0') {
            say_error("compare", "unknown option '%s'; give two files that --json wrote, or more", arguments[i]);
            return SAY_EXIT_USAGE;
        }
    }
    if (count < 2 || count > REPORT_SIDES_MAX) {
        say_error("compare", "%d files; give 2 to %d that --json wrote", count, REPORT_SIDES_MAX);
        return SAY_EXIT_USAGE;
    }
    return report_compare_files(count, arguments);
}
