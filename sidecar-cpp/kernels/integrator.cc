#include "kernels/integrator.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/integrator.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/elementwise.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;

void StepIntegrator(size_t n, const float* g, const float* x, float* v, float* y) {
  const D d;
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    const auto gained = hn::Mul(hn::Load(d, g + k), hn::Load(d, x + k));
    const auto next = hn::Add(hn::Load(d, v + k), gained);
    hn::Store(next, d, v + k);
    hn::Store(next, d, y + k);
  }
}

}  // namespace tandem::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tandem {

HWY_EXPORT(StepIntegrator);

bool StepIntegrator(std::size_t n, const float* g, const float* x, float* v, float* y) {
  HWY_DYNAMIC_DISPATCH(StepIntegrator)(n, g, x, v, y);
  return AllFinite(n, v);
}

}  // namespace tandem
#endif
