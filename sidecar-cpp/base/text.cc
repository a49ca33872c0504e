#include "base/text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace tandem {
namespace {

// Length of the well-formed UTF-8 sequence at the start of `text`; 0 if there is none.
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t k) { return static_cast<std::uint8_t>(text[k]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(k) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) > 0x9F;
  const bool too_large = lead == 0xF4 && byte(1) > 0x8F;
  return overlong || surrogate || too_large ? 0 : length;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string Printable(std::string_view text) {
  constexpr std::size_t kMaxBytes = 200;
  std::string out;
  while (!text.empty() && out.size() < kMaxBytes) {
    const std::size_t length = SequenceLength(text);
    const bool shown = length > 1 || (length == 1 && text[0] >= ' ' && text[0] != 0x7F);
    if (shown) {
      out += text.substr(0, length);
    } else {
      out += '?';
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  if (!text.empty()) out += "...";
  return out;
}

}  // namespace tandem
