/* SPDX-License-Identifier: MIT */
/* groups.c - see groups.h. */
#include "engine/conn/groups.h"

#include "engine/base/assert.h"

#include <string.h>

typedef struct groups_place groups_place;

struct groups_place {
    groups_place *next; /* The same connection's others. */
    pp_named_group *group;
    uint32_t slot;
    bool is_in; /* Else it rests. */
};

void pp_groups_init(pp_groups *groups, pp_memory *memory)
{
    groups->memory = memory;
    groups->first = NULL;
    groups->count = 0;
    pp_lock_init(&groups->lock);
    pp_table_init(&groups->places, memory, sizeof(groups_place *));
}

static size_t groups_bytes(const char *name)
{
    return sizeof(pp_named_group) + strlen(name) + 1;
}

void pp_groups_fini(pp_groups *groups)
{
    while (groups->first) {
        pp_named_group *group = groups->first;
        groups->first = group->next;
        pp_group_fini(&group->members);
        pp_memory_give(groups->memory, group, groups_bytes(group->name));
    }
    pp_table_fini(&groups->places);
    pp_lock_fini(&groups->lock);
}

/* ---- Groups by name ---- */

static pp_named_group *groups_find(const pp_groups *groups, const char *name)
{
    pp_named_group *group = groups->first;
    while (group && strcmp(group->name, name) != 0) {
        group = group->next;
    }
    return group;
}

static pipeport_status groups_make(pp_groups *groups, const char *name, pp_named_group **out)
{
    if (groups->count == PIPEPORT_GROUPS_MAX) {
        return PIPEPORT_FULL;
    }
    pp_named_group *group = pp_memory_take(groups->memory, groups_bytes(name));
    if (!group) {
        return PIPEPORT_NO_MEMORY;
    }
    group->of = groups;
    pp_group_init(&group->members, groups->memory);
    memcpy(group->name, name, strlen(name) + 1);
    group->next = groups->first;
    groups->first = group;
    groups->count += 1;
    *out = group;
    return PIPEPORT_OK;
}

pipeport_status pp_groups_open(pp_groups *groups, const char *name, pp_named_group **out)
{
    if (name[0] == 0 || !memchr(name, 0, PIPEPORT_GROUP_NAME_BYTES_MAX + 1)) {
        return PIPEPORT_INVALID;
    }
    pipeport_status status = PIPEPORT_OK;
    pp_lock_take(&groups->lock);
    pp_named_group *group = groups_find(groups, name);
    if (group) {
        *out = group;
    } else {
        status = groups_make(groups, name, out);
    }
    pp_lock_give(&groups->lock);
    return status;
}

/* ---- Places ---- */

/* Where the list of a seat's places begins; NULL: it never had one. */
static groups_place **groups_places(pp_groups *groups, const pp_seat *seat)
{
    bool is_there = seat->index < atomic_load_explicit(&groups->places.count, memory_order_relaxed);
    return is_there ? pp_table_at(&groups->places, seat->index) : NULL;
}

/* The same, made if need be. NULL: no memory. */
static groups_place **groups_room_for(pp_groups *groups, const pp_seat *seat)
{
    groups_place **first;
    while ((first = groups_places(groups, seat)) == NULL) {
        if (!pp_table_next(&groups->places)) {
            return NULL;
        }
        pp_table_grow(&groups->places);
    }
    return first;
}

static groups_place *groups_place_in(groups_place *place, const pp_named_group *group)
{
    while (place && place->group != group) {
        place = place->next;
    }
    return place;
}

static pipeport_status groups_join(pp_named_group *group, const pp_seat *seat, uint64_t id)
{
    pp_memory *memory = group->of->memory;
    groups_place **first = groups_room_for(group->of, seat);
    if (!first) {
        return PIPEPORT_NO_MEMORY;
    }
    groups_place *place = groups_place_in(*first, group);
    if (place) {
        if (!place->is_in) {
            pp_group_return(&group->members, place->slot, id);
            place->is_in = true;
        }
        return PIPEPORT_OK;
    }
    place = pp_memory_take(memory, sizeof *place);
    if (!place) {
        return PIPEPORT_NO_MEMORY;
    }
    *place = (groups_place){.next = *first, .group = group, .is_in = true};
    pipeport_status status = pp_group_join_locked(&group->members, id, &place->slot);
    if (status != PIPEPORT_OK) {
        pp_memory_give(memory, place, sizeof *place);
        return status;
    }
    *first = place;
    return PIPEPORT_OK;
}

pipeport_status pp_groups_join(pp_named_group *group, const pp_seat *seat, uint64_t id)
{
    pp_lock_take(&group->of->lock);
    pipeport_status status = pp_seat_is_open_as(seat, id) ? groups_join(group, seat, id) : PIPEPORT_GONE;
    pp_lock_give(&group->of->lock);
    return status;
}

void pp_groups_leave(pp_named_group *group, const pp_seat *seat)
{
    pp_lock_take(&group->of->lock);
    groups_place **first = groups_places(group->of, seat);
    groups_place *place = first ? groups_place_in(*first, group) : NULL;
    if (place && place->is_in) {
        pp_group_rest(&group->members, place->slot);
        place->is_in = false;
    }
    pp_lock_give(&group->of->lock);
}

void pp_groups_forget(pp_groups *groups, const pp_seat *seat)
{
    pp_lock_take(&groups->lock);
    groups_place **first = groups_places(groups, seat);
    groups_place *place = first ? *first : NULL;
    if (first) {
        *first = NULL;
    }
    while (place) {
        groups_place *next = place->next;
        if (place->is_in) {
            pp_group_leave_locked(&place->group->members, place->slot);
        } else {
            pp_group_leave_resting(&place->group->members, place->slot);
        }
        pp_memory_give(groups->memory, place, sizeof *place);
        place = next;
    }
    pp_lock_give(&groups->lock);
}

uint32_t pp_groups_check(pp_groups *groups)
{
    uint32_t places = 0, resting = 0, in_walks = 0, count = 0;
    pp_lock_take(&groups->lock);
    uint32_t seats = atomic_load(&groups->places.count);
    for (uint32_t seat = 0; seat < seats; ++seat) {
        for (groups_place *place = *(groups_place **) pp_table_at(&groups->places, seat); place; place = place->next) {
            uint64_t id = pp_group_at(&place->group->members, place->slot);
            PP_VERIFY(place->is_in ? (id & 0xFFFFFF) == seat && id != 0 : id == 0);
            PP_VERIFY(!groups_place_in(place->next, place->group)); /* One in each. */
            places += 1;
            resting += !place->is_in;
        }
    }
    pp_lock_give(&groups->lock); /* Never two at a time. */
    for (pp_named_group *group = groups->first; group; group = group->next, ++count) {
        PP_VERIFY(group->of == groups);
        in_walks += pp_group_check(&group->members);
    }
    PP_VERIFY(count == groups->count && count <= PIPEPORT_GROUPS_MAX);
    PP_VERIFY(places - resting == in_walks);
    return in_walks;
}
