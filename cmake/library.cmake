# SPDX-License-Identifier: MIT
#
# The libraries, both from one object in which only pipeport_* is global.
#
# A static archive of many members cannot hide a symbol that its members share; one relocatable object can. The shared
# library is made from the same object, so what it exports is what is global there: no list to keep, and no dllexport
# that would make every program linking the archive export our functions.

set(PIPEPORT_ONE_OBJECT "${PROJECT_BINARY_DIR}/pipeport.o")
set(inputs "$<TARGET_OBJECTS:pipeport_objects>")
if(PIPEPORT_MALLOC STREQUAL "mimalloc")
  list(APPEND inputs --whole-archive "${PIPEPORT_MIMALLOC_ARCHIVE}" --no-whole-archive)
endif()
list(APPEND inputs ${PIPEPORT_LIBURING_ARCHIVE})   # what of it is needed
add_custom_command(OUTPUT "${PIPEPORT_ONE_OBJECT}"
  COMMAND ${CMAKE_LINKER} -r -o "${PIPEPORT_ONE_OBJECT}.all" ${inputs}
  COMMAND ${CMAKE_OBJCOPY} --wildcard "--keep-global-symbol=pipeport_*"
          "${PIPEPORT_ONE_OBJECT}.all" "${PIPEPORT_ONE_OBJECT}"
  DEPENDS pipeport_objects "$<TARGET_OBJECTS:pipeport_objects>" ${PIPEPORT_MIMALLOC_ARCHIVE}
  COMMAND_EXPAND_LISTS VERBATIM COMMENT "Linking pipeport.o, in which only pipeport_* is global")
set_source_files_properties("${PIPEPORT_ONE_OBJECT}" PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
add_custom_target(pipeport_one_object DEPENDS "${PIPEPORT_ONE_OBJECT}")

foreach(kind static shared)
  string(TOUPPER ${kind} KIND)
  add_library(pipeport_${kind} ${KIND} "${PIPEPORT_ONE_OBJECT}")
  add_library(pipeport::${kind} ALIAS pipeport_${kind})
  add_dependencies(pipeport_${kind} pipeport_one_object)
  set_target_properties(pipeport_${kind} PROPERTIES LINKER_LANGUAGE C EXPORT_NAME ${kind} OUTPUT_NAME pipeport)
  target_include_directories(pipeport_${kind} INTERFACE
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/engine/include>" "$<INSTALL_INTERFACE:include>")
endforeach()
target_link_libraries(pipeport_static INTERFACE ${PIPEPORT_SYSTEM_LIBS})
target_link_libraries(pipeport_shared PRIVATE ${PIPEPORT_SYSTEM_LIBS})
target_compile_definitions(pipeport_shared INTERFACE PIPEPORT_SHARED=1)
set_target_properties(pipeport_shared PROPERTIES VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
if(WIN32)
  set_target_properties(pipeport_shared PROPERTIES PREFIX "")   # pipeport.dll and libpipeport.dll.a
  target_link_options(pipeport_shared PRIVATE -static -Wl,--export-all-symbols -Wl,--exclude-libs,ALL)
else()
  # never unloaded: a thread that used mimalloc still has its destructor registered when it ends
  target_link_options(pipeport_shared PRIVATE -Wl,-z,nodelete -Wl,-z,defs)
endif()
if(PIPEPORT_SANITIZE)
  pipeport_sanitizer_runtime(pipeport_shared)
  if(NOT WIN32)
    target_link_options(pipeport_static INTERFACE -fsanitize=${PIPEPORT_SANITIZE})
    target_link_options(pipeport_shared PRIVATE LINKER:-z,undefs)
  endif()
endif()

if(BUILD_SHARED_LIBS)
  add_library(pipeport::pipeport ALIAS pipeport_shared)
else()
  add_library(pipeport::pipeport ALIAS pipeport_static)
endif()
