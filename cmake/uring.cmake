# SPDX-License-Identifier: MIT
#
# pipeport_uring - liburing's static archive, for the Linux driver that runs on rings. It becomes part of pipeport.o, as
# mimalloc does, so that whoever links pipeport needs none and sees none of its symbols. Whether the kernel has rings is
# asked when a port is made.

add_library(pipeport_uring INTERFACE)
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  return()
endif()
find_path(PIPEPORT_LIBURING_INCLUDE liburing.h)
find_library(PIPEPORT_LIBURING_ARCHIVE liburing.a)
mark_as_advanced(PIPEPORT_LIBURING_INCLUDE PIPEPORT_LIBURING_ARCHIVE)
if(NOT PIPEPORT_LIBURING_INCLUDE OR NOT PIPEPORT_LIBURING_ARCHIVE)
  message(FATAL_ERROR "pipeport needs liburing.h and liburing.a (2.3 or later) and found none. Install liburing-dev")
endif()
target_link_libraries(pipeport_uring INTERFACE "$<LINK_ONLY:${PIPEPORT_LIBURING_ARCHIVE}>")
