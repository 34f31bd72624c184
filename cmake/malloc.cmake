# SPDX-License-Identifier: MIT
#
# pipeport_malloc - what engine/base allocates from: a static mimalloc that overrides nothing, or the C library.
#
# A mimalloc built with MI_OVERRIDE (every distribution's shared one is) would replace malloc in the whole process of
# whoever embeds pipeport. So only a static archive is taken, the project's own build of it first (tools/setup makes it
# in .deps), and a test looks at its symbols.

add_library(pipeport_malloc INTERFACE)
if(PIPEPORT_MALLOC STREQUAL "libc")
  target_compile_definitions(pipeport_malloc INTERFACE PP_MALLOC_LIBC=1)
  return()
elseif(NOT PIPEPORT_MALLOC STREQUAL "mimalloc")
  message(FATAL_ERROR "PIPEPORT_MALLOC is '${PIPEPORT_MALLOC}'; it must be mimalloc or libc")
endif()

string(TOLOWER "${CMAKE_SYSTEM_NAME}" system)
find_package(mimalloc 2 CONFIG QUIET NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH
  PATHS "${PROJECT_SOURCE_DIR}/.deps/${system}")
if(NOT mimalloc_FOUND)
  find_package(mimalloc 2 CONFIG QUIET)
endif()
if(NOT TARGET mimalloc-static)
  message(FATAL_ERROR "pipeport needs a static mimalloc built without MI_OVERRIDE and found none. Run tools/setup in "
    "${PROJECT_SOURCE_DIR}, or name one with -Dmimalloc_DIR=..., or take the C library's with -DPIPEPORT_MALLOC=libc")
endif()
get_target_property(PIPEPORT_MIMALLOC_INCLUDE mimalloc-static INTERFACE_INCLUDE_DIRECTORIES)
set(PIPEPORT_MIMALLOC_ARCHIVE "$<TARGET_FILE:mimalloc-static>")
target_include_directories(pipeport_malloc SYSTEM INTERFACE "${PIPEPORT_MIMALLOC_INCLUDE}")
# $<LINK_ONLY> and the bare file: its own interface names the build machine's libpthread.a by path
target_link_libraries(pipeport_malloc INTERFACE "$<LINK_ONLY:${PIPEPORT_MIMALLOC_ARCHIVE}>")
