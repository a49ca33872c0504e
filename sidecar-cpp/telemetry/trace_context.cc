#include "telemetry/trace_context.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace tandem {
namespace {

constexpr std::uint8_t kSampled = 1;

template <std::size_t kSize>
bool TakeId(std::string_view& bytes, std::array<std::uint8_t, kSize>& to) {
  std::memcpy(to.data(), bytes.data(), kSize);
  bytes.remove_prefix(kSize);
  return std::ranges::any_of(to, [](std::uint8_t byte) { return byte != 0; });
}

// -1 if it is not a lower-case hex digit; the header may have no others.
int Nibble(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

bool AppendHex(std::string_view digits, std::string& to) {
  for (std::size_t k = 0; k + 1 < digits.size(); k += 2) {
    const int high = Nibble(digits[k]);
    const int low = Nibble(digits[k + 1]);
    if (high < 0 || low < 0) return false;
    to.push_back(static_cast<char>(high << 4 | low));
  }
  return true;
}

// SplitMix64: one addition and three multiplications for each id; every seed gives a full period.
class Random {
 public:
  Random() {
    std::random_device device;
    state_ = std::uint64_t{device()} << 32 | device();
  }
  std::uint64_t Next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }

 private:
  std::uint64_t state_;
};

}  // namespace

std::optional<TraceContext> TraceContextFromBytes(std::string_view bytes) {
  if (bytes.size() != kTraceContextBytes) return std::nullopt;
  TraceContext context;
  if (!TakeId(bytes, context.trace_id) || !TakeId(bytes, context.span_id)) return std::nullopt;
  context.sampled = (static_cast<std::uint8_t>(bytes[0]) & kSampled) != 0;
  return context;
}

std::optional<std::string> BytesOfTraceparent(std::string_view header) {
  constexpr std::size_t kVersion00 = 55;
  if (header.size() < kVersion00 || header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  const std::string_view version = header.substr(0, 2);
  const bool longer = header.size() > kVersion00;
  if (version == "ff" || (longer && (version == "00" || header[kVersion00] != '-'))) return std::nullopt;
  std::string bytes;
  if (!AppendHex(version, bytes)) return std::nullopt;
  bytes.clear();
  bytes.reserve(kTraceContextBytes);
  const bool is_hex = AppendHex(header.substr(3, 32), bytes) && AppendHex(header.substr(36, 16), bytes) &&
                      AppendHex(header.substr(53, 2), bytes);
  if (!is_hex) return std::nullopt;
  return bytes;
}

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

std::string Hex(const TraceId& id) {
  return Hex(std::string_view(reinterpret_cast<const char*>(id.data()), id.size()));
}

SpanId NewSpanId() {
  thread_local Random random;
  std::uint64_t number = 0;
  while (number == 0) number = random.Next();
  SpanId id;
  std::memcpy(id.data(), &number, id.size());
  return id;
}

}  // namespace tandem
