// Errors as values. Nothing in this program throws across a folder's border: what can fail returns Expected<T>.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace tandem {

// Numbers are those of google.rpc.Code, so that server/ passes them on unchanged.
enum class Code {
  kCancelled = 1,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kOutOfRange = 11,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
};

// What went wrong. `reason` is UPPER_SNAKE and for programs (see InferError in engine.proto), `message` is for people
// and says what to do next, `metadata` holds facts for programs.
struct Error {
  Code code = Code::kInternal;
  std::string reason;
  std::string message;
  std::map<std::string, std::string> metadata;
  std::uint64_t recording_id = 0;  // of a run that failed, where it was recorded (proto: GetRecording)
};

// A value or the error that took its place. `value()` on an error and `error()` on a value are programming mistakes
// and throw std::bad_variant_access.
template <typename T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Expected(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  [[nodiscard]] T& value() & { return std::get<0>(state_); }
  [[nodiscard]] const T& value() const& { return std::get<0>(state_); }
  [[nodiscard]] T&& value() && { return std::get<0>(std::move(state_)); }
  [[nodiscard]] const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

// The outcome of something that gives no value: nullopt, or why it failed.
using MaybeError = std::optional<Error>;

}  // namespace tandem
