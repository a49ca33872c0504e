// Copies a message into one piece. gRPC keeps it in the pieces in which it arrived.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <string_view>

namespace tandem {

class WholeMessage {
 public:
  // Leaves `from` empty, so that the message is not kept twice.
  explicit WholeMessage(grpc::ByteBuffer& from) {
    if (!from.TrySingleSlice(&slice_).ok()) is_valid_ = from.DumpToSingleSlice(&slice_).ok();
    from.Clear();
  }

  [[nodiscard]] bool valid() const { return is_valid_; }
  [[nodiscard]] std::string_view bytes() const {
    return {reinterpret_cast<const char*>(slice_.begin()), slice_.size()};
  }

 private:
  grpc::Slice slice_;
  bool is_valid_ = true;
};

}  // namespace tandem
