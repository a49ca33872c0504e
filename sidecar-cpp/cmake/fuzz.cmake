# The fuzz targets. With TANDEM_FUZZ (Clang) each is a libFuzzer program for `npm run test:fuzz -- --cpp`; otherwise it
# replays the seeds as an ordinary test, so that the targets keep building and holding.
add_library(tandem_fuzz_graphs STATIC fuzz/compile.cc)
target_compile_options(tandem_fuzz_graphs PRIVATE ${TANDEM_WARNINGS})
target_link_libraries(tandem_fuzz_graphs PUBLIC tandem_engine tandem_testing)

add_library(tandem_fuzz_messages STATIC fuzz/messages.cc)
target_compile_options(tandem_fuzz_messages PRIVATE ${TANDEM_WARNINGS})
target_link_libraries(tandem_fuzz_messages PUBLIC tandem_proto PkgConfig::XXHASH)

add_executable(tandem-fuzz-seeds fuzz/seeds.cc)
target_compile_options(tandem-fuzz-seeds PRIVATE ${TANDEM_WARNINGS})
target_link_libraries(tandem-fuzz-seeds PRIVATE tandem_fuzz_graphs tandem_fuzz_messages)

set(TANDEM_FUZZ_SEEDS ${CMAKE_CURRENT_BINARY_DIR}/fuzz-seeds)
add_test(NAME fuzz:Seeds COMMAND tandem-fuzz-seeds ${TANDEM_FUZZ_SEEDS})
set_tests_properties(fuzz:Seeds PROPERTIES FIXTURES_SETUP fuzz-seeds)

set(tandem_fuzz_reader tandem_fuzz_graphs)
set(tandem_fuzz_answer tandem_fuzz_graphs)
set(tandem_fuzz_request tandem_fuzz_messages tandem_server tandem_testing)
set(tandem_fuzz_stream ${tandem_fuzz_request})
foreach(target reader answer request stream)
  add_executable(tandem-fuzz-${target} fuzz/${target}.cc)
  target_compile_options(tandem-fuzz-${target} PRIVATE ${TANDEM_WARNINGS})
  target_link_libraries(tandem-fuzz-${target} PRIVATE ${tandem_fuzz_${target}})
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
