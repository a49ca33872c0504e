#include "engine/block.h"

#include <algorithm>

namespace tandem {
namespace {

// Enough that each weight is used several times at an activity of a few per cent.
constexpr std::size_t kRows = 64;

}  // namespace

BlockShape BlockFor(const Network& network, std::size_t items, std::uint32_t steps) {
  const std::size_t rows = std::clamp<std::size_t>(kMaxBlockFloats / network.row_floats, 1, kRows);
  const auto window = network.has_delayed_edge ? 1 : static_cast<std::uint32_t>(std::min<std::size_t>(steps, rows));
  return {std::clamp<std::size_t>(rows / window, 1, items), window, false};
}

}  // namespace tandem
