/* SPDX-License-Identifier: MIT */
/*
 * request_reply.c - what was a message-mode server with a thread for each client.
 *
 * Then: CreateNamedPipe(PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE), ConnectNamedPipe, CreateThread, and in each thread
 * ReadFile, WriteFile, ReadFile ... ("Multithreaded Pipe Server"). Now: one `message` event for all clients, and as
 * many threads as there are processors. Clients that use CallNamedPipe, TransactNamedPipe or WriteFile and ReadFile
 * stay as they are.
 *
 *      request_reply NAME    serves \\.\pipe\NAME (Linux: a socket of type SOCK_SEQPACKET), and asks it three things
 */
#include <pipeport.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 10000, ANSWER_BYTES_MAX = 4096 };

/* One request, one reply: the text in capital letters. */
static void answer(void *user, void *state, pipeport_conn conn, const void *data, size_t length)
{
    char reply[ANSWER_BYTES_MAX];
    (void) state;
    if (length > sizeof reply) {
        length = sizeof reply;
    }
    for (size_t i = 0; i < length; ++i) {
        reply[i] = (char) toupper(((const unsigned char *) data)[i]);
    }
    pipeport_status status = pipeport_send(user, conn, reply, length);
    if (status != PIPEPORT_OK) {
        fprintf(stderr, "reply: %s\n", pipeport_status_text(status));
    }
}

static int ask(pipeport_client *client, const char *question)
{
    char text[ANSWER_BYTES_MAX];
    pipeport_reply reply = {.data = text, .room = sizeof text};
    pipeport_status status = pipeport_client_call(client, question, strlen(question), &reply, PATIENCE_MS);
    if (status != PIPEPORT_OK) {
        fprintf(stderr, "call: %s\n", pipeport_status_text(status));
        return 1;
    }
    printf("%s -> %.*s\n", question, (int) reply.length, text);
    return reply.length == strlen(question) && text[0] == toupper((unsigned char) question[0]) ? 0 : 1;
}

int main(int argc, char **argv)
{
    pipeport_engine *engine = NULL;
    pipeport_server *server = NULL;
    pipeport_client *client = NULL;
    int failed = 1;
    if (argc != 2) {
        fprintf(stderr, "usage: request_reply NAME\n");
        return 2;
    }
    pipeport_options options = {.size = sizeof options, .framing = pipeport_framing_message()};
    pipeport_status status = pipeport_engine_create(&engine, NULL);
    pipeport_events events = {.size = sizeof events, .user = engine, .message = answer};
    if (status == PIPEPORT_OK) {
        status = pipeport_server_start(&server, engine, argv[1], &options, &events);
    }
    if (status == PIPEPORT_OK) {
        status = pipeport_client_start(&client, engine, argv[1], &options, NULL); /* It only asks. */
    }
    if (status == PIPEPORT_OK) {
        failed = ask(client, "hello") || ask(client, "how many clients?") || ask(client, "bye");
    } else {
        fprintf(stderr, "%s: %s\n", argv[1], pipeport_status_text(status));
    }
    pipeport_client_stop(client, PATIENCE_MS);
    pipeport_server_stop(server, PATIENCE_MS);
    (void) pipeport_engine_destroy(engine);
    return failed;
}
