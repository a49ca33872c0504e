#include "kernels/neuron.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/neuron.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tandem::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
using DU = hn::RebindToUnsigned<D>;

// Collects what a step must report. A float is NaN or infinite when its exponent is all ones, so the largest
// magnitude seen, compared as an integer once a row, tells whether any was.
class Watch {
 public:
  // Not defaulted: a constructor the compiler writes would not be compiled for the target.
  HWY_INLINE Watch() : largest_(hn::Zero(DU())) {}  // NOLINT(modernize-use-equals-default)
  HWY_INLINE void See(V v) { largest_ = hn::Max(largest_, hn::BitCast(DU(), hn::Abs(v))); }
  HWY_INLINE void Count(hn::Mask<D> fired) { spikes_ += hn::CountTrue(D(), fired); }
  HWY_INLINE StepOutcome Outcome() const {
    constexpr uint32_t kInfinity = 0x7F800000;
    const bool finite = hn::GetLane(hn::MaxOfLanes(DU(), largest_)) < kInfinity;
    return {static_cast<uint32_t>(spikes_), finite};
  }

 private:
  hn::Vec<DU> largest_;
  size_t spikes_ = 0;
};

HWY_INLINE void Fire(const FireParams& p, size_t k, V v, float* v_row, float* y_row, Watch& watch) {
  const D d;
  const V threshold = hn::Load(d, p.threshold + k);
  const auto fired = hn::Gt(v, threshold);
  const V after = p.reset != nullptr ? hn::Load(d, p.reset + k) : hn::Sub(v, threshold);
  const V next = hn::IfThenElse(fired, after, v);
  watch.See(v);
  watch.See(next);
  watch.Count(fired);
  hn::Store(next, d, v_row + k);
  hn::Store(hn::IfThenElseZero(fired, hn::Set(d, 1.0f)), d, y_row + k);
}

HWY_INLINE V Membrane(const LifParams& p, size_t k, V input, V v) {
  const D d;
  const V drive = hn::Add(hn::Sub(hn::Load(d, p.v_leak + k), v), hn::Mul(hn::Load(d, p.r + k), input));
  return hn::Add(v, hn::Mul(hn::Load(d, p.a + k), drive));
}

HWY_INLINE V Synapse(const CubaParams& p, size_t k, V x, float* i_row, Watch& watch) {
  const D d;
  V i = hn::Load(d, i_row + k);
  i = hn::Add(i, hn::Mul(hn::Load(d, p.b + k), hn::Sub(hn::Mul(hn::Load(d, p.w_in + k), x), i)));
  watch.See(i);
  hn::Store(i, d, i_row + k);
  return i;
}

HWY_INLINE void Leak(size_t k, V v, float* v_row, float* y_row, Watch& watch) {
  const D d;
  watch.See(v);
  hn::Store(v, d, v_row + k);
  hn::Store(v, d, y_row + k);
}

StepOutcome StepLif(const LifParams& p, size_t n, const float* x, float* v, float* y) {
  const D d;
  Watch watch;
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    Fire(p.fire, k, Membrane(p, k, hn::Load(d, x + k), hn::Load(d, v + k)), v, y, watch);
  }
  return watch.Outcome();
}

StepOutcome StepLi(const LifParams& p, size_t n, const float* x, float* v, float* y) {
  const D d;
  Watch watch;
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    Leak(k, Membrane(p, k, hn::Load(d, x + k), hn::Load(d, v + k)), v, y, watch);
  }
  return watch.Outcome();
}

StepOutcome StepIf(const IfParams& p, size_t n, const float* x, float* v, float* y) {
  const D d;
  Watch watch;
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    const V gained = hn::Mul(hn::Load(d, p.g + k), hn::Load(d, x + k));
    Fire(p.fire, k, hn::Add(hn::Load(d, v + k), gained), v, y, watch);
  }
  return watch.Outcome();
}

StepOutcome StepCubaLif(const CubaParams& p, size_t n, const float* x, float* i, float* v, float* y) {
  const D d;
  Watch watch;
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    const V current = Synapse(p, k, hn::Load(d, x + k), i, watch);
    Fire(p.membrane.fire, k, Membrane(p.membrane, k, current, hn::Load(d, v + k)), v, y, watch);
  }
  return watch.Outcome();
}

StepOutcome StepCubaLi(const CubaParams& p, size_t n, const float* x, float* i, float* v, float* y) {
  const D d;
  Watch watch;
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    const V current = Synapse(p, k, hn::Load(d, x + k), i, watch);
    Leak(k, Membrane(p.membrane, k, current, hn::Load(d, v + k)), v, y, watch);
  }
  return watch.Outcome();
}

}  // namespace tandem::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tandem {

HWY_EXPORT(StepLif);
HWY_EXPORT(StepLi);
HWY_EXPORT(StepIf);
HWY_EXPORT(StepCubaLif);
HWY_EXPORT(StepCubaLi);

StepOutcome StepLif(const LifParams& p, std::size_t n, const float* x, float* v, float* y) {
  return HWY_DYNAMIC_DISPATCH(StepLif)(p, n, x, v, y);
}
StepOutcome StepLi(const LifParams& p, std::size_t n, const float* x, float* v, float* y) {
  return HWY_DYNAMIC_DISPATCH(StepLi)(p, n, x, v, y);
}
StepOutcome StepIf(const IfParams& p, std::size_t n, const float* x, float* v, float* y) {
  return HWY_DYNAMIC_DISPATCH(StepIf)(p, n, x, v, y);
}
StepOutcome StepCubaLif(const CubaParams& p, std::size_t n, const float* x, float* i, float* v, float* y) {
  return HWY_DYNAMIC_DISPATCH(StepCubaLif)(p, n, x, i, v, y);
}
StepOutcome StepCubaLi(const CubaParams& p, std::size_t n, const float* x, float* i, float* v, float* y) {
  return HWY_DYNAMIC_DISPATCH(StepCubaLi)(p, n, x, i, v, y);
}

}  // namespace tandem
#endif
