# One test program a folder, of its *_test.cc files; every test in it is a CTest test.
include(GoogleTest)

tandem_library(testing tandem_engine)

function(tandem_test folder)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*_test.cc)
  add_executable(tandem_${folder}_test ${sources})
  target_compile_options(tandem_${folder}_test PRIVATE ${TANDEM_WARNINGS})
  target_link_libraries(tandem_${folder}_test PRIVATE tandem_${folder} ${ARGN} GTest::gmock GTest::gtest_main)
  gtest_discover_tests(tandem_${folder}_test TEST_PREFIX ${folder}: DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT 300)
endfunction()

tandem_test(base)
tandem_test(kernels)
tandem_test(nir tandem_testing)
tandem_test(loader tandem_testing)
tandem_test(scheduling)
tandem_test(telemetry)
tandem_test(engine tandem_testing)
tandem_test(learning tandem_testing)
tandem_test(server tandem_testing)

# Real files with published results, where this machine has them.
add_executable(tandem_reference_files_check testing/reference_files_check.cc)
target_compile_options(tandem_reference_files_check PRIVATE ${TANDEM_WARNINGS})
target_link_libraries(tandem_reference_files_check PRIVATE tandem_engine)
set(TANDEM_REFERENCE_NIR "$ENV{TANDEM_REFERENCE_NIR}" CACHE PATH "Folder of the NIR paper's files")
if(TANDEM_REFERENCE_NIR)
  add_test(NAME engine:ReferenceFiles COMMAND tandem_reference_files_check ${TANDEM_REFERENCE_NIR})
endif()

# What test/conformance compares its written cases with.
add_executable(tandem-conformance testing/conformance_run_main.cc)
target_compile_options(tandem-conformance PRIVATE ${TANDEM_WARNINGS})
target_link_libraries(tandem-conformance PRIVATE tandem_testing)
