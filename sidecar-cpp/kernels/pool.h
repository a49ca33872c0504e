// Sums and means over windows of each channel by itself. Stateless, safe from any thread on distinct rows.
#pragma once

#include <cstddef>

#include "base/window.h"

namespace tandem {

// Each output of these channels: +0, and the elements of its window in ascending order added to it. Padding adds
// nothing.
void SumPool(const Window& window, std::size_t first_channel, std::size_t channels, const float* x, float* y);

}  // namespace tandem
