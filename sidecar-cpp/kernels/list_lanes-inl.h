// Included once for each target by the kernels that list which elements fired or are not 0.
#include <hwy/highway.h>

#if defined(TANDEM_KERNELS_LIST_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_KERNELS_LIST_LANES_INL_H_
#undef TANDEM_KERNELS_LIST_LANES_INL_H_
#else
#define TANDEM_KERNELS_LIST_LANES_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace tandem::HWY_NAMESPACE {

constexpr bool kHasCompress = HWY_TARGET <= HWY_AVX3;
constexpr size_t kTableLanes =
    kHasCompress ? 1 : hwy::HWY_NAMESPACE::MaxLanes(hwy::HWY_NAMESPACE::CappedTag<float, 16>());

// Of a mask by its bits: the lanes that are true, ascending, and how many they are. Highway's own Compress has such a
// table where the machine has no instruction for it, but as a local constant, which GCC copies to the stack at every
// use.
struct LanesOfMasks {
  constexpr LanesOfMasks() {
    for (size_t bits = 0; bits < (size_t{1} << kTableLanes); ++bits) {
      for (size_t k = 0; k < kTableLanes; ++k) {
        if ((bits >> k & 1) != 0) lanes[bits][count[bits]++] = static_cast<uint8_t>(k);
      }
    }
  }
  uint8_t lanes[size_t{1} << kTableLanes][kTableLanes] = {};
  uint8_t count[size_t{1} << kTableLanes] = {};
};
constexpr LanesOfMasks kLanesOfMasks;

// Lists the elements of a row for which a mask is true, vector by vector, as indices that ascend. Without branches,
// since activity is what a branch predictor cannot foresee. A whole vector is stored each time: what lies behind the
// list is overwritten by what follows.
class ElementList {
 public:
  using D = hwy::HWY_NAMESPACE::CappedTag<float, 16>;
  using DU = hwy::HWY_NAMESPACE::RebindToUnsigned<D>;
  using VU = hwy::HWY_NAMESPACE::Vec<DU>;

  // Of elements from `first` on.
  HWY_INLINE explicit ElementList(size_t first) {
    namespace hn = hwy::HWY_NAMESPACE;
    index_ = hn::Set(DU(), static_cast<uint32_t>(first));
    if (kHasCompress) index_ = hn::Add(index_, hn::Iota(DU(), 0));
  }

  // Writes those of the next vector to `list` and returns how many they are.
  HWY_INLINE size_t Next(hwy::HWY_NAMESPACE::Mask<D> mask, uint32_t* list) {
    namespace hn = hwy::HWY_NAMESPACE;
    const DU du;
    const VU index = index_;
    index_ = hn::Add(index, hn::Set(du, static_cast<uint32_t>(hn::Lanes(du))));
    if constexpr (kHasCompress) {
      const auto listed = hn::RebindMask(du, mask);
      // Compressing straight to memory is slow on some machines.
      hn::StoreU(hn::Compress(index, listed), du, list);
      return hn::CountTrue(du, listed);
    } else {
      uint8_t bits[8];  // StoreMaskBits may write as many
      hn::StoreMaskBits(D(), mask, bits);
      const hn::Rebind<uint8_t, DU> lane;
      hn::StoreU(hn::Add(index, hn::PromoteTo(du, hn::LoadU(lane, kLanesOfMasks.lanes[bits[0]]))), du, list);
      return kLanesOfMasks.count[bits[0]];
    }
  }

 private:
  VU index_;  // with Compress that of each lane, else that of the first one in each
};

}  // namespace tandem::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
