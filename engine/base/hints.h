/* SPDX-License-Identifier: MIT */
/* hints.h - what is said to the compiler for speed alone; every one of them may be empty. */
#ifndef PP_BASE_HINTS_H
#define PP_BASE_HINTS_H

/* The rare way out of a function that is called for each message: inlined there, the registers it needs would be saved
 * for each message, too. */
#ifdef __GNUC__
#define PP_RARE __attribute__((noinline, cold))
#else
#define PP_RARE
#endif

#endif
