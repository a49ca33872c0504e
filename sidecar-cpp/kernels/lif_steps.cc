#include "kernels/lif_steps.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/lif_steps.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/list_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
using DU = hn::RebindToUnsigned<D>;
using VU = hn::Vec<DU>;

constexpr uint32_t kInfinity = 0x7F800000;

HWY_INLINE VU Larger(VU so_far, V x) { return hn::Max(so_far, hn::BitCast(DU(), hn::Abs(x))); }

// Runs kVectors neighbouring vectors through all steps: enough of them to hide the latency of a step. Returns the
// largest magnitude, as an integer.
//
// After a v that is not finite, each later v is not finite either, so the last one shows it: infinity minus infinity is
// NaN. Only a reset to a value hides a v of +infinity, so the largest v before such resets is kept.
template <size_t kVectors, bool kConstantInput, bool kSubtract>
HWY_INLINE VU Steps(const LifParams& p, size_t n, size_t at, const LifSteps& run, VU largest) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V v[kVectors], a[kVectors], leak[kVectors], r[kVectors], threshold[kVectors], reset[kVectors], highest[kVectors];
  for (size_t k = 0; k < kVectors; ++k) {
    const size_t from = at + k * lanes;
    v[k] = hn::Load(d, run.v + from);
    a[k] = hn::Load(d, p.a + from);
    leak[k] = hn::Load(d, p.v_leak + from);
    r[k] = hn::Load(d, p.r + from);
    if constexpr (kConstantInput) r[k] = hn::Mul(r[k], hn::Load(d, run.x + from));
    threshold[k] = hn::Load(d, p.fire.threshold + from);
    if constexpr (!kSubtract) reset[k] = hn::Load(d, p.fire.reset + from);
    highest[k] = hn::Zero(d);
  }
  for (size_t step = 0; step < run.steps; ++step) {
    uint32_t* const spikes = run.spikes + step * run.spikes_stride;
    size_t count = at == 0 ? 0 : run.counts[step];
    ElementList list(at);
    for (size_t k = 0; k < kVectors; ++k) {
      const size_t from = at + k * lanes;
      V drive = r[k];
      if constexpr (!kConstantInput) drive = hn::Mul(r[k], hn::Load(d, run.x + step * run.x_stride + from));
      v[k] = hn::Add(v[k], hn::Mul(a[k], hn::Add(hn::Sub(leak[k], v[k]), drive)));
      if constexpr (!kSubtract) highest[k] = hn::Max(highest[k], v[k]);
      const auto fired = hn::Gt(v[k], threshold[k]);
      if constexpr (kSubtract) {
        v[k] = hn::Sub(v[k], hn::IfThenElseZero(fired, threshold[k]));  // less 0 it is itself
      } else {
        v[k] = hn::IfThenElse(fired, reset[k], v[k]);
      }
      if (run.v_trace != nullptr) hn::Store(v[k], d, run.v_trace + step * n + from);
      if (run.y != nullptr) hn::Store(hn::IfThenElseZero(fired, hn::Set(d, 1.0f)), d, run.y + step * n + from);
      count += list.Next(fired, spikes + count);
    }
    run.counts[step] = static_cast<uint32_t>(count);
  }
  for (size_t k = 0; k < kVectors; ++k) {
    hn::Store(v[k], d, run.v + at + k * lanes);
    largest = Larger(Larger(largest, v[k]), highest[k]);
  }
  return largest;
}

// Fewer than kVectors vectors remain.
template <size_t kVectors, bool kConstantInput, bool kSubtract>
HWY_INLINE VU LastSteps(const LifParams& p, size_t n, size_t at, const LifSteps& run, VU largest) {
  if constexpr (kVectors > 1) {
    if (at + (kVectors - 1) * hn::Lanes(D()) == n) {
      return Steps<kVectors - 1, kConstantInput, kSubtract>(p, n, at, run, largest);
    }
    return LastSteps<kVectors - 1, kConstantInput, kSubtract>(p, n, at, run, largest);
  }
  return largest;
}

template <bool kConstantInput, bool kSubtract>
HWY_INLINE bool AllSteps(const LifParams& p, size_t n, const LifSteps& run) {
  const size_t lanes = hn::Lanes(D());
  // Where there are but 16 registers, what does not fit is read from the stack, which is quicker than to wait.
  constexpr size_t kVectors = 4;
  VU largest = hn::Zero(DU());
  size_t at = 0;
  for (; at + kVectors * lanes <= n; at += kVectors * lanes) {
    largest = Steps<kVectors, kConstantInput, kSubtract>(p, n, at, run, largest);
  }
  largest = LastSteps<kVectors, kConstantInput, kSubtract>(p, n, at, run, largest);
  return hn::GetLane(hn::MaxOfLanes(DU(), largest)) < kInfinity;
}

bool StepsLif(const LifParams& p, size_t n, const LifSteps& run) {
  const bool subtract = p.fire.reset == nullptr;
  if (run.x_stride == 0) return subtract ? AllSteps<true, true>(p, n, run) : AllSteps<true, false>(p, n, run);
  return subtract ? AllSteps<false, true>(p, n, run) : AllSteps<false, false>(p, n, run);
}

}  // namespace tandem::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tandem {

HWY_EXPORT(StepsLif);

bool StepsLif(const LifParams& p, std::size_t n, const LifSteps& run) {
  return HWY_DYNAMIC_DISPATCH(StepsLif)(p, n, run);
}

}  // namespace tandem
#endif
