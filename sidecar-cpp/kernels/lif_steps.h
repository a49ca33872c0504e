// Several steps of a LIF population in one call. Potentials and parameters stay in registers from step to step, and
// spikes are written as lists for the following linear nodes. Every element has the operations of StepLif
// (kernels/neuron.h) in the same order, so the bits are the same.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/neuron.h"

namespace tandem {

// Rows are as in kernels/neuron.h: 64-byte aligned, `n` floats a row.
struct LifSteps {
  std::size_t steps = 1;
  const float* x = nullptr;
  std::size_t x_stride = 0;         // floats from step to step; 0: the same input at every step
  float* v = nullptr;               // before the first step, then after the last one
  float* v_trace = nullptr;         // one row per step: v after it; null: not needed
  float* y = nullptr;               // one row per step: the output; null: not needed
  std::uint32_t* spikes = nullptr;  // one list per step: the elements that fired, ascending
  std::size_t spikes_stride = 0;    // from list to list; at least n + kRowMultiple, since whole vectors are written
  std::uint32_t* counts = nullptr;  // one number per step: length of its list
};

// True when no v, before or after the reset, was NaN or infinite. Otherwise the written data is invalid.
bool StepsLif(const LifParams& p, std::size_t n, const LifSteps& run);

}  // namespace tandem
