# SPDX-License-Identifier: MIT
#
# What a user gets: <pipeport.h> and its parts, both libraries, find_package(pipeport), pkg-config. Both packages find
# their folder from where they lie, so that an installed tree can be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

foreach(part pipeport pipeport_framing pipeport_options pipeport_status)
  install(FILES "engine/include/${part}.h" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
endforeach()
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(TARGETS pipeport_static pipeport_shared EXPORT pipeport
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")

set(package "${CMAKE_INSTALL_LIBDIR}/cmake/pipeport")
install(EXPORT pipeport NAMESPACE pipeport:: FILE pipeport-targets.cmake DESTINATION "${package}")
file(WRITE "${PROJECT_BINARY_DIR}/pipeport-config.cmake" [[
# find_package(pipeport): pipeport::static, pipeport::shared, and pipeport::pipeport, which is the shared one if
# BUILD_SHARED_LIBS is set and the static one if not.
include("${CMAKE_CURRENT_LIST_DIR}/pipeport-targets.cmake")
if(NOT TARGET pipeport::pipeport)
  add_library(pipeport::pipeport INTERFACE IMPORTED)
  if(BUILD_SHARED_LIBS)
    set_property(TARGET pipeport::pipeport PROPERTY INTERFACE_LINK_LIBRARIES pipeport::shared)
  else()
    set_property(TARGET pipeport::pipeport PROPERTY INTERFACE_LINK_LIBRARIES pipeport::static)
  endif()
endif()
]])
write_basic_package_version_file("${PROJECT_BINARY_DIR}/pipeport-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/pipeport-config.cmake" "${PROJECT_BINARY_DIR}/pipeport-config-version.cmake"
  DESTINATION "${package}")

string(REGEX REPLACE "([^;]+)" "-l\\1" pc_libs "${PIPEPORT_SYSTEM_LIBS}")
list(JOIN pc_libs " " pc_libs)
# from lib/pkgconfig (or lib/<triplet>/pkgconfig) up to the prefix
file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
file(WRITE "${PROJECT_BINARY_DIR}/pipeport.pc" "prefix=\${pcfiledir}/${up}
includedir=\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}
libdir=\${prefix}/${CMAKE_INSTALL_LIBDIR}

Name: pipeport
Description: ${PROJECT_DESCRIPTION}
Version: ${PROJECT_VERSION}
Cflags: -I\${includedir}
Libs: -L\${libdir} -lpipeport
Libs.private: ${pc_libs}
")
install(FILES "${PROJECT_BINARY_DIR}/pipeport.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
