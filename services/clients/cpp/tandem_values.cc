// Errors, the retry policy, and conversions of values.
#include <algorithm>
#include <cstdio>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tandem_client.h"

namespace tandem {

namespace {

using std::chrono::milliseconds;

// The longest delay of a router that is accepted; longer ones are reduced to a day.
constexpr std::int64_t kMaxDelaySeconds = 86'400;

milliseconds ToMilliseconds(const google::protobuf::Duration& duration) {
  const auto seconds = std::clamp<std::int64_t>(duration.seconds(), 0, kMaxDelaySeconds);
  const auto nanos = std::clamp<std::int64_t>(duration.nanos(), 0, 999'999'999);
  return milliseconds(seconds * 1'000 + nanos / 1'000'000);
}

milliseconds Times(milliseconds delay, double factor) {
  return milliseconds(static_cast<std::int64_t>(static_cast<double>(delay.count()) * factor));
}

}  // namespace

Error Error::From(const grpc::Status& status) {
  Error error;
  error.code = status.error_code();
  error.message = status.error_message();
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return error;
  for (const auto& detail : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad_request;
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&info)) {
      error.reason = info.reason();
      error.metadata.insert(info.metadata().begin(), info.metadata().end());
    } else if (detail.UnpackTo(&bad_request)) {
      for (const auto& each : bad_request.field_violations())
        error.fields.push_back({each.field(), each.description()});
    } else if (detail.UnpackTo(&retry)) {
      error.retry_after = ToMilliseconds(retry.retry_delay());
    }
  }
  return error;
}

Error Error::From(const v1::ReasonError& item) {
  Error error;
  error.code = static_cast<grpc::StatusCode>(item.code());
  error.reason = item.reason();
  error.message = item.message();
  if (!item.field().empty()) error.fields.push_back({item.field(), item.message()});
  if (item.retry_after_ms() > 0) error.retry_after = milliseconds(item.retry_after_ms());
  return error;
}

std::optional<milliseconds> RetryDelay(const RetryPolicy& policy, int failed_attempts, bool may_repeat,
                                       const Error& error, double random) {
  const bool unavailable = error.code == grpc::StatusCode::UNAVAILABLE && (may_repeat || error.retry_after);
  const bool full = error.code == grpc::StatusCode::RESOURCE_EXHAUSTED && error.retry_after.has_value();
  if (!(unavailable || full) || failed_attempts >= policy.max_attempts) return std::nullopt;
  if (error.retry_after) return Times(*error.retry_after, 1 + random / 5);
  auto longest = policy.first_delay;
  for (int retry = 1; retry < failed_attempts && longest < policy.max_delay; ++retry) longest *= 2;
  return Times(std::min(longest, policy.max_delay), 0.5 + random / 2);
}

std::string DigestHex(std::uint64_t digest) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(digest));
  return digits;
}

v1::Tensor FloatTensor(const std::vector<std::uint32_t>& shape, const std::vector<float>& values) {
  v1::Tensor tensor;
  tensor.mutable_shape()->Add(shape.begin(), shape.end());
  tensor.set_dtype("FP32");
  // A tensor is little-endian, and so is every machine that runs games.
  tensor.set_data(values.data(), values.size() * sizeof(float));
  return tensor;
}

}  // namespace tandem
