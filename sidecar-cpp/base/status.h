// Errors as values. No exception leaves a folder: a function that can fail returns Expected<T>.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace tandem {

// The numbers of google.rpc.Code, so that server/ can pass them on unchanged.
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

// An error. `reason` is in UPPER_SNAKE and for programs (see InferError in engine.proto). `message` is for people and
// says what to do next. `metadata` has details for programs.
struct Error {
  Code code = Code::kInternal;
  std::string reason;
  std::string message;
  std::map<std::string, std::string> metadata;
  std::uint64_t recording_id = 0;  // of a failed run, if it was recorded (proto: GetRecording)
};

// A value or an error. Calling `value()` on an error or `error()` on a value is a bug, and throws
// std::bad_variant_access.
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

// The outcome of an operation without a value: nullopt, or the error.
using MaybeError = std::optional<Error>;

}  // namespace tandem
