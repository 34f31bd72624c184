/* SPDX-License-Identifier: MIT */
#include "bench/generator/completion.h"

#include <stdio.h>
#include <string.h>

#include "bench/generator/machine.h"
#include "bench/generator/options.h"
#include "bench/generator/peers_options.h"
#include "bench/generator/report.h"
#include "bench/generator/rival.h"

/* A name of the program as bash calls functions. */
static void completion_add_function(const char *name, struct text *text)
{
    text_add(text, "_");
    for (; *name != '\0'; name++) {
        text_add(text, "%c", *name == '-' ? '_' : *name);
    }
}

static void completion_add_words(const char *words, struct text *text)
{
    text_add(text, "mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$word\")", words);
}

static void completion_add_files(struct text *text)
{
    text_add(text, "compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$word\")");
}

/* Of a list with commas the last word is completed, and the others stay before it. */
static void completion_add_peers(struct text *text)
{
    char words[256];

    rival_list(words, sizeof words);
    text_add(text,
             "local peers='%s' list=; [[ $word == *,* ]] && list=${word%%,*},; "
             "mapfile -t COMPREPLY < <(compgen -P \"$list\" -W \"${peers//,/}\" -- \"${word##*,}\")",
             words);
}

/* What may follow an option. */
static void completion_add_value(const struct args_option *option, struct text *text)
{
    if (option->kind == ARGS_FLAG) {
        return;
    }
    text_add(text, "        %s) ", option->word);
    if (option->kind == ARGS_CHOICE) {
        struct text words = {NULL, 0, 0, false};

        text_add(&words, "%s", option->operand);
        for (size_t i = 0; i < words.length; i++) {
            words.bytes[i] = words.bytes[i] == '|' ? ' ' : words.bytes[i];
        }
        completion_add_words(text_string(&words), text);
        text_clear(&words);
        text_add(text, "; ");
    } else if (strcmp(option->operand, "FILE") == 0) {
        completion_add_files(text);
        text_add(text, "; ");
    } else if (strcmp(option->operand, "DIR") == 0) {
        text_add(text, "compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$word\"); ");
    } else if (strcmp(option->operand, PEERS_OPTIONS_PEERS) == 0) {
        completion_add_peers(text);
        text_add(text, "; ");
    }
    text_add(text, "return ;;\n");
}

static void completion_add_table(const struct args_command *table, struct text *text)
{
    struct text words = {NULL, 0, 0, false};

    text_add(text, "        case $before in\n");
    for (size_t i = 0; i < table->options_count; i++) {
        completion_add_value(&table->options[i], text);
        text_add(&words, "%s ", table->options[i].word);
    }
    text_add(&words, "--help");
    text_add(text, "        esac\n        ");
    completion_add_words(text_string(&words), text);
    text_add(text, " ;;\n");
    text_clear(&words);
}

void completion_write(const struct completion_program *program, struct text *text)
{
    struct text names = {NULL, 0, 0, false};

    for (size_t i = 0; i < program->commands_count; i++) {
        text_add(&names, "%s ", program->commands[i].name);
    }
    text_add(&names, "--help --version");
    text_add(text, "# bash completion of %s: eval \"$(%s completion bash)\"\n", program->name, program->name);
    completion_add_function(program->name, text);
    text_add(text, "() {\n"
                   "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
                   "    COMPREPLY=()\n"
                   "    if [ \"$word\" = = ]; then   # bash parts --word=value into three\n"
                   "        word=\n"
                   "    elif [ \"$before\" = = ]; then\n"
                   "        before=${COMP_WORDS[COMP_CWORD-2]}\n"
                   "    fi\n"
                   "    if [ \"$COMP_CWORD\" = 1 ]; then\n        ");
    completion_add_words(text_string(&names), text);
    text_add(text, "\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < program->commands_count; i++) {
        const struct completion_command *command = &program->commands[i];

        text_add(text, "    %s)\n", command->name);
        if (command->table != NULL) {
            completion_add_table(command->table, text);
            continue;
        }
        text_add(text, "        ");
        if (command->words != NULL) {
            completion_add_words(command->words, text);
        } else {
            completion_add_files(text);
        }
        text_add(text, " ;;\n");
    }
    text_add(text, "    esac\n}\ncomplete -F ");
    completion_add_function(program->name, text);
    text_add(text, " %s\n", program->name);
    text_clear(&names);
}

static const char completion_help[] = "%s completion bash\n"
                                      "\n"
                                      "Prints the script by which bash completes this program's words:\n"
                                      "    eval \"$(%s completion bash)\"\n"
                                      "or write it to ~/.local/share/bash-completion/completions/%s\n";

int completion_main(int count, char **arguments)
{
    const struct completion_command commands[] = {{"run", &options_command, NULL},
                                                  {"peers", &peers_options_command, NULL},
                                                  {"compare", NULL, NULL},
                                                  {"completion", NULL, "bash"}};
    const char *name = say_program_name();
    const struct completion_program program = {name, commands, sizeof(commands) / sizeof(commands[0])};
    struct text text = {NULL, 0, 0, false};
    bool printed;

    if (count == 1 && (strcmp(arguments[0], "--help") == 0 || strcmp(arguments[0], "-h") == 0)) {
        printf(completion_help, name, name, name);
        fflush(stdout);
        return SAY_EXIT_OK;
    }
    if (count != 1 || strcmp(arguments[0], "bash") != 0) {
        say_error("completion", "give the shell's name; there is only bash");
        return SAY_EXIT_USAGE;
    }
    completion_write(&program, &text);
    machine_print_as_is(); /* A bash need not be one of Windows. */
    printed = text_print(&text);
    text_clear(&text);
    return printed ? SAY_EXIT_OK : SAY_EXIT_FAIL;
}
