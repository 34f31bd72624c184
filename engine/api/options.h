/* SPDX-License-Identifier: MIT */
/*
 * options.h - what the caller left open and what he asked too much of: defaults and bounds, in one table.
 */
#ifndef PP_API_OPTIONS_H
#define PP_API_OPTIONS_H

#include "engine/include/pipeport.h"
#include "engine/conn/connection.h"

enum { PP_SDDL_BYTES_MAX = 2048 };

/* A sentence about what was refused: the field, what it may be, what it is. "" where nothing was. */
typedef struct pp_complaint {
    char text[PIPEPORT_TEXT_BYTES];
} pp_complaint;

/* Copies with every default filled in; *out is set where it answers OK. `given` may be NULL. Texts are still the
 * caller's. Fails: INVALID (size, or a field out of its bounds), UNSUPPORTED (this system lacks it). */
pipeport_status pp_options_resolve(pipeport_options *out, const pipeport_options *given, pipeport_role role,
                                   pp_complaint *why);

/* What resolved options say of the pipe. Its texts are those of the options. */
pp_plan pp_options_plan(const pipeport_options *options, pipeport_role role);

/* Copies with every default filled in. Fails: INVALID (size, or a field out of its bounds). */
pipeport_status pp_options_resolve_engine(pipeport_engine_options *out, const pipeport_engine_options *given,
                                          uint32_t processors, pp_complaint *why);
pipeport_status pp_options_resolve_events(pipeport_events *out, const pipeport_events *given, pp_complaint *why);

/* A sentence about what only the system could judge, where it says that a server of such options is INVALID. Static. */
const char *pp_options_blame(const pipeport_options *options);

/* What a server or a client is asked to be, resolved. */
typedef struct pp_asked {
    pipeport_options options;
    pipeport_events events;
    char address[PP_ADDRESS_BYTES_MAX];
    pp_complaint why;
} pp_asked;

/* Fails: INVALID, UNSUPPORTED; then only `why` is set. */
pipeport_status pp_options_resolve_start(pp_asked *asked, pipeport_role role, const char *name,
                                         const pipeport_options *options, const pipeport_events *events);

#endif
