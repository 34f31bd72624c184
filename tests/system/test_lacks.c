/* SPDX-License-Identifier: MIT */
/*
 * test_lacks.c - what this system cannot do is UNSUPPORTED, with a sentence that says so, before a start and by it.
 */
#include "engine/include/pipeport.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(lacks, .timeout = 100);

#define GIVEN .given.size = sizeof(pipeport_options), .given

static const struct lack {
    pipeport_options given;
    pipeport_role role;
    const char *text; /* NULL: it can be done here. */
} lacks[] = {
#ifdef _WIN32
    {GIVEN.access = PIPEPORT_ACCESS_GROUP, .role = PIPEPORT_SERVER,
     .text =
         "access: not GROUP on this system, which knows no group ids; give SDDL, and the group's SID in access_sddl"},
    {GIVEN.type = PIPEPORT_TYPE_MESSAGE, .role = PIPEPORT_SERVER},
    {GIVEN.remote = 1, .role = PIPEPORT_SERVER},
    {GIVEN.access = PIPEPORT_ACCESS_APP_CONTAINERS, .role = PIPEPORT_SERVER},
#else
    {GIVEN.type = PIPEPORT_TYPE_MESSAGE, .role = PIPEPORT_SERVER,
     .text = "type: BYTE, or 0, in every framing but MESSAGE; a pipe of messages (SOCK_SEQPACKET) is not read as bytes "
             "here"},
    {GIVEN.type = PIPEPORT_TYPE_MESSAGE, .role = PIPEPORT_CLIENT,
     .text = "type: BYTE, or 0, in every framing but MESSAGE; a pipe of messages (SOCK_SEQPACKET) is not read as bytes "
             "here"},
    {GIVEN.remote = 1, .role = PIPEPORT_SERVER,
     .text = "remote: 0 on this system; a Unix socket has no clients of other machines"},
    {GIVEN.access = PIPEPORT_ACCESS_SDDL, .given.access_sddl = "D:", .role = PIPEPORT_SERVER,
     .text = "access: OWNER, LOCAL_USERS or GROUP on this system; a Unix socket has no security descriptor"},
    {GIVEN.access = PIPEPORT_ACCESS_APP_CONTAINERS, .role = PIPEPORT_SERVER,
     .text = "access: OWNER, LOCAL_USERS or GROUP on this system; there are no app packages"},
    {GIVEN.server_user = "S-1-5-18", .role = PIPEPORT_CLIENT,
     .text = "server_user: a uid in decimal digits on this system"},
    {GIVEN.remote = 1, .role = PIPEPORT_CLIENT}, /* A server's, and so nothing to a client. */
#endif
    {GIVEN.framing = {.kind = PIPEPORT_FRAMING_MESSAGE}, .role = PIPEPORT_SERVER},
    {GIVEN.direction = PIPEPORT_TO_CLIENT, .role = PIPEPORT_SERVER},
};

/* INVALID, but not before the system has looked: the start says so, and pipeport_options_check does not. */
static const struct judged {
    pipeport_options given;
    const char *name, *text; /* The system's code follows. */
} judged[] = {
#ifdef _WIN32
    {GIVEN.access = PIPEPORT_ACCESS_SDDL, .given.access_sddl = "who knows", .name = "lacks",
     .text = "server lacks: access_sddl: in Security Descriptor String Format, with a list of who has access; name: "
             "of this machine"},
    {GIVEN.access = PIPEPORT_ACCESS_OWNER, .name = "\\\\there\\pipe\\lacks",
     .text = "server \\\\there\\pipe\\lacks: name: of this machine, and on Linux an absolute path where access is "
             "LOCAL_USERS or GROUP"},
#else
    {GIVEN.access = PIPEPORT_ACCESS_LOCAL_USERS, .name = "lacks",
     .text = "server lacks: name: of this machine, and on Linux an absolute path where access is LOCAL_USERS or GROUP"},
    {GIVEN.access = PIPEPORT_ACCESS_GROUP, .name = "lacks",
     .text = "server lacks: name: of this machine, and on Linux an absolute path where access is LOCAL_USERS or GROUP"},
#endif
};

static char lacks_line[512]; /* The log's last. */

static void lacks_keep(void *user, const char *line)
{
    (void) user;
    (void) snprintf(lacks_line, sizeof lacks_line, "%s", line);
}

static void lacks_expect_start(pipeport_engine *engine, const struct lack *lack)
{
    static const pipeport_events events = {.size = sizeof events};
    pipeport_server *server = NULL;
    pipeport_client *client = NULL;
    char line[512];
    if (lack->role == PIPEPORT_SERVER) {
        cr_assert_eq(pipeport_server_start(&server, engine, "lacks", &lack->given, &events), PIPEPORT_UNSUPPORTED);
    } else {
        cr_assert_eq(pipeport_client_start(&client, engine, "lacks", &lack->given, &events), PIPEPORT_UNSUPPORTED);
    }
    (void) snprintf(line, sizeof line, "%s lacks: %s", lack->role == PIPEPORT_SERVER ? "server" : "client", lack->text);
    cr_assert_str_eq(lacks_line, line);
}

Test(lacks, are_unsupported_with_a_sentence)
{
    pipeport_engine *engine = NULL;
    pipeport_engine_options options = {.size = sizeof options, .workers = 1, .log = lacks_keep};
    cr_assert_eq(pipeport_engine_create(&engine, &options), PIPEPORT_OK);
    for (unsigned i = 0; i < sizeof lacks / sizeof lacks[0]; ++i) {
        char text[PIPEPORT_TEXT_BYTES];
        pipeport_status status = pipeport_options_check(&lacks[i].given, lacks[i].role, text, sizeof text);
        cr_assert_str_eq(text, lacks[i].text ? lacks[i].text : "");
        cr_assert_eq(status, lacks[i].text ? PIPEPORT_UNSUPPORTED : PIPEPORT_OK, "%u", i);
        if (lacks[i].text) {
            lacks_expect_start(engine, &lacks[i]);
        }
    }
    cr_assert_eq(pipeport_engine_destroy(engine), PIPEPORT_OK);
}

Test(lacks, are_invalid_with_a_sentence_where_only_the_system_can_judge)
{
    static const pipeport_events events = {.size = sizeof events};
    pipeport_engine *engine = NULL;
    pipeport_engine_options options = {.size = sizeof options, .workers = 1, .log = lacks_keep};
    cr_assert_eq(pipeport_engine_create(&engine, &options), PIPEPORT_OK);
    for (unsigned i = 0; i < sizeof judged / sizeof judged[0]; ++i) {
        pipeport_server *server = NULL;
        cr_expect_eq(pipeport_options_check(&judged[i].given, PIPEPORT_SERVER, NULL, 0), PIPEPORT_OK);
        cr_expect_eq(pipeport_server_start(&server, engine, judged[i].name, &judged[i].given, &events),
                     PIPEPORT_INVALID);
        cr_expect(strncmp(lacks_line, judged[i].text, strlen(judged[i].text)) == 0, "%s", lacks_line);
        cr_expect_null(server);
    }
    cr_assert_eq(pipeport_engine_destroy(engine), PIPEPORT_OK);
}
