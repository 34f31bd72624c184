/* SPDX-License-Identifier: MIT */
#include "bench/generator/rival.h"

#include <stdio.h>
#include <string.h>

const struct rival rival_libuv = {
    .word = "libuv",
    .title = "libuv",
    .program = "peer_libuv",
    .about = "libuv, a uv_write for each message",
    .family = RIVAL_PEER,
};

const struct rival rival_libuv_joined = {
    .word = "libuv-joined",
    .title = "libuv joined",
    .program = "peer_libuv",
    .about = "libuv, replies joined by hand",
    .options = {"--join", "1"},
    .family = RIVAL_PEER,
};

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
        if (strlen(rivals[i]->word) == length && memcmp(rivals[i]->word, word, length) == 0) {
            return i;
        }
    }
    return rivals_count;
}

const char *rival_load(const struct rival *rival)
{
    return rival->load != NULL ? rival->load : RIVAL_LOAD;
}

uint32_t rival_room(const struct rival *rival, const struct rival_task *task)
{
    bool twice = task->mode == RIVAL_CHURN && task->connections > RIVAL_MORE_CONNECTIONS;
    uint32_t room = task->connections + (twice ? task->connections : RIVAL_MORE_CONNECTIONS);

    return rival->connections_max == 0 || room < rival->connections_max ? room : rival->connections_max;
}

void rival_add_server(const struct rival *rival, const struct rival_task *task, const char *name, struct words *words)
{
    words_add(words, name);
    words_add_number(words, "--connections", rival_room(rival, task));
    rivals_add_to_server(rival, task, words);
    if (rival->family == RIVAL_PIPEPORT) {
        words_add_number(words, "--ask", 1); /* It ends with its stdin. */
    }
    for (const char *const *option = rival->options; *option != NULL; option++) {
        words_add(words, *option);
    }
}

void rival_add_load(const struct rival *rival, const struct rival_task *task, const char *name, uint32_t server_process,
                    struct words *words)
{
    words_add(words, name);
    words_add_number(words, "--mode", (uint32_t) task->mode); /* Counted alike. */
    words_add_number(words, "--connections", task->connections);
    words_add_number(words, "--size", task->bytes);
    words_add_number(words, "--depth", task->depth);
    words_add_number(words, "--ms", task->duration_ms);
    words_add_number(words, "--warm-up-ms", task->warmup_ms);
    rivals_add_to_load(rival, task, server_process, words);
}

void rival_list(char *text, size_t room)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < rivals_count && used < room; i++) {
        used += (size_t) snprintf(text + used, room - used, "%s%s", i == 0 ? "" : ", ", rivals[i]->word);
    }
}
