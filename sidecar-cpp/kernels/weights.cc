#include "kernels/weights.h"

#include <algorithm>

namespace tandem {

// Rows are padded to whole vectors, unless the matrix is so narrow that the padding would dominate its memory.
std::size_t Weights::StrideOf(std::size_t width) const { return out_ < kRowMultiple ? width : PaddedSize(width); }

Panel Weights::panel(std::size_t index) const {
  const std::size_t first = index * kPanelWidth;
  const std::size_t width = std::min(kPanelWidth, out_ - first);
  return {data_.data() + first * in_, StrideOf(width), first, width};
}

Weights::Weights(std::span<const float> row_major, std::size_t out, std::size_t in) : out_(out), in_(in) {
  const std::size_t last_width = out - (panel_count() - 1) * kPanelWidth;
  const std::size_t full = (panel_count() - 1) * kPanelWidth * in;
  data_.assign(full + StrideOf(last_width) * in + kRowMultiple, 0.0f);
  for (std::size_t p = 0; p < panel_count(); ++p) {
    const Panel to = panel(p);
    float* base = data_.data() + to.first * in;
    for (std::size_t k = 0; k < to.width; ++k) {
      const float* from = row_major.data() + (to.first + k) * in;
      for (std::size_t j = 0; j < in; ++j) base[j * to.stride + k] = from[j];
    }
  }
}

}  // namespace tandem
