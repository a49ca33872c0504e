#include <algorithm>

#include "kernels/conv.h"

namespace tandem {

// Rows are padded to whole vectors, unless the padding would dominate their memory: such rows may be read (not used)
// past their end.
ConvWeights::ConvWeights(const Window& window, std::span<const float> row_major)
    : window_(window),
      rows_(window.rows),
      columns_(window.columns),
      stride_(window.group_out() < kRowMultiple ? window.group_out() : sum_stride()),
      data_(window.in_channels * window.kernel() * stride_ + kRowMultiple, 0.0f) {
  const std::size_t kernel = window.kernel();
  const std::size_t group_in = window.group_in();
  for (std::size_t out = 0; out < window.out_channels; ++out) {
    const std::size_t group = out / window.group_out();
    const std::size_t lane = out % window.group_out();
    for (std::size_t in = 0; in < group_in; ++in) {
      const float* const from = row_major.data() + (out * group_in + in) * kernel;
      float* const to = data_.data() + (group * group_in + in) * kernel * stride_ + lane;
      for (std::size_t tap = 0; tap < kernel; ++tap) to[tap * stride_] = from[tap];
    }
  }
}

}  // namespace tandem
