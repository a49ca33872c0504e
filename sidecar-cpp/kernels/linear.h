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

}  // namespace tandem
