// Weighted sums of a panel's targets. Each target starts from what its row of `y` holds and adds its weights in
// ascending source order, one rounding an operation: blocks of sources may come in several calls, and whatever the
// vector width or the batch, every target sees the same additions in the same order (proto/NUMERICS.md).
//
// Rows of `y` are 64-byte aligned and padded to kRowMultiple; padding is left at +0. Stateless, safe from any thread
// on distinct rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/weights.h"

namespace tandem {

// y[first + k] += weight for each source in `active` (spikes: a weight times 1 is that weight).
void AddSpikes(const Panel& panel, std::span<const std::uint32_t> active, float* y);

// y[first + k] += weight * x[source] for each source in `active`.
void AddValues(const Panel& panel, std::span<const std::uint32_t> active, const float* x, float* y);

// y[first + k] += weight * x[j] for every source j in [begin, end), zeros too, for `rows` inputs and outputs that lie
// `x_stride` and `y_stride` floats apart. Adding a product with a zero changes a sum only if that is -0, and a sum
// that does not start at -0 never becomes it: callers must not use this where a target starts at -0.
void AddDense(const Panel& panel, std::size_t begin, std::size_t end, std::size_t rows, const float* x,
              std::size_t x_stride, float* y, std::size_t y_stride);

}  // namespace tandem
