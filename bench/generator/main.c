/* SPDX-License-Identifier: MIT */
/*
 * pipeport-bench - loads a server on a named pipe, ours or anybody's, and tells how it bore that. It uses pipeport.h
 * and nothing else of the library.
 */
#include <stdio.h>
#include <string.h>

#include "bench/generator/peers.h"
#include "bench/generator/report.h"
#include "bench/generator/run.h"
#include "bench/generator/self.h"
#include "engine/include/pipeport.h"
#include "tools/pipeport/say.h"

#define MAIN_PROGRAM "pipeport-bench"

struct main_command {
    const char *name, *usage;
    const char *text; /* NULL: it is not for people. */
    int (*run)(int count, char **arguments);
};

static const struct main_command main_commands[] = {
    {"run", "[NAME]", "load a server; --self for one of our own", run_main},
    {"peers", "", "compare pipeport with other servers, in one run", peers_main},
    {"compare", "A.json B.json", "say what changed, and whether it is more than noise", compare_main},
    {"completion", "bash", "print the script that completes this program's words", completion_main},
    {"serve-self", "NAME", NULL, self_main},
};
#define MAIN_COMMANDS (sizeof(main_commands) / sizeof(main_commands[0]))

static int main_help(void)
{
    char command[64];

    printf("%s COMMAND [options]\n\nA load generator for message servers on named pipes.\n\n", MAIN_PROGRAM);
    for (size_t i = 0; i < MAIN_COMMANDS; i++) {
        if (main_commands[i].text != NULL) {
            snprintf(command, sizeof command, "%s %s", main_commands[i].name, main_commands[i].usage);
            printf("  %-24s  %s\n", command, main_commands[i].text);
        }
    }
    printf("  %-24s  %s\n  %-24s  %s\n  %-24s  %s\n\n", "COMMAND --help", "all options of a command", "--help", "this",
           "--version", "the version of the program, and of the library in it");
    printf("Exit codes: 0 all right, 1 something was wrong, 2 wrong arguments.\n\n"
           "To see it work:\n"
           "  %s run --self --connections 255 --duration 5s\n"
           "  %s run NAME --rate 10K --size 64*9,4K*1 --verify \\\n"
           "      --json a.json --html a.html\n",
           MAIN_PROGRAM, MAIN_PROGRAM);
    fflush(stdout);
    return SAY_EXIT_OK;
}

int main(int count, char **arguments)
{
    const char *word = count > 1 ? arguments[1] : NULL;

    say_program(MAIN_PROGRAM);
    if (word == NULL) {
        fprintf(stderr, "%s: no command; '%s --help' lists them\n", MAIN_PROGRAM, MAIN_PROGRAM);
        return SAY_EXIT_USAGE;
    }
    for (size_t i = 0; i < MAIN_COMMANDS; i++) {
        if (strcmp(word, main_commands[i].name) == 0) {
            return main_commands[i].run(count - 2, arguments + 2);
        }
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        return main_help();
    }
    if (strcmp(word, "--version") == 0) {
        say("%s %d.%d.%d (library %s)", MAIN_PROGRAM, PIPEPORT_VERSION_MAJOR, PIPEPORT_VERSION_MINOR,
            PIPEPORT_VERSION_PATCH, pipeport_version());
        return SAY_EXIT_OK;
    }
    fprintf(stderr, "%s: unknown command '%s'; '%s --help' lists them\n", MAIN_PROGRAM, word, MAIN_PROGRAM);
    return SAY_EXIT_USAGE;
}
