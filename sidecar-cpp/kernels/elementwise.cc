#include "kernels/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/list_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using DU = hn::RebindToUnsigned<D>;
using V = hn::Vec<D>;
using VU = hn::Vec<DU>;

constexpr uint32_t kInfinity = 0x7F800000;

HWY_INLINE VU Larger(VU so_far, V x) { return hn::Max(so_far, hn::BitCast(DU(), hn::Abs(x))); }
HWY_INLINE bool Finite(VU largest) { return hn::GetLane(hn::MaxOfLanes(DU(), largest)) < kInfinity; }

bool AddRows(size_t n, const float* a, const float* b, float* y) {
  const D d;
  VU largest = hn::Zero(DU());
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    const V sum = hn::Add(hn::Load(d, a + k), hn::Load(d, b + k));
    largest = Larger(largest, sum);
    hn::Store(sum, d, y + k);
  }
  return Finite(largest);
}

bool ScaleRow(size_t n, const float* scale, const float* x, float* y) {
  const D d;
  VU largest = hn::Zero(DU());
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    const V product = hn::Mul(hn::Load(d, scale + k), hn::Load(d, x + k));
    largest = Larger(largest, product);
    hn::Store(product, d, y + k);
  }
  return Finite(largest);
}

void ThresholdRow(size_t n, const float* threshold, const float* x, float* y) {
  const D d;
  const V one = hn::Set(d, 1.0f);
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    const auto over = hn::Gt(hn::Load(d, x + k), hn::Load(d, threshold + k));
    hn::Store(hn::IfThenElseZero(over, one), d, y + k);
  }
}

void DivideRow(size_t n, float divisor, const float* x, float* y) {
  const D d;
  const V by = hn::Set(d, divisor);
  for (size_t k = 0; k < n; k += hn::Lanes(d)) hn::Store(hn::Div(hn::Load(d, x + k), by), d, y + k);
}

void CountSpikes(size_t n, const float* spikes, uint32_t* counts) {
  const D d;
  const DU du;
  const hn::RebindToSigned<D> di;
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    const VU whole = hn::BitCast(du, hn::ConvertTo(di, hn::Load(d, spikes + k)));
    hn::Store(hn::Add(hn::Load(du, counts + k), whole), du, counts + k);
  }
}

void KeepLarger(size_t n, const float* x, float* y) {
  const D d;
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    const V now = hn::Load(d, x + k);
    const V before = hn::Load(d, y + k);
    hn::Store(hn::IfThenElse(hn::Gt(now, before), now, before), d, y + k);
  }
}

void CountSinceFirst(size_t n, const float* x, float* y) {
  const D d;
  const V zero = hn::Zero(d);
  const V one = hn::Set(d, 1.0f);
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    const V before = hn::Load(d, y + k);
    const auto fired = hn::Or(hn::Ne(hn::Load(d, x + k), zero), hn::Ne(before, zero));
    hn::Store(hn::IfThenElse(fired, hn::Add(before, one), before), d, y + k);
  }
}

bool AllFinite(size_t n, const float* x) {
  const D d;
  VU largest = hn::Zero(DU());
  size_t k = 0;
  for (; k + hn::Lanes(d) <= n; k += hn::Lanes(d)) largest = Larger(largest, hn::LoadU(d, x + k));
  bool finite = Finite(largest);
  const hn::CappedTag<float, 1> d1;
  for (; k < n; ++k) {
    const auto bits = hn::BitCast(hn::RebindToUnsigned<decltype(d1)>(), hn::Abs(hn::LoadU(d1, x + k)));
    finite &= hn::GetLane(bits) < kInfinity;
  }
  return finite;
}

ActiveSources CollectActive(size_t n, const float* x, uint32_t* index) {
  const D d;
  const V zero = hn::Zero(d);
  const V one = hn::Set(d, 1.0f);
  auto other = hn::Ne(zero, zero);  // none
  size_t count = 0;
  ElementList list(0);
  for (size_t k = 0; k < n; k += hn::Lanes(d)) {
    const V value = hn::Load(d, x + k);
    const auto active = hn::Ne(value, zero);
    other = hn::Or(other, hn::AndNot(hn::Eq(value, one), active));
    count += list.Next(active, index + count);
  }
  return {count, hn::AllFalse(d, other)};
}

}  // namespace tandem::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tandem {

HWY_EXPORT(AddRows);
HWY_EXPORT(ScaleRow);
HWY_EXPORT(ThresholdRow);
HWY_EXPORT(DivideRow);
HWY_EXPORT(CountSpikes);
HWY_EXPORT(KeepLarger);
HWY_EXPORT(CountSinceFirst);
HWY_EXPORT(AllFinite);
HWY_EXPORT(CollectActive);

bool AddRows(std::size_t n, const float* a, const float* b, float* y) {
  return HWY_DYNAMIC_DISPATCH(AddRows)(n, a, b, y);
}
bool ScaleRow(std::size_t n, const float* scale, const float* x, float* y) {
  return HWY_DYNAMIC_DISPATCH(ScaleRow)(n, scale, x, y);
}
void ThresholdRow(std::size_t n, const float* threshold, const float* x, float* y) {
  HWY_DYNAMIC_DISPATCH(ThresholdRow)(n, threshold, x, y);
}
void DivideRow(std::size_t n, float divisor, const float* x, float* y) {
  HWY_DYNAMIC_DISPATCH(DivideRow)(n, divisor, x, y);
}
void CountSpikes(std::size_t n, const float* spikes, std::uint32_t* counts) {
  HWY_DYNAMIC_DISPATCH(CountSpikes)(n, spikes, counts);
}
void KeepLarger(std::size_t n, const float* x, float* y) { HWY_DYNAMIC_DISPATCH(KeepLarger)(n, x, y); }
void CountSinceFirst(std::size_t n, const float* x, float* y) { HWY_DYNAMIC_DISPATCH(CountSinceFirst)(n, x, y); }
bool AllFinite(std::size_t n, const float* x) { return HWY_DYNAMIC_DISPATCH(AllFinite)(n, x); }
ActiveSources CollectActive(std::size_t n, const float* x, std::uint32_t* index) {
  return HWY_DYNAMIC_DISPATCH(CollectActive)(n, x, index);
}

}  // namespace tandem
#endif
