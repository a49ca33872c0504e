// Included once for each target by the kernels that sum weights.
#include <hwy/highway.h>

#if defined(TANDEM_KERNELS_STORE_TARGETS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_KERNELS_STORE_TARGETS_INL_H_
#undef TANDEM_KERNELS_STORE_TARGETS_INL_H_
#else
#define TANDEM_KERNELS_STORE_TARGETS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace tandem::HWY_NAMESPACE {

using D = hwy::HWY_NAMESPACE::CappedTag<float, 16>;
using V = hwy::HWY_NAMESPACE::Vec<D>;

// The end of a block's targets, so that padding stays +0 although vectors of a narrow panel read past their row.
HWY_INLINE void StoreTargets(V sum, size_t at, size_t width, float* y) {
  namespace hn = hwy::HWY_NAMESPACE;
  const D d;
  const V kept = at + hn::Lanes(d) <= width ? sum : hn::IfThenElseZero(hn::FirstN(d, width - at), sum);
  hn::Store(kept, d, y + at);
}

}  // namespace tandem::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
