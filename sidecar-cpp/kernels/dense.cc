#include "kernels/dense.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/store_targets-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The sums and weights of a tile, one input and one product must fit into the registers: 32 with AVX-512 and NEON, else
// 16.
constexpr bool kManyRegisters = HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64;
constexpr size_t kTileRows = 6;
constexpr size_t kTileVectors = kManyRegisters ? 4 : 2;
// A single row has free registers, and needs that many sums to hide the latency of additions.
constexpr size_t kLoneVectors = 8;

// Number of sources whose weights of a tile stay in the first-level cache for all rows.
constexpr size_t kSources = 96;

template <size_t kRows, size_t kVectors>
HWY_INLINE void AddTile(const Panel& panel, size_t at, size_t begin, size_t end, const DenseRow* rows) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const float* weights = panel.data + at;
  const float* x[kRows];
  V sum[kRows][kVectors];
  for (size_t r = 0; r < kRows; ++r) {
    x[r] = rows[r].x;
    for (size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::Load(d, rows[r].y + panel.first + at + v * lanes);
  }
  for (size_t j = begin; j < end; ++j) {
    V weight[kVectors];
    for (size_t v = 0; v < kVectors; ++v) weight[v] = hn::LoadU(d, weights + j * panel.stride + v * lanes);
    for (size_t r = 0; r < kRows; ++r) {
      const V value = hn::Set(d, x[r][j]);
      for (size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::Add(sum[r][v], hn::Mul(weight[v], value));
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    float* y = rows[r].y + panel.first;
    for (size_t v = 0; v < kVectors; ++v) StoreTargets(sum[r][v], at + v * lanes, panel.width, y);
  }
}

template <size_t kVectors>
HWY_INLINE void AddColumn(const Panel& panel, size_t at, size_t begin, size_t end, const DenseRow* rows, size_t count) {
  size_t r = 0;
  while (count - r >= kTileRows && count - r != 8) {
    AddTile<kTileRows, kVectors>(panel, at, begin, end, rows + r);
    r += kTileRows;
  }
  for (; r + 4 <= count; r += 4) AddTile<4, kVectors>(panel, at, begin, end, rows + r);
  for (; r + 2 <= count; r += 2) AddTile<2, kVectors>(panel, at, begin, end, rows + r);
  if (r < count) AddTile<1, kVectors>(panel, at, begin, end, rows + r);
}

// Fewer than kVectors columns remain.
template <size_t kVectors>
HWY_INLINE void AddLastColumns(const Panel& panel, size_t at, size_t begin, size_t end, const DenseRow* rows,
                               size_t count) {
  if constexpr (kVectors > 0) {
    const size_t lanes = hn::Lanes(D());
    if (at + (kVectors - 1) * lanes < panel.width) {
      AddColumn<kVectors>(panel, at, begin, end, rows, count);
      at += kVectors * lanes;
    }
    AddLastColumns<kVectors / 2>(panel, at, begin, end, rows, count);
  }
}

void AddDense(const Panel& panel, size_t begin, size_t end, const DenseRow* rows, size_t count) {
  const size_t lanes = hn::Lanes(D());
  if (count == 1) {
    size_t at = 0;
    for (; at + (kLoneVectors - 1) * lanes < panel.width; at += kLoneVectors * lanes) {
      AddTile<1, kLoneVectors>(panel, at, begin, end, rows);
    }
    AddLastColumns<kLoneVectors / 2>(panel, at, begin, end, rows, 1);
    return;
  }
  for (size_t from = begin; from < end; from += kSources) {
    const size_t to = std::min(end, from + kSources);
    size_t at = 0;
    for (; at + (kTileVectors - 1) * lanes < panel.width; at += kTileVectors * lanes) {
      AddColumn<kTileVectors>(panel, at, from, to, rows, count);
    }
    AddLastColumns<kTileVectors / 2>(panel, at, from, to, rows, count);
  }
}

}  // namespace tandem::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tandem {

HWY_EXPORT(AddDense);

void AddDense(const Panel& panel, std::size_t begin, std::size_t end, std::span<const DenseRow> rows) {
  if (rows.empty()) return;
  HWY_DYNAMIC_DISPATCH(AddDense)(panel, begin, end, rows.data(), rows.size());
}

}  // namespace tandem
#endif
