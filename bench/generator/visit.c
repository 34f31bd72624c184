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
    const struct {
        const char *name;
        double *number;
        bool optional; /* Not every system's load tells it. */
    } cells[] = {{" rate=", &visit->rate, false},       {" p50_us=", &visit->p50_us, false},
                 {" p90_us=", &visit->p90_us, false},   {" p99_us=", &visit->p99_us, false},
                 {" p999_us=", &visit->p999_us, false}, {" max_us=", &visit->max_us, false},
                 {" server_us=", &visit->cpu_us, true}, {" load_cpu=", &visit->load_busy, true}};
    size_t length = strlen(line);
    double messages, all;

    *visit = (struct visit){.rate = 0};
    if (strncmp(line, "load ", 5) != 0 || length < 3 || strcmp(line + length - 3, " ok") != 0 ||
        !visit_number(line, " messages=", &messages) || !visit_number(line, " all=", &all)) {
        return false;
    }
    visit->messages = (uint64_t) messages;
    visit->all = (uint64_t) all;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        if (!visit_number(line, cells[i].name, cells[i].number)) {
            if (!cells[i].optional) {
                return false;
            }
            *cells[i].number = 0;
        }
    }
    return true;
}

double visit_figure(const struct visit *visit, enum rival_mode mode)
{
    return mode == RIVAL_IDLE ? visit->memory_bytes : visit->rate;
}
