#include "server/unary_call.h"

#include <grpc/slice.h>

namespace tandem {

grpc::ByteBuffer ToBytes(const google::protobuf::MessageLite& message) {
  const std::size_t size = message.ByteSizeLong();
  grpc_slice memory = grpc_slice_malloc(size);
  message.SerializeWithCachedSizesToArray(GRPC_SLICE_START_PTR(memory));
  const grpc::Slice slice(memory, grpc::Slice::STEAL_REF);
  return {&slice, 1};
}

}  // namespace tandem
