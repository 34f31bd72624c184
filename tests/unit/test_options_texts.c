/* SPDX-License-Identifier: MIT */
/*
 * test_options_texts.c - what each option out of its bounds is answered, to the letter, and that the starts answer and
 * log the same. What the system lacks is scripted here; what it lacks in truth: tests/system/test_lacks.c.
 */
#include "engine/api/options.h"
#include "tests/support/life.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(options_texts, .timeout = 100);

static const pipeport_events texts_events = {.size = sizeof(pipeport_events)};
static char texts_long[4096];

static int64_t texts_measure(void *user, const void *stream, size_t available)
{
    (void) user;
    (void) stream;
    return (int64_t) available;
}

#define GIVEN .given.size = sizeof(pipeport_options), .given

static const struct wrong {
    pipeport_options given;
    pipeport_role role; /* 0: both, one after the other. */
    const char *text;
} wrongs[] = {
    {.given.size = 8, .text = "size: sizeof(pipeport_options), which is SIZE here; not 8"},
    {GIVEN.connections_max = 1000001, .text = "connections_max: 1 to 1000000, or 0 for 255; not 1000001"},
    {GIVEN.accepts_pending = 256, .text = "accepts_pending: 1 to 255, or 0 for 8; not 256"},
    {GIVEN.message_bytes_max = (1u << 30) + 1,
     .text = "message_bytes_max: 1 to 1073741824, or 0 for 1048576; not 1073741825"},
    {GIVEN.send_queue_bytes_max = 1048579,
     .text = "send_queue_bytes_max: at least 1048580, a frame of message_bytes_max; not 1048579"},
    {GIVEN.pipe_buffer_bytes = 511, .text = "pipe_buffer_bytes: 512 to 16777216, or 0 for 65536; not 511"},
    {GIVEN.pipe_buffer_bytes = 16777217, .text = "pipe_buffer_bytes: 512 to 16777216, or 0 for 65536; not 16777217"},
    {GIVEN.when_full = 3, .text = "when_full: 1 to 2, or 0 for PIPEPORT_REFUSE; not 3"},
    {GIVEN.direction = 3, .text = "direction: 1 to 2, or 0 for a duplex pipe; not 3"},
    {GIVEN.type = 3, .text = "type: 1 to 2, or 0 for what the framing needs; not 3"},
    {GIVEN.in_buffer_bytes = 511, .text = "in_buffer_bytes: 512 to 16777216, or 0 for pipe_buffer_bytes; not 511"},
    {GIVEN.in_buffer_bytes = 16777217,
     .text = "in_buffer_bytes: 512 to 16777216, or 0 for pipe_buffer_bytes; not 16777217"},
    {GIVEN.out_buffer_bytes = 511, .text = "out_buffer_bytes: 512 to 16777216, or 0 for pipe_buffer_bytes; not 511"},
    {GIVEN.out_buffer_bytes = 16777217,
     .text = "out_buffer_bytes: 512 to 16777216, or 0 for pipe_buffer_bytes; not 16777217"},
    {GIVEN.instances_max = 254, .text = "instances_max: 1 to 253, or 0 for no bound; not 254"},
    {GIVEN.instances_max = 4, .given.connections_max = 5,
     .text = "connections_max: at most 4, which is instances_max, or 0 for that; not 5"},
    {GIVEN.reconnect_ms = 8, .given.reconnect_max_ms = 7,
     .text = "reconnect_max_ms: at least 8, which is reconnect_ms, or 0; not 7"},
    {GIVEN.default_wait_ms = UINT32_MAX, .text = "default_wait_ms: 1 to 4294967294, or 0 for 50; not 4294967295"},
    {GIVEN.remote = 2, .text = "remote: 1 to 1, or 0 for clients of this machine only; not 2"},
    {GIVEN.access = 5, .text = "access: 1 to 4, or 0 for the owner; not 5"},
    {GIVEN.access_group = 7, .text = "access_group: 0 where access is not PIPEPORT_ACCESS_GROUP; not 7"},
    {GIVEN.access = PIPEPORT_ACCESS_SDDL, .text = "access_sddl: a text where access is PIPEPORT_ACCESS_SDDL"},
    {GIVEN.access_sddl = "D:", .text = "access_sddl: NULL where access is not PIPEPORT_ACCESS_SDDL"},
    {GIVEN.access = PIPEPORT_ACCESS_SDDL, .given.access_sddl = "", .text = "access_sddl: a text of 1 to 2047 bytes"},
    {GIVEN.access = PIPEPORT_ACCESS_SDDL, .given.access_sddl = texts_long + 4095 - 2048,
     .text = "access_sddl: a text of 1 to 2047 bytes"},
    {GIVEN.server_user = "", .text = "server_user: NULL, or a text of 1 to 191 bytes"},
    {GIVEN.server_user = texts_long + 4095 - 192, .text = "server_user: NULL, or a text of 1 to 191 bytes"},
    {GIVEN.direction = PIPEPORT_TO_CLIENT, .given.idle_ms = 7, .role = PIPEPORT_SERVER,
     .text = "idle_ms: 0 where the direction lets the peer say nothing; not 7"},
    {GIVEN.direction = PIPEPORT_TO_SERVER, .given.first_message_ms = 7, .role = PIPEPORT_CLIENT,
     .text = "first_message_ms: 0 where the direction lets the peer say nothing; not 7"},
    {GIVEN.type = PIPEPORT_TYPE_BYTE, .given.framing = {.kind = PIPEPORT_FRAMING_MESSAGE},
     .text = "type: PIPEPORT_TYPE_MESSAGE, or 0, where the framing is the pipe's own messages"},
    {GIVEN.framing = {.kind = 8}, .text = "framing.kind: one of pipeport_framing_kind"},
    {GIVEN.framing = {.width = 4}, .text = "framing.kind: not the default where another field is set"},
    {GIVEN.framing = {.kind = PIPEPORT_FRAMING_LENGTH}, .text = "framing.width: 1, 2, 3, 4 or 8"},
    {GIVEN.framing = {.kind = PIPEPORT_FRAMING_LENGTH, .width = 5}, .text = "framing.width: 1, 2, 3, 4 or 8"},
    {GIVEN.framing = {.kind = PIPEPORT_FRAMING_LENGTH, .width = 256},
     .text = "framing.width, offset: 8 and 64 at most"},
    {GIVEN.framing = {.kind = PIPEPORT_FRAMING_LENGTH, .width = 4, .offset = 65}, .text = "framing.offset: at most 64"},
    {GIVEN.framing = {.kind = PIPEPORT_FRAMING_LENGTH, .width = 4, .adjust = 1048577},
     .text = "framing.adjust: between -1048576 and 1048576"},
    {GIVEN.framing = {.kind = PIPEPORT_FRAMING_LENGTH, .width = 4, .adjust = -1048577},
     .text = "framing.adjust: between -1048576 and 1048576"},
    {GIVEN.framing = {.kind = PIPEPORT_FRAMING_LENGTH, .width = 8, .flags = PIPEPORT_ESCAPE},
     .text = "framing.escape: not with a width of 8"},
    {GIVEN.framing = {.kind = PIPEPORT_FRAMING_VARINT, .flags = PIPEPORT_BIG_ENDIAN},
     .text = "framing.flags: only those that mean something to the kind"},
    {GIVEN.framing = {.kind = PIPEPORT_FRAMING_VARINT, .width = 1},
     .text = "framing.width, offset, adjust: 0 where the kind is not LENGTH"},
    {GIVEN.framing = {.kind = PIPEPORT_FRAMING_HEADERS, .delimiter = 1},
     .text = "framing.delimiter, strip_cr: 0 where the kind is not DELIMITER"},
    {GIVEN.framing = {.kind = PIPEPORT_FRAMING_DELIMITER, .delimiter = '\r', .flags = PIPEPORT_STRIP_CR},
     .text = "framing.strip_cr: not where the delimiter is the carriage return"},
    {GIVEN.framing = {.kind = PIPEPORT_FRAMING_MEASURED}, .text = "framing.measure: a function where the kind is "
                                                                  "MEASURED"},
    {GIVEN.framing = {.kind = PIPEPORT_FRAMING_NONE, .measure = texts_measure},
     .text = "framing.measure, measure_user: NULL where the kind is not MEASURED"},
};

static char texts_line[512]; /* The log's last. */

static void texts_keep(void *user, const char *line)
{
    (void) user;
    (void) snprintf(texts_line, sizeof texts_line, "%s", line);
}

static pipeport_status texts_start(pipeport_engine *engine, const pipeport_options *options, pipeport_role role)
{
    pipeport_server *server = NULL;
    pipeport_client *client = NULL;
    pipeport_status status = role == PIPEPORT_SERVER
                                 ? pipeport_server_start(&server, engine, "texts", options, &texts_events)
                                 : pipeport_client_start(&client, engine, "texts", options, &texts_events);
    pipeport_server_stop(server, 0);
    pipeport_client_stop(client, 0);
    return status;
}

/* The check and the start answer `status`, and both say `text`. */
static void texts_expect(pipeport_engine *engine, const pipeport_options *given, pipeport_role role,
                         pipeport_status status, const char *text)
{
    char said[PIPEPORT_TEXT_BYTES], line[512];
    cr_assert_eq(pipeport_options_check(given, role, said, sizeof said), status, "%s", text);
    cr_assert_str_eq(said, text);
    texts_line[0] = '\0';
    cr_assert_eq(texts_start(engine, given, role), status, "%s", text);
    (void) snprintf(line, sizeof line, "%s texts: %s", role == PIPEPORT_SERVER ? "server" : "client", text);
    cr_assert_str_eq(texts_line, line);
}

static pipeport_engine *texts_engine(void)
{
    pipeport_engine *engine = NULL;
    pipeport_engine_options options = {.size = sizeof options, .workers = PIPEPORT_HOST_THREADS, .log = texts_keep};
    fake_reset();
    fake.waits = fake_os_pass;
    memset(texts_long, 'x', sizeof texts_long - 1);
    cr_assert_eq(pipeport_engine_create(&engine, &options), PIPEPORT_OK);
    return engine;
}

Test(options_texts, name_the_field_what_it_may_be_and_what_it_is)
{
    pipeport_engine *engine = texts_engine();
    char size_text[PIPEPORT_TEXT_BYTES];
    (void) snprintf(size_text, sizeof size_text, "size: sizeof(pipeport_options), which is %u here; not 8",
                    (unsigned) sizeof(pipeport_options));
    for (unsigned i = 0; i < sizeof wrongs / sizeof wrongs[0]; ++i) {
        const struct wrong *wrong = &wrongs[i];
        const char *text = strstr(wrong->text, "SIZE") ? size_text : wrong->text;
        for (pipeport_role role = PIPEPORT_SERVER; role <= PIPEPORT_CLIENT; ++role) {
            if (!wrong->role || wrong->role == role) {
                texts_expect(engine, &wrong->given, role, PIPEPORT_INVALID, text);
            } else {
                cr_assert_eq(pipeport_options_check(&wrong->given, role, NULL, 0), PIPEPORT_OK, "%s", text);
            }
        }
    }
    cr_assert_eq(fake.ears_open + fake.dials_called, 0, "nobody asked the system");
    cr_assert_eq(pipeport_engine_destroy(engine), PIPEPORT_OK);
}

Test(options_texts, say_what_the_system_lacks)
{
    pipeport_engine *engine = texts_engine();
    pipeport_options given = {.size = sizeof given};
    fake.plan_lacks = "remote: this system has no remote clients";
    for (pipeport_role role = PIPEPORT_SERVER; role <= PIPEPORT_CLIENT; ++role) {
        texts_expect(engine, &given, role, PIPEPORT_UNSUPPORTED, fake.plan_lacks);
    }
    cr_assert_eq(pipeport_engine_destroy(engine), PIPEPORT_OK);
}

Test(options_texts, are_at_most_as_long_as_there_is_room)
{
    pipeport_options given = {.size = sizeof given, .remote = 2};
    char text[8];
    memset(text, 'x', sizeof text);
    cr_assert_eq(pipeport_options_check(&given, PIPEPORT_SERVER, text, sizeof text), PIPEPORT_INVALID);
    cr_assert_str_eq(text, "remote:");
    cr_assert_eq(pipeport_options_check(NULL, PIPEPORT_SERVER, text, sizeof text), PIPEPORT_OK);
    cr_assert_str_eq(text, "");
    text[0] = 'x';
    cr_assert_eq(pipeport_options_check(&given, PIPEPORT_SERVER, text, 0), PIPEPORT_INVALID);
    cr_assert_eq(text[0], 'x', "there was no room");
    char all[PIPEPORT_TEXT_BYTES];
    cr_assert_eq(pipeport_options_check(NULL, (pipeport_role) 0, all, sizeof all), PIPEPORT_INVALID);
    cr_assert_str_eq(all, "role: PIPEPORT_SERVER or PIPEPORT_CLIENT");
}

Test(options_texts, are_logged_for_names_and_events_too)
{
    pipeport_engine *engine = texts_engine();
    pipeport_server *server = NULL;
    pipeport_events events = {.size = 1};
    char line[256];
    cr_assert_eq(pipeport_server_start(&server, engine, "", NULL, &texts_events), PIPEPORT_INVALID);
    cr_assert_str_eq(texts_line, "server : name: 1 to 200 bytes of UTF-8, no slash, backslash or control byte, or an "
                                 "address as this system spells it");
    cr_assert_eq(pipeport_server_start(&server, engine, NULL, NULL, NULL), PIPEPORT_INVALID);
    cr_assert_str_eq(texts_line, "server ?: events: not NULL");
    cr_assert_eq(pipeport_server_start(&server, engine, "n", NULL, &events), PIPEPORT_INVALID);
    (void) snprintf(line, sizeof line, "server n: events.size: sizeof(pipeport_events), which is %u here; not 1",
                    (unsigned) sizeof events);
    cr_assert_str_eq(texts_line, line);
    cr_assert_eq(pipeport_engine_destroy(engine), PIPEPORT_OK);
}

/* Of the engine's own options the log of those options is told. */
Test(options_texts, are_logged_for_the_engine_too)
{
    pipeport_engine *engine = NULL;
    pipeport_engine_options options = {.size = sizeof options, .workers = 65, .log = texts_keep};
    cr_assert_eq(pipeport_engine_create(&engine, &options), PIPEPORT_INVALID);
    cr_assert_str_eq(texts_line, "engine: workers: 1 to 64, PIPEPORT_HOST_THREADS, or 0 for one per processor; not 65");
    texts_line[0] = '\0';
    options.size = 8; /* Nobody knows where its log would be. */
    cr_assert_eq(pipeport_engine_create(&engine, &options), PIPEPORT_INVALID);
    cr_assert_str_eq(texts_line, "");
    cr_assert_null(engine);
}

/* What the caller wrote may go when the start returns. */
Test(options_texts, go_to_the_system_as_copies)
{
    pipeport_engine *engine = texts_engine();
    pipeport_server *server = NULL;
    pipeport_client *client = NULL;
    char sddl[] = "D:(A;;GA;;;WD)", user[] = "S-1-5-18";
    pipeport_options given = {.size = sizeof given,
                              .access = PIPEPORT_ACCESS_SDDL,
                              .access_sddl = sddl,
                              .server_user = user,
                              .server_process = 77,
                              .instances_max = 9,
                              .in_buffer_bytes = 1024,
                              .direction = PIPEPORT_TO_SERVER,
                              .remote = 1,
                              .framing = pipeport_framing_message(),
                              .message_bytes_max = 5000};
    cr_assert_eq(pipeport_server_start(&server, engine, "texts", &given, &texts_events), PIPEPORT_OK);
    sddl[0] = 'X';
    cr_assert_str_eq(fake.plan.sddl, "D:(A;;GA;;;WD)");
    cr_assert_null(fake.plan.server_user);
    cr_assert(fake.plan.access == PP_ACCESS_SDDL && fake.plan.instances_max == 9 && fake.plan.wait_ms == 50);
    cr_assert(fake.plan.in_bytes == 1024 && fake.plan.out_bytes == 65536 && fake.plan.remote);
    cr_assert(fake.plan.typed && fake.plan.whole && fake.plan.message_bytes_max == 5000);
    cr_assert_eq(fake.plan.way, PP_WAY_TO_SERVER);
    sddl[0] = 'D';
    cr_assert_eq(pipeport_client_start(&client, engine, "texts", &given, &texts_events), PIPEPORT_OK);
    user[0] = 'X';
    cr_assert_str_eq(fake.plan.server_user, "S-1-5-18");
    cr_assert_null(fake.plan.sddl);
    cr_assert(fake.plan.server_process == 77 && !fake.plan.remote && fake.plan.access == PP_ACCESS_OWNER);
    pipeport_server_stop(server, 0);
    pipeport_client_stop(client, 0);
    cr_assert_eq(pipeport_engine_destroy(engine), PIPEPORT_OK);
}
