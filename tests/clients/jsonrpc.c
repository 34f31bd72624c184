/* SPDX-License-Identifier: MIT */
/*
 * jsonrpc.c NAME - a JSON-RPC server as short as it can be: a request `echo` gets its params as the result, any other
 * an error, a notification comes back as the notification `noted`. Of JSON it reads where a member of an object begins
 * and ends, and copies it.
 */
#include "tests/clients/serving.h"

#include <string.h>

static struct {
    serving serving;
    _Atomic unsigned answered, noted, unknown;
} server;

typedef struct json {
    const char *text;
    size_t length;
} json;

static bool json_is(json value, const char *text)
{
    return value.length == strlen(text) && memcmp(value.text, text, value.length) == 0;
}

/* Behind the string that begins at `at`. */
static size_t json_string_end(json whole, size_t at)
{
    for (++at; at < whole.length && whole.text[at] != '"'; ++at) {
        at += whole.text[at] == '\\';
    }
    return at < whole.length ? at + 1 : whole.length;
}

/* Behind the value that begins at `at`: at the comma or bracket that ends it. */
static size_t json_value_end(json whole, size_t at)
{
    for (int depth = 0; at < whole.length;) {
        char byte = whole.text[at];
        if (byte == '"') {
            at = json_string_end(whole, at);
            continue;
        }
        if (depth == 0 && (byte == ',' || byte == '}' || byte == ']')) {
            break;
        }
        depth += (byte == '{' || byte == '[') - (byte == '}' || byte == ']');
        ++at;
    }
    return at;
}

/* The member's value as it stands in the object, with length 0 where there is none. */
static json json_member(json object, const char *name)
{
    size_t at = 1;
    while (at < object.length && object.text[at] == '"') {
        size_t name_end = json_string_end(object, at);
        size_t end = json_value_end(object, name_end);
        json found = {object.text + at + 1, name_end - at - 2};
        if (json_is(found, name) && end > name_end) {
            return (json){object.text + name_end + 1, end - name_end - 1};
        }
        at = end + 1;
    }
    return (json){"null", 0};
}

static serving_part text_part(const char *text)
{
    return (serving_part){text, strlen(text)};
}

static void *jsonrpc_opened(void *user, pipeport_conn conn)
{
    (void) conn;
    atomic_fetch_add(&server.serving.opened, 1);
    return user;
}

static void jsonrpc_message(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    json object = {data, length};
    json id = json_member(object, "id"), method = json_member(object, "method"), params = json_member(object, "params");
    (void) user;
    (void) state;
    if (id.length == 0) {
        serving_part parts[] = {text_part("{\"jsonrpc\":\"2.0\",\"method\":\"noted\",\"params\":"),
                                {params.text, params.length},
                                text_part("}")};
        serving_send(&server.serving, conn, parts, 3);
        atomic_fetch_add(&server.noted, 1);
        return;
    }
    bool known = json_is(method, "\"echo\"");
    serving_part parts[] = {text_part("{\"jsonrpc\":\"2.0\",\"id\":"),
                            {id.text, id.length},
                            text_part(known ? ",\"result\":" : ",\"error\":"),
                            {params.text, params.length},
                            text_part("}")};
    if (!known) {
        parts[3] = text_part("{\"code\":-32601,\"message\":\"no such method\"}");
    }
    serving_send(&server.serving, conn, parts, 5);
    atomic_fetch_add(known ? &server.answered : &server.unknown, 1);
}

static void jsonrpc_closed(void *user, void *state, pipeport_conn conn, const pipeport_end *end)
{
    (void) user;
    (void) state;
    (void) conn;
    if (end->why != PIPEPORT_GONE) {
        printf("the client was closed: %s\n", pipeport_status_text(end->why));
        atomic_store(&server.serving.failed, true);
    }
    atomic_fetch_add(&server.serving.closed, 1);
}

int main(int count, char **arguments)
{
    pipeport_events events = {
        .size = sizeof events, .opened = jsonrpc_opened, .message = jsonrpc_message, .closed = jsonrpc_closed};
    server.serving.framing = pipeport_framing_headers();
    server.serving.wanted = 1;
    if (count != 2 || !serving_run(&server.serving, arguments[1], &events)) {
        return 1;
    }
    printf("%u requests answered, %u notifications, %u unknown\n", atomic_load(&server.answered),
           atomic_load(&server.noted), atomic_load(&server.unknown));
    return 0;
}
