#include "kernels/linear.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/linear.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/store_targets-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// One panel column of kVectors vectors stays in registers during all active sources.
template <size_t kVectors, bool kSpikes>
HWY_INLINE void AddActive(const Panel& panel, size_t at, const uint32_t* active, size_t count, const float* x,
                          const float* start, float* y) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const float* base = panel.data + at;
  V sum[kVectors];
  for (size_t v = 0; v < kVectors; ++v) sum[v] = hn::Load(d, start + at + v * lanes);
  for (size_t k = 0; k < count; ++k) {
    const float* row = base + active[k] * panel.stride;
    if constexpr (kSpikes) {
      for (size_t v = 0; v < kVectors; ++v) sum[v] = hn::Add(sum[v], hn::LoadU(d, row + v * lanes));
    } else {
      const V value = hn::Set(d, x[active[k]]);
      for (size_t v = 0; v < kVectors; ++v) {
        sum[v] = hn::Add(sum[v], hn::Mul(hn::LoadU(d, row + v * lanes), value));
      }
    }
  }
  for (size_t v = 0; v < kVectors; ++v) StoreTargets(sum[v], at + v * lanes, panel.width, y);
}

// `start` and `y` are at the panel's first target.
template <bool kSpikes>
HWY_INLINE void AddActivePanel(const Panel& panel, const uint32_t* active, size_t count, const float* x,
                               const float* start, float* y) {
  const size_t lanes = hn::Lanes(D());
  size_t at = 0;
  for (; at + 7 * lanes < panel.width; at += 8 * lanes) {
    AddActive<8, kSpikes>(panel, at, active, count, x, start, y);
  }
  for (; at + 3 * lanes < panel.width; at += 4 * lanes) {
    AddActive<4, kSpikes>(panel, at, active, count, x, start, y);
  }
  if (at + 2 * lanes < panel.width) {
    AddActive<3, kSpikes>(panel, at, active, count, x, start, y);
  } else if (at + lanes < panel.width) {
    AddActive<2, kSpikes>(panel, at, active, count, x, start, y);
  } else if (at < panel.width) {
    AddActive<1, kSpikes>(panel, at, active, count, x, start, y);
  }
}

void AddSpikes(const Panel& given, const float* start, size_t begin, size_t end, const SpikeRow* rows, size_t count) {
  const Panel panel = given;  // which no row can alias
  for (size_t r = 0; r < count; ++r) {
    const size_t size = rows[r].active.size();
    const size_t from = std::min(begin, size);
    float* const y = rows[r].y + panel.first;
    std::fill(y + panel.width, y + PaddedSize(panel.width), 0.0f);  // a narrow vector may not reach it
    AddActivePanel<true>(panel, rows[r].active.data() + from, std::min(end, size) - from, nullptr,
                         begin == 0 ? start + panel.first : y, y);
  }
}

void AddValues(const Panel& panel, const uint32_t* active, size_t count, const float* x, float* y) {
  float* const row = y + panel.first;
  AddActivePanel<false>(panel, active, count, x, row, row);
}

}  // namespace tandem::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tandem {

HWY_EXPORT(AddSpikes);
HWY_EXPORT(AddValues);

void AddSpikes(const Panel& panel, const float* start, std::size_t begin, std::size_t end,
               std::span<const SpikeRow> rows) {
  HWY_DYNAMIC_DISPATCH(AddSpikes)(panel, start, begin, end, rows.data(), rows.size());
}

void AddValues(const Panel& panel, std::span<const std::uint32_t> active, const float* x, float* y) {
  HWY_DYNAMIC_DISPATCH(AddValues)(panel, active.data(), active.size(), x, y);
}

}  // namespace tandem
#endif
