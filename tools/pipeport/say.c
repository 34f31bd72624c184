/* SPDX-License-Identifier: MIT */
#include "tools/pipeport/say.h"

#include <stdarg.h>
#include <stdio.h>

#define SAY_LINE_BYTES 1024

static bool say_is_hushed;
static const char *say_program_is = "pipeport";

void say_program(const char *name)
{
    say_program_is = name;
}

const char *say_program_name(void)
{
    return say_program_is;
}

void say_hush(bool hushed)
{
    say_is_hushed = hushed;
}

void say(const char *format, ...)
{
    char line[SAY_LINE_BYTES];
    va_list arguments;

    if (say_is_hushed) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    fprintf(stdout, "%s\n", line);
    fflush(stdout);
}

void say_error(const char *who, const char *format, ...)
{
    char line[SAY_LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s %s: %s\n", say_program_is, who, line);
    fflush(stderr);
}

void say_status(const char *who, const char *what, pipeport_status status)
{
    say_error(who, "%s: %s (status %d)", what, pipeport_status_text(status), (int) status);
}

const char *say_duration(struct say_room *room, uint64_t ns)
{
    double value = (double) ns;

    if (ns < 1000000u) {
        snprintf(room->text, sizeof(room->text), "%.1f us", value / 1e3);
    } else if (ns < 1000000000u) {
        snprintf(room->text, sizeof(room->text), "%.2f ms", value / 1e6);
    } else {
        snprintf(room->text, sizeof(room->text), "%.2f s", value / 1e9);
    }
    return room->text;
}

const char *say_bytes(struct say_room *room, double bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;

    while (bytes >= 1024.0 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        bytes /= 1024.0;
        unit++;
    }
    snprintf(room->text, sizeof(room->text), unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
    return room->text;
}

double say_rate(uint64_t count, uint64_t ns)
{
    return ns == 0 ? 0.0 : (double) count * 1e9 / (double) ns;
}
