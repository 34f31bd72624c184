/* SPDX-License-Identifier: MIT */
/*
 * replay.c - main of a fuzz target where there is no libFuzzer: each input kept in the folders or files named on the
 * command line, once. So every compiler and system has the corpus as a test.
 */
#include "tests/fuzz/choices.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { REPLAY_INPUT_BYTES_MAX = 1 << 20 };

static unsigned replay_done;

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: it cannot be opened\n", path);
        return 1;
    }
    static uint8_t room[REPLAY_INPUT_BYTES_MAX];
    size_t length = fread(room, 1, sizeof room, file);
    fclose(file);
    uint8_t *input = malloc(length + (length == 0)); /* A block of its own, which ends where the input ends. */
    if (input == NULL) {
        return 1;
    }
    for (size_t i = 0; i < length; ++i) {
        input[i] = room[i];
    }
    fprintf(stderr, "%s\n", path); /* Before it runs, so that the last line names the one that ended it. */
    (void) LLVMFuzzerTestOneInput(input, length);
    free(input);
    replay_done += 1;
    return 0;
}

static int replay_folder(const char *path, DIR *folder)
{
    int wrong = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char name[1024];
        if (entry->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
            wrong |= replay_file(name);
        }
    }
    closedir(folder);
    return wrong;
}

int main(int count, char **arguments)
{
    int wrong = 0;
    for (int i = 1; i < count; ++i) {
        DIR *folder = opendir(arguments[i]);
        wrong |= folder != NULL ? replay_folder(arguments[i], folder) : replay_file(arguments[i]);
    }
    printf("%u inputs\n", replay_done);
    return wrong != 0 || replay_done == 0;
}
