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

// For each mask: the indices of its true lanes, ascending, and their number. Highway's own Compress has such a table
// for machines without an instruction for it, but as a local constant, which GCC copies to the stack at every use.
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

// Lists the elements of a row with a true mask, vector by vector, as ascending indices. It has no branches, since
// activity cannot be predicted. It always stores a whole vector: data after the list is overwritten by the next one.
class ElementList {
 public:
  using D = hwy::HWY_NAMESPACE::CappedTag<float, 16>;
  using DU = hwy::HWY_NAMESPACE::RebindToUnsigned<D>;
  using VU = hwy::HWY_NAMESPACE::Vec<DU>;

  // For elements from `first` on.
  HWY_INLINE explicit ElementList(size_t first) {
    namespace hn = hwy::HWY_NAMESPACE;
    index_ = hn::Set(DU(), static_cast<uint32_t>(first));
    if (kHasCompress) index_ = hn::Add(index_, hn::Iota(DU(), 0));
  }

  // Writes those of the next vector to `list` and returns their number.
  HWY_INLINE size_t Next(hwy::HWY_NAMESPACE::Mask<D> mask, uint32_t* list) {
    namespace hn = hwy::HWY_NAMESPACE;
    const DU du;
    const VU index = index_;
    index_ = hn::Add(index, hn::Set(du, static_cast<uint32_t>(hn::Lanes(du))));
    if constexpr (kHasCompress) {
      const auto listed = hn::RebindMask(du, mask);
      // Compressing directly to memory is slow on some machines.
      hn::StoreU(hn::Compress(index, listed), du, list);
      return hn::CountTrue(du, listed);
    } else {
      uint8_t bits[8];  // StoreMaskBits may write this many
      hn::StoreMaskBits(D(), mask, bits);
      const hn::Rebind<uint8_t, DU> lane;
      hn::StoreU(hn::Add(index, hn::PromoteTo(du, hn::LoadU(lane, kLanesOfMasks.lanes[bits[0]]))), du, list);
      return kLanesOfMasks.count[bits[0]];
    }
  }

 private:
  VU index_;  // with Compress the index of each lane, else the index of the first lane in each
};

}  // namespace tandem::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
