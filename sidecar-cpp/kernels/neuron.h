// One step of a neuron population. The arithmetic and its order are those of proto/NUMERICS.md, element by element;
// no operation crosses elements, so the width of the machine's vectors cannot show in the result.
//
// All rows are 64-byte aligned and hold `n` floats, `n` a multiple of kRowMultiple. Callers pad parameters so that
// padding elements stay at rest: 0 everywhere, the threshold at the largest finite float. `y` may be `x`.
// Stateless: safe from any thread on distinct rows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tandem {

struct StepOutcome {
  std::uint32_t spikes = 0;  // elements that fired
  bool finite = true;        // no i or v, before or after the reset, was NaN or infinite
};

// How a neuron fires; not used by LI and CubaLI.
struct FireParams {
  const float* threshold;
  const float* reset;  // the potential after a spike; null: subtract the threshold
};

// v = v + (a * ((v_leak - v) + (r * x))), then fire into y.
struct LifParams {
  const float* a;
  const float* v_leak;
  const float* r;
  FireParams fire;
};
StepOutcome StepLif(const LifParams& p, std::size_t n, const float* x, float* v, float* y);

// As LIF without firing; y = v.
StepOutcome StepLi(const LifParams& p, std::size_t n, const float* x, float* v, float* y);

// v = v + (g * x), then fire.
struct IfParams {
  const float* g;
  FireParams fire;
};
StepOutcome StepIf(const IfParams& p, std::size_t n, const float* x, float* v, float* y);

// i = i + (b * ((w_in * x) - i)), then the membrane as LIF with i in the place of x.
struct CubaParams {
  const float* b;
  const float* w_in;
  LifParams membrane;
};
StepOutcome StepCubaLif(const CubaParams& p, std::size_t n, const float* x, float* i, float* v, float* y);
StepOutcome StepCubaLi(const CubaParams& p, std::size_t n, const float* x, float* i, float* v, float* y);

}  // namespace tandem
