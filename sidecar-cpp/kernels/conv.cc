#include "kernels/conv.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tandem::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;

// Calls `add(output position, weights of the tap)` for each tap of one source.
template <typename Add>
HWY_INLINE void ForEachTap(const ConvWeights& weights, size_t channel, uint32_t row, uint32_t column, Add add) {
  const Window& window = weights.window();
  const Taps::Run& rows = weights.rows().of(row);
  const Taps::Run& columns = weights.columns().of(column);
  for (uint32_t a = 0; a < rows.count; ++a) {
    const size_t out_row = rows.out - a * weights.rows().out_step();
    const size_t kernel_row = rows.kernel + a * weights.rows().kernel_step();
    size_t out = out_row * window.columns.out + columns.out;
    size_t tap = kernel_row * window.columns.kernel + columns.kernel;
    for (uint32_t b = 0; b < columns.count; ++b) {
      add(out, weights.of(channel, tap));
      out -= weights.columns().out_step();
      tap += weights.columns().kernel_step();
    }
  }
}

template <bool kSpikes>
HWY_INLINE void AddChannelsLast(const ConvWeights& weights, size_t group, size_t channel, uint32_t row, uint32_t column,
                                float value, float* sums) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const size_t stride = weights.sum_stride();
  float* const base = sums + group * weights.window().out_plane() * stride;
  const V factor = hn::Set(d, value);
  ForEachTap(weights, channel, row, column, [&](size_t out, const float* weight) HWY_ATTR {
    float* const sum = base + out * stride;
    for (size_t k = 0; k < stride; k += lanes) {
      const V w = hn::LoadU(d, weight + k);
      hn::Store(hn::Add(hn::Load(d, sum + k), kSpikes ? w : hn::Mul(w, factor)), d, sum + k);
    }
  });
}

template <bool kSpikes>
HWY_INLINE void AddInPlace(const ConvWeights& weights, size_t group, size_t channel, uint32_t row, uint32_t column,
                           float value, float* y) {
  const size_t plane = weights.window().out_plane();
  const size_t outs = weights.window().group_out();
  float* const base = y + group * outs * plane;
  ForEachTap(weights, channel, row, column, [&](size_t out, const float* weight) {
    for (size_t k = 0; k < outs; ++k) {
      const float product = kSpikes ? weight[k] : weight[k] * value;
      base[k * plane + out] = base[k * plane + out] + product;
    }
  });
}

template <bool kSpikes>
HWY_INLINE void AddSources(const ConvWeights& weights, const uint32_t* active, size_t count, const float* x,
                           float* sums, float* y) {
  const Window& window = weights.window();
  const auto plane = static_cast<uint32_t>(window.in_plane());
  const uint32_t width = window.columns.in;
  const uint32_t group_in = window.group_in();
  const bool last = weights.channels_last();
  for (size_t k = 0; k < count; ++k) {
    const uint32_t channel = active[k] / plane;
    const uint32_t place = active[k] % plane;
    const uint32_t row = place / width;
    const uint32_t column = place % width;
    const float value = kSpikes ? 1.0f : x[active[k]];
    if (last) {
      AddChannelsLast<kSpikes>(weights, channel / group_in, channel, row, column, value, sums);
    } else {
      AddInPlace<kSpikes>(weights, channel / group_in, channel, row, column, value, y);
    }
  }
}

void AddConvSpikes(const ConvWeights& weights, const uint32_t* active, size_t count, float* sums, float* y) {
  AddSources<true>(weights, active, count, nullptr, sums, y);
}

void AddConvValues(const ConvWeights& weights, const uint32_t* active, size_t count, const float* x, float* sums,
                   float* y) {
  AddSources<false>(weights, active, count, x, sums, y);
}

}  // namespace tandem::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tandem {

HWY_EXPORT(AddConvSpikes);
HWY_EXPORT(AddConvValues);

void AddConvSpikes(const ConvWeights& weights, std::span<const std::uint32_t> active, float* sums, float* y) {
  HWY_DYNAMIC_DISPATCH(AddConvSpikes)(weights, active.data(), active.size(), sums, y);
}

void AddConvValues(const ConvWeights& weights, std::span<const std::uint32_t> active, const float* x, float* sums,
                   float* y) {
  HWY_DYNAMIC_DISPATCH(AddConvValues)(weights, active.data(), active.size(), x, sums, y);
}

void StartConv(const ConvWeights& weights, const float* bias, float* sums, float* y) {
  const Window& window = weights.window();
  const std::size_t plane = window.out_plane();
  if (!weights.channels_last()) {
    for (std::size_t channel = 0; channel < window.out_channels; ++channel) {
      std::fill_n(y + channel * plane, plane, bias[channel]);
    }
    return;
  }
  const std::size_t stride = weights.sum_stride();
  const std::size_t outs = window.group_out();
  for (std::size_t group = 0; group < window.groups; ++group) {
    for (std::size_t at = 0; at < plane; ++at)
      std::copy_n(bias + group * outs, outs, sums + (group * plane + at) * stride);
  }
}

void FinishConv(const ConvWeights& weights, const float* sums, float* y) {
  if (!weights.channels_last()) return;
  const Window& window = weights.window();
  const std::size_t plane = window.out_plane();
  const std::size_t stride = weights.sum_stride();
  const std::size_t outs = window.group_out();
  for (std::size_t group = 0; group < window.groups; ++group) {
    for (std::size_t channel = 0; channel < outs; ++channel) {
      const float* const from = sums + group * plane * stride + channel;
      float* const to = y + (group * outs + channel) * plane;
      for (std::size_t at = 0; at < plane; ++at) to[at] = from[at * stride];
    }
  }
}

}  // namespace tandem
#endif
