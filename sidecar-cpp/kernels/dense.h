// Weighted sums of inputs that are rarely 0, as a matrix product: a loaded weight is used for several rows. Order and
// rounding, and so all bits, are those of kernels/linear.h.
//
// Zeros are not skipped. A product with a zero is +0 or -0, since weights are finite, and adding it changes a sum only
// if that is -0. A sum that does not start at -0 never becomes -0: x + y is -0 only if both are (rounding to nearest).
// So callers must not use this if a target starts at -0.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/weights.h"

namespace tandem {

// `x` has an element for every source of the matrix, `y` for every target. `y` is 64-byte aligned and padded to
// kRowMultiple.
struct DenseRow {
  const float* x;
  float* y;
};

// y[first + k] += weight * x[j] for every source j in [begin, end), for each row. Stateless, safe from any thread on
// distinct rows.
void AddDense(const Panel& panel, std::size_t begin, std::size_t end, std::span<const DenseRow> rows);

}  // namespace tandem
