#include "kernels/linear.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/linear.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tandem::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;

// Where a block's targets end, so that padding stays +0 whatever a narrow panel's vectors read past their row.
HWY_INLINE void StoreTargets(V sum, size_t at, size_t width, float* y) {
  const D d;
  const V kept = at + hn::Lanes(d) <= width ? sum : hn::IfThenElseZero(hn::FirstN(d, width - at), sum);
  hn::Store(kept, d, y + at);
}

// One panel column of kVectors vectors held in registers while the active sources go by.
template <size_t kVectors, bool kSpikes>
HWY_INLINE void AddActive(const Panel& panel, size_t at, const uint32_t* active, size_t count, const float* x,
                          float* y) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const float* base = panel.data + at;
  V sum[kVectors];
  for (size_t v = 0; v < kVectors; ++v) sum[v] = hn::Load(d, y + at + v * lanes);
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

template <bool kSpikes>
HWY_INLINE void AddActivePanel(const Panel& panel, const uint32_t* active, size_t count, const float* x, float* y) {
  const size_t lanes = hn::Lanes(D());
  float* row = y + panel.first;
  size_t at = 0;
  for (; at + 7 * lanes < panel.width; at += 8 * lanes) {
    AddActive<8, kSpikes>(panel, at, active, count, x, row);
  }
  for (; at + 3 * lanes < panel.width; at += 4 * lanes) {
    AddActive<4, kSpikes>(panel, at, active, count, x, row);
  }
  for (; at < panel.width; at += lanes) AddActive<1, kSpikes>(panel, at, active, count, x, row);
}

void AddSpikes(const Panel& panel, const uint32_t* active, size_t count, float* y) {
  AddActivePanel<true>(panel, active, count, nullptr, y);
}

void AddValues(const Panel& panel, const uint32_t* active, size_t count, const float* x, float* y) {
  AddActivePanel<false>(panel, active, count, x, y);
}

// kRows inputs by kVectors vectors of targets: each weight is loaded once for kRows products.
template <size_t kRows, size_t kVectors>
HWY_INLINE void AddTile(const Panel& panel, size_t at, size_t begin, size_t end, const float* x, size_t x_stride,
                        float* y, size_t y_stride) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const float* base = panel.data + at;
  V sum[kRows][kVectors];
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::Load(d, y + r * y_stride + at + v * lanes);
  }
  for (size_t j = begin; j < end; ++j) {
    V weight[kVectors];
    for (size_t v = 0; v < kVectors; ++v) weight[v] = hn::LoadU(d, base + j * panel.stride + v * lanes);
    for (size_t r = 0; r < kRows; ++r) {
      const V value = hn::Set(d, x[r * x_stride + j]);
      for (size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::Add(sum[r][v], hn::Mul(weight[v], value));
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t v = 0; v < kVectors; ++v) {
      StoreTargets(sum[r][v], at + v * lanes, panel.width, y + r * y_stride);
    }
  }
}

template <size_t kRows>
HWY_INLINE void AddTiles(const Panel& panel, size_t begin, size_t end, const float* x, size_t x_stride, float* y,
                         size_t y_stride) {
  // Few rows leave registers free for more vectors, and need them to hide the adder's latency.
  constexpr size_t kVectors = kRows == 1 ? 8 : 2;
  const size_t lanes = hn::Lanes(D());
  float* row = y + panel.first;
  size_t at = 0;
  for (; at + (kVectors - 1) * lanes < panel.width; at += kVectors * lanes) {
    AddTile<kRows, kVectors>(panel, at, begin, end, x, x_stride, row, y_stride);
  }
  for (; at + lanes < panel.width; at += 2 * lanes) {
    AddTile<kRows, 2>(panel, at, begin, end, x, x_stride, row, y_stride);
  }
  for (; at < panel.width; at += lanes) AddTile<kRows, 1>(panel, at, begin, end, x, x_stride, row, y_stride);
}

void AddDense(const Panel& panel, size_t begin, size_t end, size_t rows, const float* x, size_t x_stride, float* y,
              size_t y_stride) {
  size_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    AddTiles<4>(panel, begin, end, x + r * x_stride, x_stride, y + r * y_stride, y_stride);
  }
  for (; r < rows; ++r) {
    AddTiles<1>(panel, begin, end, x + r * x_stride, x_stride, y + r * y_stride, y_stride);
  }
}

}  // namespace tandem::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tandem {

HWY_EXPORT(AddSpikes);
HWY_EXPORT(AddValues);
HWY_EXPORT(AddDense);

void AddSpikes(const Panel& panel, std::span<const std::uint32_t> active, float* y) {
  HWY_DYNAMIC_DISPATCH(AddSpikes)(panel, active.data(), active.size(), y);
}

void AddValues(const Panel& panel, std::span<const std::uint32_t> active, const float* x, float* y) {
  HWY_DYNAMIC_DISPATCH(AddValues)(panel, active.data(), active.size(), x, y);
}

void AddDense(const Panel& panel, std::size_t begin, std::size_t end, std::size_t rows, const float* x,
              std::size_t x_stride, float* y, std::size_t y_stride) {
  HWY_DYNAMIC_DISPATCH(AddDense)(panel, begin, end, rows, x, x_stride, y, y_stride);
}

}  // namespace tandem
#endif
