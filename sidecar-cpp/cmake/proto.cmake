# Generates the C++ of ../proto, and of the OpenTelemetry protocol, into the build folder: a library of each.
get_filename_component(PROTO_DIR ${CMAKE_CURRENT_SOURCE_DIR}/../proto ABSOLUTE)
set(PROTO_OUT ${CMAKE_CURRENT_BINARY_DIR}/proto)
file(MAKE_DIRECTORY ${PROTO_OUT})
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

# tandem_proto_sources(<out variable> <GRPC or NONE> <folder> <file under it>…)
function(tandem_proto_sources out kind root)
  set(sources)
  foreach(file ${ARGN})
    string(REGEX REPLACE "\\.proto$" "" stem ${file})
    set(made ${PROTO_OUT}/${stem}.pb.cc)
    set(flags --cpp_out=${PROTO_OUT})
    if(kind STREQUAL GRPC)
      list(APPEND made ${PROTO_OUT}/${stem}.grpc.pb.cc)
      list(APPEND flags --grpc_out=${PROTO_OUT} --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN})
    endif()
    add_custom_command(
      OUTPUT ${made}
      COMMAND protobuf::protoc -I ${root} ${flags} ${root}/${file}
      DEPENDS ${root}/${file}
      COMMENT "protoc ${file}"
      VERBATIM)
    list(APPEND sources ${made})
  endforeach()
  set(${out} ${sources} PARENT_SCOPE)
endfunction()

# tandem_proto_library(<name> <sources>…); all of them share one set of precompiled headers, with telemetry and engine.
function(tandem_proto_library name)
  add_library(${name} STATIC ${ARGN})
  target_include_directories(${name} SYSTEM PUBLIC ${PROTO_OUT})
  target_compile_definitions(${name} PRIVATE _GLIBCXX_ASSERTIONS)
  target_link_libraries(${name} PUBLIC gRPC::grpc++ protobuf::libprotobuf)
  if(name STREQUAL tandem_proto)
    target_precompile_headers(${name} PRIVATE ${TANDEM_STANDARD_HEADERS} <grpcpp/grpcpp.h>)
  else()
    target_precompile_headers(${name} REUSE_FROM tandem_proto)
  endif()
endfunction()

tandem_proto_sources(ENGINE_PROTO GRPC ${PROTO_DIR} tandem/engine/v1/engine.proto)
tandem_proto_sources(ERRORS NONE ${PROTO_DIR} google/rpc/status.proto google/rpc/error_details.proto)
tandem_proto_library(tandem_proto ${ENGINE_PROTO} ${ERRORS})
# The engine's own messages are on its way; how gRPC calls it and what errors hold is not.
tandem_quick_to_compile(${PROTO_OUT}/tandem/engine/v1/engine.grpc.pb.cc ${ERRORS})

# What the router's callers send, for the benchmarks.
if(TANDEM_TESTS)
  tandem_proto_sources(REASONING NONE ${PROTO_DIR} tandem/v1/types.proto tandem/v1/reasoning.proto)
  tandem_proto_library(tandem_reasoning_proto ${REASONING})
endif()

# OTLP, for telemetry/: opentelemetry-cpp is in no registry that this project reaches, its protocol is in an npm package.
set(TANDEM_OTLP_PROTOS ${CMAKE_CURRENT_SOURCE_DIR}/../node_modules/otlp-protos/build/protos CACHE PATH
    "Folder of opentelemetry/proto/…")
set(OTLP opentelemetry/proto)
if(NOT EXISTS ${TANDEM_OTLP_PROTOS}/${OTLP}/collector/trace/v1/trace_service.proto)
  message(FATAL_ERROR "${TANDEM_OTLP_PROTOS} has no OTLP protos. Run `scripts/setup --for generate` in the repository's "
                      "root, which installs them with the npm packages, or set TANDEM_OTLP_PROTOS.")
endif()
tandem_proto_sources(OTLP_SERVICE GRPC ${TANDEM_OTLP_PROTOS} ${OTLP}/collector/trace/v1/trace_service.proto)
tandem_proto_sources(OTLP_MESSAGES NONE ${TANDEM_OTLP_PROTOS} ${OTLP}/trace/v1/trace.proto
                     ${OTLP}/resource/v1/resource.proto ${OTLP}/common/v1/common.proto)
tandem_proto_library(tandem_otlp_proto ${OTLP_SERVICE} ${OTLP_MESSAGES})
tandem_quick_to_compile(${OTLP_SERVICE} ${OTLP_MESSAGES})
