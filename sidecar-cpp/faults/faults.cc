#include "faults/faults.h"

#include <atomic>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>

#include "base/text.h"

namespace tandem {
namespace {

constexpr double kMaxWeights = 1'000'000;
constexpr double kMaxDelayMs = 3'600'000;
constexpr double kFirstExponentBit = 23;
constexpr double kLastExponentBit = 30;

Faults configured;
std::atomic<bool> are_on = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler writes it");

Error NotAFault(const std::string& spec) {
  return {Code::kInvalidArgument,
          "FAULT",
          "\"" + Printable(spec) +
              "\" is not a fault; the faults are answers=SHARE, runs=SHARE, nans=SHARE, oneshot=SHARE (0 to 1), "
              "weights=COUNT, "
              "nan_weight=1, exponent_bit=BIT (23 to 30), refuse=REASON, refuse=REASON:SHARE and delay_ms=MILLISECONDS",
          {}};
}

std::optional<double> ToNumber(std::string_view text) {
  double number = 0.0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc() || rest != end || !(number >= 0.0)) return std::nullopt;
  return number;
}

// REASON or REASON:SHARE.
std::optional<Error> AddRefusal(const std::string& spec, std::string_view value, Faults& to) {
  const auto colon = value.find(':');
  const auto share = colon == std::string_view::npos ? 1.0 : ToNumber(value.substr(colon + 1));
  to.refuse = value.substr(0, colon);
  if (to.refuse.empty() || !share || *share > 1.0) return NotAFault(spec);
  to.refusals = *share;
  return std::nullopt;
}

}  // namespace

std::optional<Error> AddFault(const std::string& spec, Faults& to) {
  const auto equals = spec.find('=');
  if (equals == std::string::npos) return NotAFault(spec);
  const std::string name = spec.substr(0, equals);
  const std::string_view value = std::string_view(spec).substr(equals + 1);
  if (name == "refuse") return AddRefusal(spec, value, to);
  const auto parsed = ToNumber(value);
  if (!parsed) return NotAFault(spec);
  const double number = *parsed;

  double* const share = name == "answers"   ? &to.answers
                        : name == "runs"    ? &to.runs
                        : name == "nans"    ? &to.nans
                        : name == "oneshot" ? &to.oneshot
                                            : nullptr;
  const bool is_whole = std::floor(number) == number;
  if (share != nullptr && number <= 1.0) {
    *share = number;
  } else if (name == "weights" && is_whole && number <= kMaxWeights) {
    to.weights = static_cast<std::uint32_t>(number);
  } else if (name == "nan_weight" && number == 1.0) {
    to.nan_weight = true;
  } else if (name == "exponent_bit" && is_whole && number >= kFirstExponentBit && number <= kLastExponentBit) {
    to.exponent_bit = static_cast<unsigned>(number);
  } else if (name == "delay_ms" && is_whole && number <= kMaxDelayMs) {
    to.delay = std::chrono::milliseconds(static_cast<std::int64_t>(number));
  } else {
    return NotAFault(spec);
  }
  return std::nullopt;
}

void SetFaults(const Faults& faults, bool on) {
  configured = faults;
  are_on = on;
}

void SwitchFaults() { are_on = !are_on; }

Faults FaultsNow() { return are_on ? configured : Faults{}; }

}  // namespace tandem
