/* SPDX-License-Identifier: MIT */
/*
 * options.h - what the caller left open and what he asked too much of: defaults and bounds, in one table.
 */
#ifndef PP_API_OPTIONS_H
#define PP_API_OPTIONS_H

#include "engine/include/pipeport.h"

/* Copies with every default filled in. `given` may be NULL. Fails: INVALID (size, or a field out of its bounds). */
pipeport_status pp_options_resolve(pipeport_options *out, const pipeport_options *given);
pipeport_status pp_options_resolve_engine(pipeport_engine_options *out, const pipeport_engine_options *given,
                                          uint32_t processors);
pipeport_status pp_options_resolve_events(pipeport_events *out, const pipeport_events *given);

#endif
