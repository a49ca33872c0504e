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

// Collects the result of a step. A float is NaN or infinite if its exponent is all ones, so one comparison of the
// largest magnitude as an integer per row is enough.
class StepMonitor {
 public:
  // Not defaulted, since the compiler's own constructor would not be compiled for the target.
  HWY_INLINE StepMonitor() : largest_(hn::Zero(DU())) {}  // NOLINT(modernize-use-equals-default)
  HWY_INLINE void Observe(V v) { largest_ = hn::Max(largest_, hn::BitCast(DU(), hn::Abs(v))); }
  HWY_INLINE void Count(hn::Mask<D> fired) { spikes_ += hn::CountTrue(D(), fired); }
  HWY_INLINE void CountSpikes(V spikes) { spikes_ += static_cast<size_t>(hn::GetLane(hn::SumOfLanes(D(), spikes))); }
  HWY_INLINE StepOutcome Outcome() const {
    constexpr uint32_t kInfinity = 0x7F800000;
    const bool finite = hn::GetLane(hn::MaxOfLanes(DU(), largest_)) < kInfinity;
    return {static_cast<uint32_t>(spikes_), finite};
  }

 private:
  hn::Vec<DU> largest_;
  size_t spikes_ = 0;
};

// Spikes of a potential: 0, 1 or, with `multiple`, more.
HWY_INLINE V SpikesOf(const FireRule& rule, V v, V threshold) {
  const D d;
  const auto fired = rule.reached ? hn::Ge(v, threshold) : hn::Gt(v, threshold);
  V spikes = hn::Set(d, 1.0f);
  if (rule.multiple) spikes = hn::Trunc(hn::Min(hn::Div(v, threshold), hn::Set(d, kMaxSpikesPerStep)));
  return hn::IfThenElseZero(fired, spikes);
}

// The potential after `spikes` of them.
HWY_INLINE V ResetBy(const FireParams& p, size_t k, V v, V spikes, V threshold) {
  const D d;
  if (!p.rule.resets) return v;
  const auto fired = hn::Ne(spikes, hn::Zero(d));
  const V after = p.reset != nullptr ? hn::Load(d, p.reset + k) : hn::Sub(v, hn::Mul(spikes, threshold));
  return hn::IfThenElse(fired, after, v);
}

HWY_INLINE void FireByRule(const FireParams& p, size_t k, V before, V v, float* v_row, float* y_row,
                           StepMonitor& watch) {
  const D d;
  const V threshold = hn::Load(d, p.threshold + k);
  watch.Observe(v);
  V spikes;
  if (p.rule.late && !p.rule.delayed) {
    spikes = SpikesOf(p.rule, before, threshold);  // already reset: AtStart
  } else if (p.rule.delayed) {
    const V earlier = SpikesOf(p.rule, before, threshold);
    v = ResetBy(p, k, v, earlier, threshold);
    spikes = p.rule.late ? earlier : SpikesOf(p.rule, v, threshold);
  } else {
    spikes = SpikesOf(p.rule, v, threshold);
    v = ResetBy(p, k, v, spikes, threshold);
  }
  watch.Observe(v);
  watch.CountSpikes(spikes);
  hn::Store(v, d, v_row + k);
  hn::Store(spikes, d, y_row + k);
}

// The potential at the start of the update, from the one at the end of the last step.
HWY_INLINE V AtStart(const FireParams& p, size_t k, V before) {
  if (!p.rule.late || p.rule.delayed) return before;
  const V threshold = hn::Load(D(), p.threshold + k);
  return ResetBy(p, k, before, SpikesOf(p.rule, before, threshold), threshold);
}

// `before` is the potential at the end of the last step, `v` after this step's update.
HWY_INLINE void Fire(const FireParams& p, size_t k, V before, V v, float* v_row, float* y_row, StepMonitor& watch) {
  if (!p.rule.IsDefault()) return FireByRule(p, k, before, v, v_row, y_row, watch);
  const D d;
  const V threshold = hn::Load(d, p.threshold + k);
  const auto fired = hn::Gt(v, threshold);
  const V after = p.reset != nullptr ? hn::Load(d, p.reset + k) : hn::Sub(v, threshold);
  const V next = hn::IfThenElse(fired, after, v);
  watch.Observe(v);
  watch.Observe(next);
  watch.Count(fired);
  hn::Store(next, d, v_row + k);
  hn::Store(hn::IfThenElseZero(fired, hn::Set(d, 1.0f)), d, y_row + k);
}

HWY_INLINE V Membrane(const LifParams& p, size_t k, V input, V v) {
  const D d;
  const V a = hn::Load(d, p.a + k);
  const V leak = hn::Load(d, p.v_leak + k);
  if (p.gain == InputGain::kDecayed) {
    const V sum = hn::Add(v, input);
    return hn::Add(sum, hn::Mul(a, hn::Sub(leak, sum)));
  }
  if (p.gain == InputGain::kUnit) return hn::Add(hn::Add(v, hn::Mul(a, hn::Sub(leak, v))), input);
  const V drive = hn::Add(hn::Sub(leak, v), hn::Mul(hn::Load(d, p.r + k), input));
  return hn::Add(v, hn::Mul(a, drive));
}

HWY_INLINE V DecayedCurrent(const CubaParams& p, size_t k, V x, V i) {
  const D d;
  const V b = hn::Load(d, p.b + k);
  if (p.gain == InputGain::kDecayed) {
    const V sum = hn::Add(i, x);
    return hn::Sub(sum, hn::Mul(b, sum));
  }
  if (p.gain == InputGain::kUnit) return hn::Add(hn::Sub(i, hn::Mul(b, i)), x);
  return hn::Add(i, hn::Mul(b, hn::Sub(hn::Mul(hn::Load(d, p.w_in + k), x), i)));
}

HWY_INLINE V Synapse(const CubaParams& p, size_t k, V x, float* i_row, StepMonitor& watch) {
  const D d;
  const V i = DecayedCurrent(p, k, x, hn::Load(d, i_row + k));
  watch.Observe(i);
  hn::Store(i, d, i_row + k);
  return i;
}

HWY_INLINE void Leak(size_t k, V v, float* v_row, float* y_row, StepMonitor& watch) {
  const D d;
  watch.Observe(v);
  hn::Store(v, d, v_row + k);
  hn::Store(v, d, y_row + k);
}

StepOutcome StepLif(const LifParams& p, size_t n, const float* x, float* v, float* y) {
  const D d;
  StepMonitor watch;
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    const V before = hn::Load(d, v + k);
    Fire(p.fire, k, before, Membrane(p, k, hn::Load(d, x + k), AtStart(p.fire, k, before)), v, y, watch);
  }
  return watch.Outcome();
}

StepOutcome StepLi(const LifParams& p, size_t n, const float* x, float* v, float* y) {
  const D d;
  StepMonitor watch;
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    Leak(k, Membrane(p, k, hn::Load(d, x + k), hn::Load(d, v + k)), v, y, watch);
  }
  return watch.Outcome();
}

StepOutcome StepIf(const IfParams& p, size_t n, const float* x, float* v, float* y) {
  const D d;
  StepMonitor watch;
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    const V gained = hn::Mul(hn::Load(d, p.g + k), hn::Load(d, x + k));
    const V before = hn::Load(d, v + k);
    Fire(p.fire, k, before, hn::Add(AtStart(p.fire, k, before), gained), v, y, watch);
  }
  return watch.Outcome();
}

StepOutcome StepCubaLif(const CubaParams& p, size_t n, const float* x, float* i, float* v, float* y) {
  const D d;
  StepMonitor watch;
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    const V current = Synapse(p, k, hn::Load(d, x + k), i, watch);
    const V before = hn::Load(d, v + k);
    Fire(p.membrane.fire, k, before, Membrane(p.membrane, k, current, AtStart(p.membrane.fire, k, before)), v, y,
         watch);
  }
  return watch.Outcome();
}

StepOutcome StepCubaLi(const CubaParams& p, size_t n, const float* x, float* i, float* v, float* y) {
  const D d;
  StepMonitor watch;
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
