/* SPDX-License-Identifier: MIT */
/*
 * gnu.h - asks the C library for what Linux has beyond C11. Included before all other headers, because it decides what
 * they declare.
 */
#ifndef PIPEPORT_BENCH_LINUX_GNU_H
#define PIPEPORT_BENCH_LINUX_GNU_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#endif
