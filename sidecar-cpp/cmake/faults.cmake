# tandem-engine-faulty: tandem-engine with faults for test/faults, never installed and in no image. It is linked from the
# ordinary engine's own objects and libraries, so that tandem-engine holds nothing of it and both build in one go.
add_library(tandem_faults OBJECT faults/faults.cc faults/harm.cc faults/one_shot.cc faults/faulty_run.cc)
target_compile_options(tandem_faults PRIVATE ${TANDEM_WARNINGS})
target_link_libraries(tandem_faults PUBLIC tandem_engine)

add_executable(tandem-engine-faulty faults/main.cc $<TARGET_OBJECTS:tandem_main>)
target_compile_options(tandem-engine-faulty PRIVATE ${TANDEM_WARNINGS})
target_link_libraries(tandem-engine-faulty PRIVATE tandem_faults tandem_server tandem_learning)
target_link_options(tandem-engine-faulty PRIVATE LINKER:--wrap=main)

tandem_test(faults tandem_testing)
target_compile_definitions(tandem_faults_test PRIVATE
                           TANDEM_SHIPPED_MODEL="${CMAKE_CURRENT_SOURCE_DIR}/../deploy/models/supersense")
