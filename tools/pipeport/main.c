/* SPDX-License-Identifier: MIT */
/*
 * pipeport - the library's own program: serve a pipe, and try one hard. It uses pipeport.h and nothing else, so that
 * what it can do, everybody's program can.
 */
#include <stdio.h>
#include <string.h>

#include "engine/include/pipeport.h"
#include "tools/pipeport/say.h"
#include "tools/pipeport/serve.h"
#include "tools/pipeport/swarm.h"

static const char main_help[] = "pipeport COMMAND NAME [options]\n"
                                "\n"
                                "Message servers and clients on named pipes.\n"
                                "\n"
                                "  pipeport serve NAME    serve a pipe: echo, swallow, broadcast, pass topics on\n"
                                "  pipeport swarm NAME    connect many clients to it and verify every message\n"
                                "  pipeport serve --help, pipeport swarm --help\n"
                                "                         all options of a command\n"
                                "  pipeport --help        this\n"
                                "  pipeport --version     the version of the program and of the library in it\n"
                                "\n"
                                "A NAME is 1-200 bytes of UTF-8 without slashes and backslashes; on Windows it\n"
                                "becomes \\\\.\\pipe\\NAME.\n"
                                "Exit codes: 0 all right, 1 something failed, 2 wrong arguments.\n"
                                "\n"
                                "To see it work, in two shells:\n"
                                "  pipeport serve demo --echo --broadcast-every 20 --broadcasts 100 \\\n"
                                "      --wait-for 255 --until-empty\n"
                                "  pipeport swarm demo --connections 255 --messages 200 --size 0,64,4K,1M \\\n"
                                "      --broadcasts 100\n";

static int main_serve_help(void)
{
    serve_help();
    return SAY_EXIT_OK;
}

static int main_swarm_help(void)
{
    swarm_help();
    return SAY_EXIT_OK;
}

static int main_help_for(int count, char **arguments)
{
    if (count > 0 && strcmp(arguments[0], "serve") == 0) {
        return main_serve_help();
    }
    if (count > 0 && strcmp(arguments[0], "swarm") == 0) {
        return main_swarm_help();
    }
    fputs(main_help, stdout);
    fflush(stdout);
    return SAY_EXIT_OK;
}

int main(int count, char **arguments)
{
    const char *command = count > 1 ? arguments[1] : NULL;

    if (command == NULL) {
        fprintf(stderr, "pipeport: no command; 'pipeport --help' lists them\n");
        return SAY_EXIT_USAGE;
    }
    if (strcmp(command, "serve") == 0) {
        return serve_main(count - 2, arguments + 2);
    }
    if (strcmp(command, "swarm") == 0) {
        return swarm_main(count - 2, arguments + 2);
    }
    if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0 || strcmp(command, "help") == 0) {
        return main_help_for(count - 2, arguments + 2);
    }
    if (strcmp(command, "--version") == 0) {
        say("pipeport %d.%d.%d (library %s)", PIPEPORT_VERSION_MAJOR, PIPEPORT_VERSION_MINOR, PIPEPORT_VERSION_PATCH,
            pipeport_version());
        return SAY_EXIT_OK;
    }
    fprintf(stderr, "pipeport: unknown command '%s'; 'pipeport --help' lists them\n", command);
    return SAY_EXIT_USAGE;
}
