/* SPDX-License-Identifier: MIT */
/*
 * memory.h (simulated) - the heap's one door with a guard before it: takes fail by the seed, and nothing may be freed
 * in which a pending operation or what it was lent lies. By the linker's --wrap, so that engine/base/memory.c itself is
 * run and judged. Likewise: what an assert of the engine says becomes a failure of the seed, and a party is looked at
 * in the last moment of its life.
 */
#ifndef TESTS_SIM_MEMORY_H
#define TESTS_SIM_MEMORY_H

#include "engine/api/engine.h"

void *__real_pp_memory_take(pp_memory *memory, size_t bytes);
void *__real_pp_memory_take_zeroed(pp_memory *memory, size_t bytes);
void __real_pp_memory_give(pp_memory *memory, void *block, size_t bytes);
void __real_pp_engine_leave(pipeport_engine *engine, pp_party *party);

void *__wrap_pp_memory_take(pp_memory *memory, size_t bytes);
void *__wrap_pp_memory_take_zeroed(pp_memory *memory, size_t bytes);
void __wrap_pp_memory_give(pp_memory *memory, void *block, size_t bytes);
void __real_pp_hub_fini(pp_hub *hub);
void __wrap_pp_hub_fini(pp_hub *hub);
void __wrap_pp_engine_leave(pipeport_engine *engine, pp_party *party);
_Noreturn void __wrap_pp_assert_failed(const char *what, const char *file, int line);

#endif
