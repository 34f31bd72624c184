/* SPDX-License-Identifier: MIT */
/*
 * books.h - the accounts of every server and client, looked at in the last moment of their life.
 *
 * A party that is watched is asked, when its last count has gone, whether opened = closed and accepted = sent +
 * discarded; its figures are added to the books of all.
 */
#ifndef TESTS_SUPPORT_BOOKS_H
#define TESTS_SUPPORT_BOOKS_H

#include "engine/include/pipeport.h"

typedef struct test_books { /* Of all watched parties that have ended. */
    uint64_t opened, messages_sent, messages_received;
    uint64_t bytes_accepted, bytes_sent, bytes_discarded, bytes_received;
} test_books;

/* Before anybody can stop it. */
void books_watch_server(pipeport_server *server);
void books_watch_client(pipeport_client *client);

/* Parties watched that have not ended. */
uint32_t books_unfinished(void);

test_books books_of_all(void);

#endif
