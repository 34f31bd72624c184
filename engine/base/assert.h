/* SPDX-License-Identifier: MIT */
/*
 * assert.h - PP_ASSERT for what only our own bug can break (debug builds), PP_VERIFY where going on would corrupt
 * memory (every build). What the world can break is a status, never one of these.
 */
#ifndef PP_BASE_ASSERT_H
#define PP_BASE_ASSERT_H

/* Prints one line to stderr and aborts. (The keyword and not <stdnoreturn.h>, whose macro breaks other people's
 * __declspec(noreturn).) */
_Noreturn void pp_assert_failed(const char *what, const char *file, int line);

#define PP_VERIFY(what) ((what) ? (void) 0 : pp_assert_failed(#what, __FILE__, __LINE__))

#ifdef NDEBUG
#define PP_ASSERT(what) ((void) sizeof(what))
#else
#define PP_ASSERT(what) PP_VERIFY(what)
#endif

#endif
