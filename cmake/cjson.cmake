# SPDX-License-Identifier: MIT
#
# pipeport_cjson - cJSON, static, by which the benchmarks read their own files; the library itself has no need of it.
# The project's own build of it comes first (tools/setup makes it in .deps, for both systems), then the system's.

add_library(pipeport_cjson INTERFACE)
string(TOLOWER "${CMAKE_SYSTEM_NAME}" system)
find_path(PIPEPORT_CJSON_INCLUDE cjson/cJSON.h NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH
  PATHS "${PROJECT_SOURCE_DIR}/.deps/${system}/include")
find_library(PIPEPORT_CJSON_LIBRARY libcjson.a NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH
  PATHS "${PROJECT_SOURCE_DIR}/.deps/${system}/lib")
find_path(PIPEPORT_CJSON_INCLUDE cjson/cJSON.h)
find_library(PIPEPORT_CJSON_LIBRARY cjson)
mark_as_advanced(PIPEPORT_CJSON_INCLUDE PIPEPORT_CJSON_LIBRARY)
if(NOT PIPEPORT_CJSON_INCLUDE OR NOT PIPEPORT_CJSON_LIBRARY)
  message(FATAL_ERROR "pipeport's benchmarks need cJSON (1.7) and found none. Run tools/setup in "
    "${PROJECT_SOURCE_DIR}, or install libcjson-dev, or leave them out with -DPIPEPORT_BUILD_BENCH=OFF")
endif()
target_include_directories(pipeport_cjson SYSTEM INTERFACE "${PIPEPORT_CJSON_INCLUDE}")
target_link_libraries(pipeport_cjson INTERFACE "${PIPEPORT_CJSON_LIBRARY}")
target_compile_definitions(pipeport_cjson INTERFACE CJSON_HIDE_SYMBOLS=1)   # no dllexport in whoever includes it
