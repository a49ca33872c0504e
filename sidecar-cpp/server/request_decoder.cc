#include "server/request_decoder.h"

#include <string>

#include "server/message_checksum.h"

namespace tandem {
namespace {

Error WrongChecksum(std::uint64_t message) {
  const std::string number = std::to_string(message);
  return {Code::kDataLoss,
          "CHECKSUM",
          "message " + number +
              " of this stream has a wrong checksum, so bits were changed or a message was lost on its way; check the "
              "link between router and engine",
          {{"message", number}}};
}

}  // namespace

Error RequestDecoder::Unreadable() const {
  const std::string number = std::to_string(received_);
  return {Code::kInvalidArgument,
          "MALFORMED_MESSAGE",
          "message " + number + " of this stream is not an InferStreamRequest; check the link and the sender",
          {{"message", number}}};
}

Expected<ScannedRequest> RequestDecoder::Decode(std::string_view message) {
  const bool is_right = EndsWithChecksum(message, received_);
  ++received_;
  if (checksums_ && !is_right) return WrongChecksum(received_);
  auto request = ScanStreamRequest(message);
  // A checksum that is not the last field of the message is wrong, too.
  if (!is_right && request.ok() && request.value().checksum != 0) return WrongChecksum(received_);
  if (!request.ok() && request.error().reason == "MALFORMED_MESSAGE") return Unreadable();
  checksums_ = is_right;
  return request;
}

}  // namespace tandem
