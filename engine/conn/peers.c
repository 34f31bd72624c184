/* SPDX-License-Identifier: MIT */
/* peers.c - see peers.h. */
#include "engine/conn/peers.h"

#include "engine/base/assert.h"

#include <string.h>

typedef struct peers_count { /* Of a process, or of a user. */
    struct peers_count *next;
    uint32_t hash;
    uint32_t count; /* Never 0 while it is in its bucket. */
    bool is_user;
    uint32_t process_id;
    char user[PIPEPORT_USER_BYTES];
} peers_count;

typedef struct peers_seat {
    peers_count *process, *user; /* NULL: not counted. */
} peers_seat;

/* FNV-1a. */
static uint32_t peers_hash(const void *bytes, size_t length)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; ++i) {
        hash = (hash ^ ((const uint8_t *) bytes)[i]) * 16777619u;
    }
    return hash;
}

static bool peers_are_one(const peers_count *one, const peers_count *other)
{
    return one->hash == other->hash && one->is_user == other->is_user && one->process_id == other->process_id &&
           strcmp(one->user, other->user) == 0;
}

/* Adds one to the count that is like `key`, and makes it if there is none. */
static pipeport_status peers_add(pp_peers *peers, const peers_count *key, uint32_t max, peers_count **out)
{
    peers_count **bucket = &peers->buckets[key->hash % PP_PEERS_BUCKETS];
    peers_count *count = *bucket;
    while (count && !peers_are_one(count, key)) {
        count = count->next;
    }
    if (count && count->count >= max) {
        return PIPEPORT_FULL;
    }
    if (!count) {
        count = pp_memory_take(peers->seats.memory, sizeof *count);
        if (!count) {
            return PIPEPORT_NO_MEMORY;
        }
        *count = *key;
        count->next = *bucket;
        *bucket = count;
    }
    count->count += 1;
    *out = count;
    return PIPEPORT_OK;
}

static void peers_take_off(pp_peers *peers, peers_count *count)
{
    if (!count || --count->count > 0) {
        return;
    }
    peers_count **at = &peers->buckets[count->hash % PP_PEERS_BUCKETS];
    while (*at != count) {
        at = &(*at)->next;
    }
    *at = count->next;
    pp_memory_give(peers->seats.memory, count, sizeof *count);
}

/* NULL: no memory. */
static peers_seat *peers_seat_at(pp_peers *peers, uint32_t seat)
{
    while (atomic_load(&peers->seats.count) <= seat) {
        if (!pp_table_next(&peers->seats)) {
            return NULL;
        }
        pp_table_grow(&peers->seats);
    }
    return pp_table_at(&peers->seats, seat);
}

void pp_peers_init(pp_peers *peers, pp_memory *memory, uint32_t per_process_max, uint32_t per_user_max)
{
    memset(peers->buckets, 0, sizeof peers->buckets);
    peers->per_process_max = per_process_max;
    peers->per_user_max = per_user_max;
    pp_lock_init(&peers->lock);
    pp_table_init(&peers->seats, memory, sizeof(peers_seat));
}

void pp_peers_fini(pp_peers *peers)
{
    for (uint32_t i = 0; i < PP_PEERS_BUCKETS; ++i) {
        PP_VERIFY(!peers->buckets[i]);
    }
    pp_table_fini(&peers->seats);
    pp_lock_fini(&peers->lock);
}

/* Under the lock. What was counted stays noted where this fails: the caller takes it off. */
static pipeport_status peers_enter(pp_peers *peers, peers_seat *at, const pipeport_peer *peer)
{
    pipeport_status status = PIPEPORT_OK;
    if (peers->per_process_max) {
        peers_count key = {.hash = peers_hash(&peer->process_id, sizeof peer->process_id),
                           .process_id = peer->process_id};
        status = peers_add(peers, &key, peers->per_process_max, &at->process);
    }
    if (status == PIPEPORT_OK && peers->per_user_max) {
        peers_count key = {.hash = peers_hash(peer->user, strlen(peer->user)), .is_user = true};
        strcpy(key.user, peer->user);
        status = peers_add(peers, &key, peers->per_user_max, &at->user);
    }
    return status;
}

/* Under the lock. */
static void peers_leave(pp_peers *peers, peers_seat *at)
{
    peers_take_off(peers, at->process);
    peers_take_off(peers, at->user);
    *at = (peers_seat){NULL, NULL};
}

pipeport_status pp_peers_enter(pp_peers *peers, uint32_t seat, const pipeport_peer *peer)
{
    pipeport_status status = PIPEPORT_NO_MEMORY;
    pp_lock_take(&peers->lock);
    peers_seat *at = peers_seat_at(peers, seat);
    if (at) {
        PP_VERIFY(!at->process && !at->user);
        status = peers_enter(peers, at, peer);
        if (status != PIPEPORT_OK) {
            peers_leave(peers, at);
        }
    }
    pp_lock_give(&peers->lock);
    return status;
}

void pp_peers_leave(pp_peers *peers, uint32_t seat)
{
    pp_lock_take(&peers->lock);
    if (seat < atomic_load(&peers->seats.count)) {
        peers_leave(peers, pp_table_at(&peers->seats, seat));
    }
    pp_lock_give(&peers->lock);
}

uint32_t pp_peers_check(pp_peers *peers)
{
    uint64_t noted = 0, counted = 0;
    uint32_t entered = 0;
    pp_lock_take(&peers->lock);
    for (uint32_t i = 0; i < atomic_load(&peers->seats.count); ++i) {
        const peers_seat *at = pp_table_at(&peers->seats, i);
        noted += (at->process != NULL) + (at->user != NULL);
        entered += at->process || at->user;
    }
    for (uint32_t i = 0; i < PP_PEERS_BUCKETS; ++i) {
        for (const peers_count *count = peers->buckets[i]; count; count = count->next) {
            PP_VERIFY(count->hash % PP_PEERS_BUCKETS == i);
            PP_VERIFY(count->count > 0);
            PP_VERIFY(count->count <= (count->is_user ? peers->per_user_max : peers->per_process_max));
            counted += count->count;
        }
    }
    PP_VERIFY(noted == counted);
    pp_lock_give(&peers->lock);
    return entered;
}
