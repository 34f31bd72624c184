/* SPDX-License-Identifier: MIT */
/*
 * stdatomic.h - stands in front of the compiler's own: each operation that the engine uses takes a step first
 * (tests/sim/step.h), and a weak compare-exchange may fail for no reason.
 *
 * What is explored with it are the values: one operation after the other in some order, each seen by all (sequentially
 * consistent), whatever memory order it names. Nothing comes between the plain accesses that lie between two atomic
 * ones. An operation by name only: `counter += 1` on an atomic object takes no step. atomic_init takes none: nobody
 * else sees the object yet.
 *
 * Operands are evaluated before the step, so that an operation in an operand is a step of its own.
 */
#ifndef TESTS_SIM_SHADOW_STDATOMIC_H
#define TESTS_SIM_SHADOW_STDATOMIC_H

#pragma GCC system_header /* Statement expressions and #include_next, as in the header it shadows. */

#include_next <stdatomic.h>

#include "tests/sim/shadow/touch.h"

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_exchange_explicit
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit
#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_or
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and
#undef atomic_fetch_and_explicit
#undef atomic_fetch_xor
#undef atomic_fetch_xor_explicit
#undef atomic_flag_test_and_set
#undef atomic_flag_test_and_set_explicit
#undef atomic_flag_clear
#undef atomic_flag_clear_explicit
#undef atomic_thread_fence

/* The operations themselves: gcc's builtins take _Atomic objects, clang has others for them. */
#ifdef __clang__
#define SIM_LOAD(object, order) __c11_atomic_load(object, order)
#define SIM_STORE(object, value, order) __c11_atomic_store(object, value, order)
#define SIM_EXCHANGE(object, value, order) __c11_atomic_exchange(object, value, order)
#define SIM_COMPARE(object, expected, value, order, failed)                                                            \
    __c11_atomic_compare_exchange_strong(object, expected, value, order, failed)
#define SIM_FETCH(verb, object, value, order) __c11_atomic_fetch_##verb(object, value, order)
#else
#define SIM_LOAD(object, order) __atomic_load_n(object, order)
#define SIM_STORE(object, value, order) __atomic_store_n(object, value, order)
#define SIM_EXCHANGE(object, value, order) __atomic_exchange_n(object, value, order)
#define SIM_COMPARE(object, expected, value, order, failed)                                                            \
    __atomic_compare_exchange_n(object, expected, value, 0, order, failed)
#define SIM_FETCH(verb, object, value, order) __atomic_fetch_##verb(object, value, order)
#endif

/* The comma takes the qualifiers off. */
#define SIM_VALUE_OF(object) __typeof__((void) 0, *(object))

#define atomic_load_explicit(object, order)                                                                            \
    __extension__({                                                                                                    \
        __auto_type sim_object = (object);                                                                             \
        sim_touches(sim_object, sizeof *sim_object, 0);                                                                \
        SIM_LOAD(sim_object, order);                                                                                   \
    })

#define atomic_store_explicit(object, value, order)                                                                    \
    __extension__({                                                                                                    \
        __auto_type sim_object = (object);                                                                             \
        SIM_VALUE_OF(sim_object) sim_value = (value);                                                                  \
        sim_touches(sim_object, sizeof *sim_object, 1);                                                                \
        SIM_STORE(sim_object, sim_value, order);                                                                       \
    })

#define atomic_exchange_explicit(object, value, order)                                                                 \
    __extension__({                                                                                                    \
        __auto_type sim_object = (object);                                                                             \
        SIM_VALUE_OF(sim_object) sim_value = (value);                                                                  \
        sim_touches(sim_object, sizeof *sim_object, 1);                                                                \
        SIM_EXCHANGE(sim_object, sim_value, order);                                                                    \
    })

#define atomic_compare_exchange_strong_explicit(object, expected, value, order, failed)                                \
    __extension__({                                                                                                    \
        __auto_type sim_object = (object);                                                                             \
        __auto_type sim_expected = (expected);                                                                         \
        SIM_VALUE_OF(sim_object) sim_value = (value);                                                                  \
        sim_touches(sim_object, sizeof *sim_object, 1);                                                                \
        SIM_COMPARE(sim_object, sim_expected, sim_value, order, failed);                                               \
    })

#define atomic_compare_exchange_weak_explicit(object, expected, value, order, failed)                                  \
    __extension__({                                                                                                    \
        __auto_type sim_object = (object);                                                                             \
        __auto_type sim_expected = (expected);                                                                         \
        SIM_VALUE_OF(sim_object) sim_value = (value);                                                                  \
        sim_touches(sim_object, sizeof *sim_object, 1);                                                                \
        _Bool sim_fails = sim_step_fails_weakly();                                                                     \
        if (sim_fails) {                                                                                               \
            *sim_expected = SIM_LOAD(sim_object, failed);                                                              \
        }                                                                                                              \
        !sim_fails &&SIM_COMPARE(sim_object, sim_expected, sim_value, order, failed);                                  \
    })

#define SIM_FETCH_STEP(verb, object, value, order)                                                                     \
    __extension__({                                                                                                    \
        __auto_type sim_object = (object);                                                                             \
        __auto_type sim_value = (value);                                                                               \
        sim_touches(sim_object, sizeof *sim_object, 1);                                                                \
        SIM_FETCH(verb, sim_object, sim_value, order);                                                                 \
    })

#define atomic_fetch_add_explicit(object, value, order) SIM_FETCH_STEP(add, object, value, order)
#define atomic_fetch_sub_explicit(object, value, order) SIM_FETCH_STEP(sub, object, value, order)
#define atomic_fetch_or_explicit(object, value, order) SIM_FETCH_STEP(or, object, value, order)
#define atomic_fetch_and_explicit(object, value, order) SIM_FETCH_STEP(and, object, value, order)
#define atomic_fetch_xor_explicit(object, value, order) SIM_FETCH_STEP(xor, object, value, order)

#define atomic_load(object) atomic_load_explicit(object, memory_order_seq_cst)
#define atomic_store(object, value) atomic_store_explicit(object, value, memory_order_seq_cst)
#define atomic_exchange(object, value) atomic_exchange_explicit(object, value, memory_order_seq_cst)
#define atomic_compare_exchange_strong(object, expected, value)                                                        \
    atomic_compare_exchange_strong_explicit(object, expected, value, memory_order_seq_cst, memory_order_seq_cst)
#define atomic_compare_exchange_weak(object, expected, value)                                                          \
    atomic_compare_exchange_weak_explicit(object, expected, value, memory_order_seq_cst, memory_order_seq_cst)
#define atomic_fetch_add(object, value) atomic_fetch_add_explicit(object, value, memory_order_seq_cst)
#define atomic_fetch_sub(object, value) atomic_fetch_sub_explicit(object, value, memory_order_seq_cst)
#define atomic_fetch_or(object, value) atomic_fetch_or_explicit(object, value, memory_order_seq_cst)
#define atomic_fetch_and(object, value) atomic_fetch_and_explicit(object, value, memory_order_seq_cst)
#define atomic_fetch_xor(object, value) atomic_fetch_xor_explicit(object, value, memory_order_seq_cst)

#define atomic_flag_test_and_set_explicit(flag, order)                                                                 \
    __extension__({                                                                                                    \
        volatile atomic_flag *sim_flag = (flag);                                                                       \
        sim_touches(sim_flag, sizeof *sim_flag, 1);                                                                    \
        __atomic_test_and_set(sim_flag, order);                                                                        \
    })
#define atomic_flag_clear_explicit(flag, order)                                                                        \
    __extension__({                                                                                                    \
        volatile atomic_flag *sim_flag = (flag);                                                                       \
        sim_touches(sim_flag, sizeof *sim_flag, 1);                                                                    \
        __atomic_clear((volatile _Bool *) sim_flag, order);                                                            \
    })
#define atomic_flag_test_and_set(flag) atomic_flag_test_and_set_explicit(flag, memory_order_seq_cst)
#define atomic_flag_clear(flag) atomic_flag_clear_explicit(flag, memory_order_seq_cst)

#define atomic_thread_fence(order)                                                                                     \
    __extension__({                                                                                                    \
        sim_touches((const void *) 0, 0, 1);                                                                           \
        __atomic_thread_fence(order);                                                                                  \
    })

#endif
