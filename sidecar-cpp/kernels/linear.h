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

// A row whose active sources are all 1 (spikes: a weight times 1 is that weight). `y` need not hold anything yet.
struct SpikeRow {
  std::span<const std::uint32_t> active;
  float* y;
};

// y[first + k] += weight for each source at [begin, end) of the row's list, for each row. `begin` 0: from
// start[first + k] instead of from what y holds.
void AddSpikes(const Panel& panel, const float* start, std::size_t begin, std::size_t end,
               std::span<const SpikeRow> rows);

// y[first + k] += weight * x[source] for each source in `active`.
void AddValues(const Panel& panel, std::span<const std::uint32_t> active, const float* x, float* y);

}  // namespace tandem
