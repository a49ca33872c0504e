# Generates the C++ of ../proto into the build folder and makes one library of it.
get_filename_component(PROTO_DIR ${CMAKE_CURRENT_SOURCE_DIR}/../proto ABSOLUTE)
set(PROTO_OUT ${CMAKE_CURRENT_BINARY_DIR}/proto)
file(MAKE_DIRECTORY ${PROTO_OUT})
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

# tandem_proto_sources(<out variable> <GRPC or NONE> <file under ../proto>…)
function(tandem_proto_sources out kind)
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
      COMMAND protobuf::protoc -I ${PROTO_DIR} ${flags} ${PROTO_DIR}/${file}
      DEPENDS ${PROTO_DIR}/${file}
      COMMENT "protoc ${file}"
      VERBATIM)
    list(APPEND sources ${made})
  endforeach()
  set(${out} ${sources} PARENT_SCOPE)
endfunction()

tandem_proto_sources(ENGINE_PROTO GRPC tandem/engine/v1/engine.proto)
tandem_proto_sources(MESSAGES NONE google/rpc/status.proto google/rpc/error_details.proto
                     tandem/v1/types.proto tandem/v1/reasoning.proto)
add_library(tandem_proto STATIC ${ENGINE_PROTO} ${MESSAGES})
target_include_directories(tandem_proto SYSTEM PUBLIC ${PROTO_OUT})
target_link_libraries(tandem_proto PUBLIC gRPC::grpc++ protobuf::libprotobuf)
