/* SPDX-License-Identifier: MIT */
#include "bench/generator/rival.h"

#include <stdio.h>
#include <string.h>

const char *rival_mode_text(enum rival_mode mode)
{
    static const char *const texts[RIVAL_MODES] = {"echo", "broadcast", "churn", "idle"};

    return texts[mode];
}

const char *rival_unit(enum rival_mode mode)
{
    static const char *const units[RIVAL_MODES] = {"messages/s", "deliveries/s", "visits/s", "bytes a connection"};

    return units[mode];
}

size_t rival_find(const char *word, size_t length)
{
    for (size_t i = 0; i < rivals_count; i++) {
        if (strlen(rivals[i].word) == length && memcmp(rivals[i].word, word, length) == 0) {
            return i;
        }
    }
    return rivals_count;
}

void rival_list(char *text, size_t room)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < rivals_count && used < room; i++) {
        used += (size_t) snprintf(text + used, room - used, "%s%s", i == 0 ? "" : ", ", rivals[i].word);
    }
}
