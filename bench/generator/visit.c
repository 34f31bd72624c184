/* SPDX-License-Identifier: MIT */
#include "bench/generator/visit.h"

#include <stdlib.h>
#include <string.h>

/* The number behind " name="; false where there is none, or none that can be. */
static bool visit_number(const char *line, const char *name, double *number)
{
    const char *at = strstr(line, name);
    char *end;

    if (at == NULL) {
        return false;
    }
    at += strlen(name);
    *number = strtod(at, &end);
    return end != at && (*end == ' ' || *end == '\0') && *number >= 0 && *number < 1e15;
}

bool visit_read(const char *line, struct visit *visit)
{
    size_t length = strlen(line);
    double messages, all;

    *visit = (struct visit){.rate = 0};
    if (strncmp(line, "load ", 5) != 0 || length < 3 || strcmp(line + length - 3, " ok") != 0 ||
        !visit_number(line, " rate=", &visit->rate) || !visit_number(line, " messages=", &messages) ||
        !visit_number(line, " all=", &all) || !visit_number(line, " p50_us=", &visit->p50_us) ||
        !visit_number(line, " p99_us=", &visit->p99_us)) {
        return false;
    }
    visit->messages = (uint64_t) messages;
    visit->all = (uint64_t) all;
    if (!visit_number(line, " server_us=", &visit->cpu_us)) { /* Not every system's load tells these. */
        visit->cpu_us = 0;
    }
    if (!visit_number(line, " load_cpu=", &visit->load_busy)) {
        visit->load_busy = 0;
    }
    return true;
}

double visit_figure(const struct visit *visit, enum rival_mode mode)
{
    return mode == RIVAL_IDLE ? visit->memory_bytes : visit->rate;
}
