#include "faults/faults.h"

#include <atomic>
#include <charconv>
#include <cmath>
#include <system_error>

#include "base/text.h"

namespace tandem {
namespace {

constexpr double kMaxWeights = 1'000'000;
constexpr double kMaxDelayMs = 3'600'000;

Faults told;
std::atomic<bool> are_on = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler writes it");

Error NotAFault(const std::string& spec) {
  return {Code::kInvalidArgument,
          "FAULT",
          "\"" + Printable(spec) +
              "\" is no fault; there are answers=SHARE, runs=SHARE, nans=SHARE (0 to 1), weights=COUNT and "
              "delay_ms=MILLISECONDS",
          {}};
}

}  // namespace

std::optional<Error> AddFault(const std::string& spec, Faults& to) {
  const auto equals = spec.find('=');
  if (equals == std::string::npos) return NotAFault(spec);
  const std::string name = spec.substr(0, equals);
  const char* const end = spec.data() + spec.size();
  double number = 0.0;
  const auto [rest, failed] = std::from_chars(spec.data() + equals + 1, end, number);
  if (failed != std::errc() || rest != end || !(number >= 0.0)) return NotAFault(spec);

  double* const share = name == "answers" ? &to.answers
                        : name == "runs"  ? &to.runs
                        : name == "nans"  ? &to.nans
                                          : nullptr;
  const bool is_whole = std::floor(number) == number;
  if (share != nullptr && number <= 1.0) {
    *share = number;
  } else if (name == "weights" && is_whole && number <= kMaxWeights) {
    to.weights = static_cast<std::uint32_t>(number);
  } else if (name == "delay_ms" && is_whole && number <= kMaxDelayMs) {
    to.delay = std::chrono::milliseconds(static_cast<std::int64_t>(number));
  } else {
    return NotAFault(spec);
  }
  return std::nullopt;
}

void SetFaults(const Faults& faults, bool on) {
  told = faults;
  are_on = on;
}

void SwitchFaults() { are_on = !are_on; }

Faults FaultsNow() { return are_on ? told : Faults{}; }

}  // namespace tandem
