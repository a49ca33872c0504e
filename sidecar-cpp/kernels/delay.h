// A delay line: a ring of the inputs of the last steps, one row per step. Stateless, safe from any thread on distinct
// rings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tandem {

// y[k] = the input of `delays[k]` steps ago, and this step's input `x` replaces the oldest row. `ring` has `rows` rows
// of `stride` floats, all +0 at first; every delay is at most `rows`.
void StepDelay(std::span<const std::uint32_t> delays, std::uint32_t step, std::uint32_t rows, std::size_t stride,
               const float* x, float* ring, float* y);

}  // namespace tandem
