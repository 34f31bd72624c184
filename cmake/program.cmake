# SPDX-License-Identifier: MIT
#
# pipeport_program(NAME SOURCES file... [BARE]) - a program in build/<preset>/bin that uses the library as any user
# does: through <pipeport.h> and the static archive. BARE: without the library (the loops that benchmarks compare with).

# A program of ours takes its arguments, and names of files, for UTF-8. So does Windows with it, from 10 1903 on ("Use
# UTF-8 code pages in Windows apps"): main, fopen, CreateProcessA. Before that they are in the code page of the machine.
# An object of its own, for the house's options are no resource compiler's.
if(WIN32 AND (PIPEPORT_BUILD_TOOLS OR PIPEPORT_BUILD_BENCH OR PIPEPORT_BUILD_TESTS))
  enable_language(RC)
  add_library(pipeport_utf8 OBJECT "${PROJECT_SOURCE_DIR}/cmake/utf8.rc")
  target_include_directories(pipeport_utf8 PRIVATE "${PROJECT_SOURCE_DIR}")
  set_source_files_properties("${PROJECT_SOURCE_DIR}/cmake/utf8.rc" PROPERTIES
    OBJECT_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/utf8.manifest")
endif()

function(pipeport_program name)
  cmake_parse_arguments(arg "BARE" "" "SOURCES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  if(WIN32)
    target_sources(${name} PRIVATE "$<TARGET_OBJECTS:pipeport_utf8>")
  endif()
  pipeport_house_rules(${name})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  if(arg_BARE)
    target_link_libraries(${name} PRIVATE ${PIPEPORT_SYSTEM_LIBS})
  else()
    target_link_libraries(${name} PRIVATE pipeport_static)
  endif()
endfunction()
