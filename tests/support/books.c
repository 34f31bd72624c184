/* SPDX-License-Identifier: MIT */
#include "tests/support/books.h"

#include "engine/api/client.h"
#include "engine/api/server.h"
#include "tests/support/expect.h"

static struct { /* Each test is a process of its own. */
    _Atomic(void (*)(pp_party *)) finish_server, finish_client;
    _Atomic uint32_t unfinished;
    _Atomic uint64_t opened, messages_sent, messages_received;
    _Atomic uint64_t bytes_accepted, bytes_sent, bytes_discarded, bytes_received;
} books_kept;

static void books_close(pp_party *party)
{
    const pp_tally *tally = &party->tally;
    bool is_server = party->members != NULL;
    EXPECT(tally->opened == tally->closed);
    EXPECT(tally->bytes_accepted == tally->bytes_sent + tally->bytes_discarded);
    atomic_fetch_add(&books_kept.opened, tally->opened);
    atomic_fetch_add(&books_kept.messages_sent, tally->messages_sent);
    atomic_fetch_add(&books_kept.messages_received, tally->messages_received);
    atomic_fetch_add(&books_kept.bytes_accepted, tally->bytes_accepted);
    atomic_fetch_add(&books_kept.bytes_sent, tally->bytes_sent);
    atomic_fetch_add(&books_kept.bytes_discarded, tally->bytes_discarded);
    atomic_fetch_add(&books_kept.bytes_received, tally->bytes_received);
    (is_server ? atomic_load(&books_kept.finish_server) : atomic_load(&books_kept.finish_client))(party);
    atomic_fetch_sub(&books_kept.unfinished, 1);
}

void books_watch_server(pipeport_server *server)
{
    atomic_store(&books_kept.finish_server, server->party.finish);
    atomic_fetch_add(&books_kept.unfinished, 1);
    server->party.finish = books_close;
}

void books_watch_client(pipeport_client *client)
{
    atomic_store(&books_kept.finish_client, client->party.finish);
    atomic_fetch_add(&books_kept.unfinished, 1);
    client->party.finish = books_close;
}

uint32_t books_unfinished(void)
{
    return atomic_load(&books_kept.unfinished);
}

test_books books_of_all(void)
{
    return (test_books){.opened = books_kept.opened,
                        .messages_sent = books_kept.messages_sent,
                        .messages_received = books_kept.messages_received,
                        .bytes_accepted = books_kept.bytes_accepted,
                        .bytes_sent = books_kept.bytes_sent,
                        .bytes_discarded = books_kept.bytes_discarded,
                        .bytes_received = books_kept.bytes_received};
}
