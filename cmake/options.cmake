# SPDX-License-Identifier: MIT
#
# pipeport_house_rules(TARGET) - the language, the warnings, and whatever else every target of the house has.

set(PIPEPORT_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined or thread")
option(PIPEPORT_FUZZ "Build the fuzz targets of tests/fuzz with libFuzzer (clang), and no other test" OFF)

# What the system must give to everybody who links the library; goes into the installed package too.
add_library(pipeport_system INTERFACE)
if(WIN32)
  set(PIPEPORT_SYSTEM_LIBS synchronization advapi32 ntdll)
  if(PIPEPORT_MALLOC STREQUAL "mimalloc")
    list(APPEND PIPEPORT_SYSTEM_LIBS psapi shell32 user32 bcrypt)   # mimalloc's own needs
  endif()
else()
  set(PIPEPORT_SYSTEM_LIBS pthread)
endif()
target_link_libraries(pipeport_system INTERFACE ${PIPEPORT_SYSTEM_LIBS})

# What a program or shared library of ours needs to run with sanitizers. mingw-w64 has no runtime for them; for
# -fsanitize=undefined there is one of ours.
function(pipeport_sanitizer_runtime target)
  if(WIN32)
    target_sources(${target} PRIVATE "$<TARGET_OBJECTS:pipeport_ubsan>")
  else()
    target_link_options(${target} PUBLIC -fsanitize=${PIPEPORT_SANITIZE})
  endif()
endfunction()

function(pipeport_house_rules target)
  set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
    -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wundef -Wvla -Wformat=2 -Wwrite-strings
    -Wpointer-arith -Wcast-qual -Wdouble-promotion -Wimplicit-fallthrough)
  if(PIPEPORT_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  # engine/port/port.h: an OVERLAPPED and a pointer; a letter's link and a pointer
  target_compile_definitions(${target} PRIVATE PP_OP_ROOM_WORDS=$<IF:$<BOOL:${WIN32}>,5,2>)
  if(WIN32)
    # printf as C11 has it (%zu, PRIu64), and programs that need no DLL beside them
    target_compile_definitions(${target} PRIVATE __USE_MINGW_ANSI_STDIO=1)
    target_link_options(${target} PRIVATE -static)
  endif()
  if(PIPEPORT_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${PIPEPORT_SANITIZE} -fno-sanitize-recover=all
      -fno-omit-frame-pointer)
    target_compile_definitions(${target} PRIVATE PP_SANITIZED=1)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
      pipeport_sanitizer_runtime(${target})
    endif()
  endif()
  if(PIPEPORT_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

if(PIPEPORT_SANITIZE AND WIN32)
  if(NOT PIPEPORT_SANITIZE STREQUAL "undefined")
    message(FATAL_ERROR "on Windows there is only -DPIPEPORT_SANITIZE=undefined; this is ${PIPEPORT_SANITIZE}")
  endif()
  add_library(pipeport_ubsan OBJECT tests/support/windows/ubsan.c)
  pipeport_house_rules(pipeport_ubsan)
  target_compile_options(pipeport_ubsan PRIVATE -fno-sanitize=all)
  target_include_directories(pipeport_ubsan PRIVATE "${PROJECT_SOURCE_DIR}")
endif()
