/* SPDX-License-Identifier: MIT */
/* hints.h - what is said to the compiler for speed alone; every one of them may be empty. */
#ifndef PP_BASE_HINTS_H
#define PP_BASE_HINTS_H

/* The long way of a function that mostly takes a short one: inlined there, the registers it needs would be saved on the
 * short way, too. Not cold: where one message is in flight it is the way of every answer. */
#ifdef __GNUC__
#define PP_APART __attribute__((noinline))
#else
#define PP_APART
#endif

/* What lies there is read soon. */
#ifdef __GNUC__
#define PP_SOON(place) __builtin_prefetch(place)
#else
#define PP_SOON(place) ((void) (place))
#endif

#endif
