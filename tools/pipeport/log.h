/* SPDX-License-Identifier: MIT */
/*
 * log.h - what an engine logs, on stderr, with the system's own words behind a system's code.
 */
#ifndef PIPEPORT_TOOL_LOG_H
#define PIPEPORT_TOOL_LOG_H

/* For pipeport_engine_options.log; log_user is the command's name. Thread: any. */
void log_line(void *who, const char *line);

#endif
