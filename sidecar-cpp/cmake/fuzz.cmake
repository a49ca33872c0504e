# The fuzz targets. With TANDEM_FUZZ (Clang) each is a libFuzzer program for `npm run test:fuzz -- --cpp`; otherwise it
# replays the seeds as an ordinary test, so that the targets keep building and holding.
add_library(tandem_fuzz STATIC fuzz/compile.cc fuzz/messages.cc)
target_compile_options(tandem_fuzz PRIVATE ${TANDEM_WARNINGS})
target_link_libraries(tandem_fuzz PUBLIC tandem_server tandem_testing)

add_executable(tandem-fuzz-seeds fuzz/seeds.cc)
target_compile_options(tandem-fuzz-seeds PRIVATE ${TANDEM_WARNINGS})
target_link_libraries(tandem-fuzz-seeds PRIVATE tandem_fuzz)

set(TANDEM_FUZZ_SEEDS ${CMAKE_CURRENT_BINARY_DIR}/fuzz-seeds)
add_test(NAME fuzz:Seeds COMMAND tandem-fuzz-seeds ${TANDEM_FUZZ_SEEDS})
set_tests_properties(fuzz:Seeds PROPERTIES FIXTURES_SETUP fuzz-seeds)

foreach(target reader answer request stream)
  add_executable(tandem-fuzz-${target} fuzz/${target}.cc)
  target_compile_options(tandem-fuzz-${target} PRIVATE ${TANDEM_WARNINGS})
  target_link_libraries(tandem-fuzz-${target} PRIVATE tandem_fuzz)
  if(TANDEM_FUZZ)
    target_link_options(tandem-fuzz-${target} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(tandem-fuzz-${target} PRIVATE fuzz/replay.cc)
    # Inputs that once broke something are kept in fuzz/found.
    set(inputs ${TANDEM_FUZZ_SEEDS}/${target})
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/found/${target})
      list(APPEND inputs ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/found/${target})
    endif()
    add_test(NAME fuzz:${target} COMMAND tandem-fuzz-${target} ${inputs})
    set_tests_properties(fuzz:${target} PROPERTIES FIXTURES_REQUIRED fuzz-seeds TIMEOUT 120)
  endif()
endforeach()
