# belay_test_targets(TEST targets...): what has to be built before a test can run, beside what these targets depend on.
# tests/run builds no more than that when it is asked for some of the tests; for one without such a line, all there is.
function(belay_test_targets test)
  list(JOIN ARGN " " targets)
  set_property(GLOBAL APPEND PROPERTY BELAY_TEST_TARGETS "${test} ${targets}")
endfunction()

# The file that tests/run reads: a line "TEST TARGET..." for each test.
function(belay_write_test_targets)
  get_property(lines GLOBAL PROPERTY BELAY_TEST_TARGETS)
  list(JOIN lines "\n" text)
  file(WRITE ${CMAKE_BINARY_DIR}/test-targets "${text}\n")
endfunction()
