// Weighted sums of a panel's targets. Each target starts from its value in `y` and adds its weights in ascending source
// order, with one rounding for each operation. The sources may be split over several calls. For every vector width and
// batch, a target has the same additions in the same order (proto/NUMERICS.md).
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
