# For BELAY_QUICK: the headers that most tests read are read once; to most tests the compiler gives more time for
# them than for the test itself. Qt Test is not among them: it wants another macro in each folder.

# What the tests themselves compute is little; with the sanitizers, and by clang, nothing is optimised at all. GCC 12
# forgets that the headers are the system's and reports its own mistakes in <string>.
set(belay_test_options -Winvalid-pch)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  list(APPEND belay_test_options -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow
    -Wno-stringop-overread)
  if(NOT BELAY_SANITIZE)
    list(APPEND belay_test_options -O1)
  endif()
endif()

# belay_shared_headers(NAME LIBRARIES libraries... HEADERS headers...): the target that reads them.
function(belay_shared_headers name)
  cmake_parse_arguments(ARG "" "" "LIBRARIES;HEADERS" ${ARGN})
  set(empty ${CMAKE_CURRENT_BINARY_DIR}/empty.cpp)
  file(TOUCH ${empty})
  add_library(${name} OBJECT ${empty})
  add_library(${name}_libraries INTERFACE)
  target_link_libraries(${name}_libraries INTERFACE belay_options nlohmann_json::nlohmann_json ${BELAY_FMT}
    tl::expected ${ARG_LIBRARIES})
  target_link_libraries(${name} PRIVATE ${name}_libraries)
  target_compile_options(${name} PRIVATE ${belay_test_options})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS} <fmt/format.h> <nlohmann/json.hpp> <tl/expected.hpp>
    <algorithm> <chrono> <functional> <map> <memory> <optional> <set> <string> <vector>)
endfunction()

# belay_use_shared_headers(HEADERS folders...): for all test programs of these folders.
function(belay_use_shared_headers headers)
  foreach(folder IN LISTS ARGN)
    get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
    list(FILTER targets INCLUDE REGEX "^tst_")
    foreach(target IN LISTS targets)
      # The macros that these headers were read with.
      target_link_libraries(${target} PRIVATE ${headers}_libraries)
      target_precompile_headers(${target} REUSE_FROM ${headers})
      target_compile_options(${target} PRIVATE ${belay_test_options})
    endforeach()
  endforeach()
endfunction()
