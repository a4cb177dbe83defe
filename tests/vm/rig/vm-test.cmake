# belay_add_vm_test(NAME name EXECUTABLE target [ARGS args...] [KERNELS 6.12 newest] [TIMEOUT seconds]
#                   [MEMORY MB] [CPUS n] [LABELS label...])
#
# One ctest per kernel, vm.NAME.KERNEL, that runs the (Qt Test) program as root in a guest of that kernel and
# passes if it exits with 0. The guest has this build folder under the same path. What is written to
# /run/belay-job (where the program starts) is kept, beside output and console.log, in vm-logs/NAME.KERNEL.
# TIMEOUT (480, for a machine that is shared and slow) is for the program alone; ctest's own limit leaves room for
# making a saved state and for the ten times longer time of the long forms, which the rig sees to. Of the processors
# that ctest shares out each counts as two, because an emulated machine keeps one busy and most other tests do not.
# What is built for 32-bit ARM runs on 6.12-armhf, where no KERNELS are named.
set(BELAY_VM_RIG ${CMAKE_CURRENT_LIST_DIR})
set(BELAY_VM_KERNELS 6.12 newest)
if(CMAKE_CROSSCOMPILING)
  set(BELAY_VM_KERNELS 6.12-armhf)
endif()

function(belay_add_vm_test)
  cmake_parse_arguments(ARG "" "NAME;EXECUTABLE;TIMEOUT;MEMORY;CPUS" "ARGS;KERNELS;LABELS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_NAME OR NOT ARG_EXECUTABLE)
    message(FATAL_ERROR "belay_add_vm_test: wrong arguments: ${ARGN}")
  endif()
  if(NOT ARG_KERNELS)
    set(ARG_KERNELS ${BELAY_VM_KERNELS})
  endif()
  foreach(default "TIMEOUT 480" "MEMORY 1024" "CPUS 1")
    separate_arguments(default)
    list(POP_FRONT default key)
    if(NOT ARG_${key})
      set(ARG_${key} ${default})
    endif()
  endforeach()
  math(EXPR limit "${ARG_TIMEOUT} * 10 + 300")
  foreach(kernel IN LISTS ARG_KERNELS)
    add_test(NAME vm.${ARG_NAME}.${kernel}
      COMMAND ${BELAY_VM_RIG}/run -k ${kernel} -t ${ARG_TIMEOUT} -m ${ARG_MEMORY} -c ${ARG_CPUS}
        -K ${CMAKE_BINARY_DIR}/vm-logs/${ARG_NAME}.${kernel} -- $<TARGET_FILE:${ARG_EXECUTABLE}> ${ARG_ARGS})
    belay_test_targets(vm.${ARG_NAME}.${kernel} ${ARG_EXECUTABLE})
    math(EXPR share "${ARG_CPUS} * 2")
    set_tests_properties(vm.${ARG_NAME}.${kernel} PROPERTIES
      LABELS "vm;${ARG_LABELS}" TIMEOUT ${limit} PROCESSORS ${share})
  endforeach()
endfunction()
