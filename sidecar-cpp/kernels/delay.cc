#include "kernels/delay.h"

#include <algorithm>

namespace tandem {

void StepDelay(std::span<const std::uint32_t> delays, std::uint32_t step, std::uint32_t rows, std::size_t stride,
               const float* x, float* ring, float* y) {
  if (rows == 0) {
    std::copy_n(x, delays.size(), y);
    return;
  }
  const std::uint32_t now = step % rows;
  for (std::size_t k = 0; k < delays.size(); ++k) {
    const std::uint32_t row = delays[k] <= now ? now - delays[k] : now + rows - delays[k];
    y[k] = delays[k] == 0 ? x[k] : ring[row * stride + k];
  }
  std::copy_n(x, delays.size(), ring + now * stride);
}

}  // namespace tandem
