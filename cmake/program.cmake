# SPDX-License-Identifier: MIT
#
# pipeport_program(NAME SOURCES file... [BARE]) - a program in build/<preset>/bin that uses the library as any user
# does: through <pipeport.h> and the static archive. BARE: without the library (the loops that benchmarks compare with).
function(pipeport_program name)
  cmake_parse_arguments(arg "BARE" "" "SOURCES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  pipeport_house_rules(${name})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  if(arg_BARE)
    target_link_libraries(${name} PRIVATE ${PIPEPORT_SYSTEM_LIBS})
  else()
    target_link_libraries(${name} PRIVATE pipeport_static)
  endif()
endfunction()
