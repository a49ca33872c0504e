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
  const auto add = [&](float* sum, const float* weight) HWY_ATTR {
    const V w = hn::LoadU(d, weight);
    hn::Store(hn::Add(hn::Load(d, sum), kSpikes ? w : hn::Mul(w, factor)), d, sum);
  };
  if (stride == lanes) {
    ForEachTap(weights, channel, row, column,
               [&](size_t out, const float* weight) HWY_ATTR { add(base + out * lanes, weight); });
  } else if (stride == 2 * lanes) {
    ForEachTap(weights, channel, row, column, [&](size_t out, const float* weight) HWY_ATTR {
      float* const sum = base + out * 2 * lanes;
      add(sum, weight);
      add(sum + lanes, weight + lanes);
    });
  } else {
    ForEachTap(weights, channel, row, column, [&](size_t out, const float* weight) HWY_ATTR {
      for (size_t k = 0; k < stride; k += lanes) add(base + out * stride + k, weight + k);
    });
  }
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

void StartSums(const ConvWeights& weights, const float* bias, float* sums) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const Window& window = weights.window();
  const size_t stride = weights.sum_stride();
  const size_t outs = window.group_out();
  const size_t plane = window.out_plane();
  for (size_t group = 0; group < window.groups; ++group) {
    float* const to = sums + group * plane * stride;
    for (size_t k = 0; k < outs; k += lanes) {
      alignas(64) float some[16] = {};
      std::copy_n(bias + group * outs + k, std::min(lanes, outs - k), some);
      const V start = hn::Load(d, some);
      for (size_t at = 0; at < plane; ++at) hn::Store(start, d, to + at * stride + k);
    }
  }
}

// Four positions of four channels change places at a time; `stride` is a multiple of four.
void FinishConv(const ConvWeights& weights, const float* sums, float* y) {
  const Window& window = weights.window();
  const size_t plane = window.out_plane();
  const size_t stride = weights.sum_stride();
  const size_t outs = window.group_out();
  for (size_t group = 0; group < window.groups; ++group) {
    const float* const from = sums + group * plane * stride;
    float* const to = y + group * outs * plane;
    size_t channel = 0;
#if HWY_TARGET != HWY_SCALAR
    const hn::CappedTag<float, 4> d4;
    for (; channel + 4 <= outs; channel += 4) {
      const float* in = from + channel;
      float* out = to + channel * plane;
      size_t at = 0;
      for (; at + 4 <= plane; at += 4) {
        const auto a = hn::LoadU(d4, in + at * stride);
        const auto b = hn::LoadU(d4, in + (at + 1) * stride);
        const auto c = hn::LoadU(d4, in + (at + 2) * stride);
        const auto e = hn::LoadU(d4, in + (at + 3) * stride);
        const auto ac_low = hn::InterleaveLower(d4, a, c);
        const auto ac_high = hn::InterleaveUpper(d4, a, c);
        const auto be_low = hn::InterleaveLower(d4, b, e);
        const auto be_high = hn::InterleaveUpper(d4, b, e);
        hn::StoreU(hn::InterleaveLower(d4, ac_low, be_low), d4, out + at);
        hn::StoreU(hn::InterleaveUpper(d4, ac_low, be_low), d4, out + plane + at);
        hn::StoreU(hn::InterleaveLower(d4, ac_high, be_high), d4, out + 2 * plane + at);
        hn::StoreU(hn::InterleaveUpper(d4, ac_high, be_high), d4, out + 3 * plane + at);
      }
      for (; at < plane; ++at) {
        for (size_t k = 0; k < 4; ++k) out[k * plane + at] = in[at * stride + k];
      }
    }
#endif
    for (; channel < outs; ++channel) {
      for (size_t at = 0; at < plane; ++at) to[channel * plane + at] = from[at * stride + channel];
    }
  }
}

}  // namespace tandem::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tandem {

HWY_EXPORT(AddConvSpikes);
HWY_EXPORT(AddConvValues);
HWY_EXPORT(StartSums);
HWY_EXPORT(FinishConv);

void AddConvSpikes(const ConvWeights& weights, std::span<const std::uint32_t> active, float* sums, float* y) {
  HWY_DYNAMIC_DISPATCH(AddConvSpikes)(weights, active.data(), active.size(), sums, y);
}

void AddConvValues(const ConvWeights& weights, std::span<const std::uint32_t> active, const float* x, float* sums,
                   float* y) {
  HWY_DYNAMIC_DISPATCH(AddConvValues)(weights, active.data(), active.size(), x, sums, y);
}

void StartConv(const ConvWeights& weights, const float* bias, float* sums, float* y) {
  if (weights.channels_last()) return HWY_DYNAMIC_DISPATCH(StartSums)(weights, bias, sums);
  const std::size_t plane = weights.window().out_plane();
  for (std::size_t channel = 0; channel < weights.window().out_channels; ++channel) {
    std::fill_n(y + channel * plane, plane, bias[channel]);
  }
}

void FinishConv(const ConvWeights& weights, const float* sums, float* y) {
  if (weights.channels_last()) HWY_DYNAMIC_DISPATCH(FinishConv)(weights, sums, y);
}

}  // namespace tandem
#endif
