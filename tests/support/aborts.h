/* SPDX-License-Identifier: MIT */
/*
 * aborts.h - Test(file, a_sentence, TEST_ABORTS) passes if its body ends in abort. Windows knows no signals: there
 * abort ends the process with 3.
 */
#ifndef TESTS_SUPPORT_ABORTS_H
#define TESTS_SUPPORT_ABORTS_H

#include <signal.h>

#ifdef _WIN32
#define TEST_ABORTS .exit_code = 3
#else
#define TEST_ABORTS .signal = SIGABRT
#endif

#endif
