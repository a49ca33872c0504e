#include "server/request_decoder.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <string>

#include "server/message_checksum.h"

namespace tandem {
namespace {

using engine::v1::InferStreamRequest;

Error WrongChecksum(std::uint64_t message) {
  const std::string number = std::to_string(message);
  return {Code::kDataLoss,
          "CHECKSUM",
          "message " + number +
              " of this stream has a wrong checksum, so bits were changed or a message was lost on its way; check the "
              "link between router and engine",
          {{"message", number}}};
}

Error Unreadable(std::uint64_t message) {
  const std::string number = std::to_string(message);
  return {Code::kInvalidArgument,
          "MALFORMED_MESSAGE",
          "message " + number + " of this stream is no InferStreamRequest; check the link, and what sends it",
          {{"message", number}}};
}

}  // namespace

MaybeError RequestDecoder::Decode(grpc::ByteBuffer& from, InferStreamRequest& to) {
  const bool is_right = EndsWithChecksum(from, received_);
  const std::uint64_t number = ++received_;
  if (checksums_ && !is_right) return WrongChecksum(number);
  const bool is_readable = grpc::SerializationTraits<InferStreamRequest>::Deserialize(&from, &to).ok();
  // A checksum that is not the last field of the message is a wrong one, too.
  if (!is_right && is_readable && to.checksum() != 0) return WrongChecksum(number);
  if (!is_readable) return Unreadable(number);
  checksums_ = is_right;
  return std::nullopt;
}

}  // namespace tandem
