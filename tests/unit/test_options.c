/* SPDX-License-Identifier: MIT */
/*
 * test_options.c - every bound that pipeport.h writes beside an option, from both sides. What is said of it:
 * test_options_texts.c.
 */
#include "engine/api/options.h"
#include "tests/support/fake_port.h"

#include <criterion/criterion.h>

TestSuite(options, .timeout = 100);

static const struct bound {
    const char *name;
    size_t offset;
    uint32_t by_default, min, max; /* max UINT32_MAX: nothing is too much. */
} bounds[] = {
    {"connections_max", offsetof(pipeport_options, connections_max), 255, 1, 1000000},
    {"accepts_pending", offsetof(pipeport_options, accepts_pending), 8, 1, 255},
    {"message_bytes_max", offsetof(pipeport_options, message_bytes_max), 1 << 20, 1, 1 << 30},
    {"send_queue_bytes_max", offsetof(pipeport_options, send_queue_bytes_max), 4 << 20, (1 << 20) + 4, UINT32_MAX},
    {"first_message_ms", offsetof(pipeport_options, first_message_ms), 0, 1, UINT32_MAX},
    {"idle_ms", offsetof(pipeport_options, idle_ms), 0, 1, UINT32_MAX},
    {"write_stall_ms", offsetof(pipeport_options, write_stall_ms), 30000, 1, UINT32_MAX},
    {"connect_ms", offsetof(pipeport_options, connect_ms), 5000, 1, UINT32_MAX},
    {"reconnect_ms", offsetof(pipeport_options, reconnect_ms), 0, 1, UINT32_MAX},
    {"reconnect_max_ms", offsetof(pipeport_options, reconnect_max_ms), 30000, 1, UINT32_MAX},
    {"pipe_buffer_bytes", offsetof(pipeport_options, pipe_buffer_bytes), 65536, 512, 16 << 20},
    {"direction", offsetof(pipeport_options, direction), 0, 1, PIPEPORT_TO_CLIENT},
    {"type", offsetof(pipeport_options, type), PIPEPORT_TYPE_BYTE, 1, PIPEPORT_TYPE_MESSAGE},
    {"in_buffer_bytes", offsetof(pipeport_options, in_buffer_bytes), 65536, 512, 16 << 20},
    {"out_buffer_bytes", offsetof(pipeport_options, out_buffer_bytes), 65536, 512, 16 << 20},
    {"instances_max", offsetof(pipeport_options, instances_max), 0, 1, 253},
    {"default_wait_ms", offsetof(pipeport_options, default_wait_ms), 50, 1, UINT32_MAX - 1},
    {"remote", offsetof(pipeport_options, remote), 0, 1, 1},
    {"connections_per_process_max", offsetof(pipeport_options, connections_per_process_max), 0, 1, UINT32_MAX},
    {"connections_per_user_max", offsetof(pipeport_options, connections_per_user_max), 0, 1, UINT32_MAX},
    {"server_process", offsetof(pipeport_options, server_process), 0, 1, UINT32_MAX},
    {"when_full", offsetof(pipeport_options, when_full), PIPEPORT_REFUSE, 1, PIPEPORT_DISCONNECT},
};

enum { BOUNDS = sizeof bounds / sizeof bounds[0] };

static uint32_t *field(pipeport_options *options, const struct bound *bound)
{
    return (uint32_t *) (void *) ((char *) options + bound->offset);
}

static pipeport_status test_resolve(pipeport_options *out, const pipeport_options *given)
{
    pp_complaint why;
    pipeport_status status = pp_options_resolve(out, given, PIPEPORT_SERVER, &why);
    cr_assert_eq(why.text[0] == '\0', status == PIPEPORT_OK, "%s", why.text);
    return status;
}

/* Those whose bounds are another field's, and texts, are not. */
Test(options, are_all_in_this_table)
{
    size_t numbers = BOUNDS + 2; /* access, access_group */
    size_t others = sizeof(size_t) + sizeof(pipeport_framing) + 2 * sizeof(char *);
    cr_assert_geq(sizeof(pipeport_options), others + numbers * sizeof(uint32_t));
    cr_assert_leq(sizeof(pipeport_options), others + numbers * sizeof(uint32_t) + 2 * sizeof(uint32_t));
}

Test(options, take_their_defaults)
{
    pipeport_options out, zeroed = {.size = sizeof zeroed};
    for (int given = 0; given < 2; ++given) {
        cr_assert_eq(test_resolve(&out, given ? &zeroed : NULL), PIPEPORT_OK);
        for (unsigned i = 0; i < BOUNDS; ++i) {
            cr_assert_eq(*field(&out, &bounds[i]), bounds[i].by_default, "%s", bounds[i].name);
        }
    }
}

Test(options, are_held_to_their_bounds)
{
    for (unsigned i = 0; i < BOUNDS; ++i) {
        const struct bound *bound = &bounds[i];
        pipeport_options out, given = {.size = sizeof given};
        *field(&given, bound) = bound->min;
        cr_assert_eq(test_resolve(&out, &given), PIPEPORT_OK, "%s at its least", bound->name);
        cr_assert_eq(*field(&out, bound), bound->min);
        *field(&given, bound) = bound->max;
        cr_assert_eq(test_resolve(&out, &given), PIPEPORT_OK, "%s at its most", bound->name);
        cr_assert_eq(*field(&out, bound), bound->max);
        if (bound->min > 1) {
            *field(&given, bound) = bound->min - 1;
            cr_assert_eq(test_resolve(&out, &given), PIPEPORT_INVALID, "%s below", bound->name);
        }
        if (bound->max < UINT32_MAX) {
            *field(&given, bound) = bound->max + 1;
            cr_assert_eq(test_resolve(&out, &given), PIPEPORT_INVALID, "%s above", bound->name);
        }
    }
}

Test(options, make_room_for_one_message_where_the_queue_was_left_open)
{
    pipeport_options out, given = {.size = sizeof given, .message_bytes_max = 1 << 30};
    cr_assert_eq(test_resolve(&out, &given), PIPEPORT_OK);
    cr_assert_eq(out.send_queue_bytes_max, (1u << 30) + 4);
    given.send_queue_bytes_max = (1u << 30) + 3;
    cr_assert_eq(test_resolve(&out, &given), PIPEPORT_INVALID);
}

Test(options, take_of_the_pipes_own_messages_what_the_system_takes)
{
    pipeport_options out, given = {.size = sizeof given, .framing = pipeport_framing_message()};
    fake.message_bytes_max = 4000;
    cr_assert_eq(test_resolve(&out, &given), PIPEPORT_OK);
    cr_assert_eq(out.message_bytes_max, 4000);
    cr_assert_eq(out.type, PIPEPORT_TYPE_MESSAGE);
    given.message_bytes_max = 5000; /* Asked for: then it is for the system to say what it lacks. */
    cr_assert_eq(test_resolve(&out, &given), PIPEPORT_OK);
    cr_assert_eq(out.message_bytes_max, 5000);
    given.message_bytes_max = 0;
    fake.message_bytes_max = 1 << 30;
    cr_assert_eq(test_resolve(&out, &given), PIPEPORT_OK);
    cr_assert_eq(out.message_bytes_max, 1 << 20);
}

Test(options, are_refused_where_the_size_is_not_ours)
{
    pipeport_options out, options = {.size = sizeof options + 8};
    pipeport_engine_options engine_out, engine = {.size = 0};
    pipeport_events events_out, events = {.size = 1};
    pp_complaint why;
    cr_assert_eq(test_resolve(&out, &options), PIPEPORT_INVALID);
    cr_assert_eq(pp_options_resolve_engine(&engine_out, &engine, 4, &why), PIPEPORT_INVALID);
    cr_assert_eq(pp_options_resolve_events(&events_out, &events, &why), PIPEPORT_INVALID);
    cr_assert_eq(pp_options_resolve_events(&events_out, NULL, &why), PIPEPORT_INVALID);
}

Test(options, take_one_worker_per_processor_up_to_64)
{
    pipeport_engine_options out, given = {.size = sizeof given};
    pp_complaint why;
    cr_assert_eq(pp_options_resolve_engine(&out, NULL, 7, &why), PIPEPORT_OK);
    cr_assert_eq(out.workers, 7);
    cr_assert_eq(pp_options_resolve_engine(&out, NULL, 300, &why), PIPEPORT_OK);
    cr_assert_eq(out.workers, 64);
    given.workers = 65;
    cr_assert_eq(pp_options_resolve_engine(&out, &given, 7, &why), PIPEPORT_INVALID);
    given.workers = PIPEPORT_HOST_THREADS;
    cr_assert_eq(pp_options_resolve_engine(&out, &given, 7, &why), PIPEPORT_OK);
    cr_assert_eq(out.workers, PIPEPORT_HOST_THREADS);
}

Test(options, keep_rests_from_shrinking)
{
    pipeport_options out, given = {.size = sizeof given, .reconnect_ms = 30001};
    cr_assert_eq(test_resolve(&out, &given), PIPEPORT_OK);
    cr_assert_eq(out.reconnect_max_ms, 30001);
    given.reconnect_max_ms = 30001;
    cr_assert_eq(test_resolve(&out, &given), PIPEPORT_OK);
    given.reconnect_max_ms = 30000;
    cr_assert_eq(test_resolve(&out, &given), PIPEPORT_INVALID);
}
