// An integrator without a threshold (NIR's I). Rows as in kernels/neuron.h.
#pragma once

#include <cstddef>

namespace tandem {

// v = v + (g * x), and y = v. True when every v is finite.
bool StepIntegrator(std::size_t n, const float* g, const float* x, float* v, float* y);

}  // namespace tandem
