/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/log.h"

#include <stdlib.h>
#include <string.h>

#include "tools/pipeport/say.h"
#include "tools/pipeport/system.h"

#define LOG_CODE "system code "

void log_line(void *who, const char *line)
{
    const char *found = strstr(line, LOG_CODE);
    long code = found == NULL ? 0 : strtol(found + strlen(LOG_CODE), NULL, 10);
    struct system_room room;

    if (code == 0) {
        say_error(who, "%s", line);
    } else {
        say_error(who, "%s [%ld: %s]", line, code, system_code_text(&room, code));
    }
}
