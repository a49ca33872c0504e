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

// The first tap of one source, and the distance to the next one, in outputs and in weights.
struct TapWalk {
  uint32_t rows, columns;
  size_t out;
  const float* weight;
  ptrdiff_t out_row, out_column;
  ptrdiff_t weight_row, weight_column;
};

HWY_INLINE TapWalk WalkOf(const ConvWeights& weights, size_t channel, uint32_t row, uint32_t column) {
  const Window& window = weights.window();
  const Taps::Run& rows = weights.rows().of(row);
  const Taps::Run& columns = weights.columns().of(column);
  const auto signed_of = [](size_t number) { return static_cast<ptrdiff_t>(number); };
  const size_t tap = size_t{rows.kernel} * window.columns.kernel + columns.kernel;
  return {rows.count,
          columns.count,
          size_t{rows.out} * window.columns.out + columns.out,
          weights.of(channel, tap),
          -signed_of(size_t{weights.rows().out_step()} * window.columns.out),
          -signed_of(weights.columns().out_step()),
          signed_of(size_t{weights.rows().kernel_step()} * window.columns.kernel * weights.stride()),
          signed_of(weights.columns().kernel_step() * weights.stride())};
}

// Adds one tap after another to sums of kVectors vectors; 0: of `stride` floats.
template <bool kSpikes, size_t kVectors>
HWY_INLINE void AddTaps(const TapWalk& walk, size_t stride, float value, float* sums) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const V factor = hn::Set(d, value);
  const ptrdiff_t sum_column = walk.out_column * static_cast<ptrdiff_t>(stride);
  const ptrdiff_t sum_row = walk.out_row * static_cast<ptrdiff_t>(stride);
  float* first_sum = sums + walk.out * stride;
  const float* first_weight = walk.weight;
  for (uint32_t a = 0; a < walk.rows; ++a) {
    float* sum = first_sum;
    const float* weight = first_weight;
    for (uint32_t b = 0; b < walk.columns; ++b) {
      const size_t floats = kVectors > 0 ? kVectors * lanes : stride;
      for (size_t k = 0; k < floats; k += lanes) {
        const V w = hn::LoadU(d, weight + k);
        hn::Store(hn::Add(hn::Load(d, sum + k), kSpikes ? w : hn::Mul(w, factor)), d, sum + k);
      }
      sum += sum_column;
      weight += walk.weight_column;
    }
    first_sum += sum_row;
    first_weight += walk.weight_row;
  }
}

template <bool kSpikes>
HWY_INLINE void AddChannelsLast(const ConvWeights& weights, size_t group, const TapWalk& walk, float value,
                                float* sums) {
  const size_t lanes = hn::Lanes(D());
  const size_t stride = weights.sum_stride();
  float* const base = sums + group * weights.window().out_plane() * stride;
  if (stride == lanes) {
    AddTaps<kSpikes, 1>(walk, lanes, value, base);
  } else if (stride == 2 * lanes) {
    AddTaps<kSpikes, 2>(walk, 2 * lanes, value, base);
  } else {
    AddTaps<kSpikes, 0>(walk, stride, value, base);
  }
}

template <bool kSpikes>
HWY_INLINE void AddInPlace(const ConvWeights& weights, size_t group, const TapWalk& walk, float value, float* y) {
  const size_t plane = weights.window().out_plane();
  const size_t outs = weights.window().group_out();
  float* const base = y + group * outs * plane;
  for (uint32_t a = 0; a < walk.rows; ++a) {
    for (uint32_t b = 0; b < walk.columns; ++b) {
      float* const to = base + walk.out + a * walk.out_row + b * walk.out_column;
      const float* const weight = walk.weight + a * walk.weight_row + b * walk.weight_column;
      for (size_t k = 0; k < outs; ++k) {
        const float product = kSpikes ? weight[k] : weight[k] * value;
        to[k * plane] = to[k * plane] + product;
      }
    }
  }
}

// `active` ascends, so comparisons find the channel of a source, and one division finds its row.
template <bool kSpikes>
HWY_INLINE uint64_t AddSources(const ConvWeights& weights, const uint32_t* active, size_t count, const float* x,
                               float* sums, float* y) {
  const Window& window = weights.window();
  const size_t plane = window.in_plane();
  const uint32_t width = window.columns.in;
  const uint32_t group_in = window.group_in();
  const bool last = weights.channels_last();
  uint64_t taps = 0;
  size_t channel = 0;
  size_t first = 0;  // source of the channel
  for (size_t k = 0; k < count; ++k) {
    for (; active[k] - first >= plane; first += plane) ++channel;
    const auto cell = static_cast<uint32_t>(active[k] - first);
    const float value = kSpikes ? 1.0f : x[active[k]];
    const TapWalk walk = WalkOf(weights, channel, cell / width, cell % width);
    taps += uint64_t{walk.rows} * walk.columns;
    if (last) {
      AddChannelsLast<kSpikes>(weights, channel / group_in, walk, value, sums);
    } else {
      AddInPlace<kSpikes>(weights, channel / group_in, walk, value, y);
    }
  }
  return taps * window.group_out();
}

uint64_t AddConvSpikes(const ConvWeights& weights, const uint32_t* active, size_t count, float* sums, float* y) {
  return AddSources<true>(weights, active, count, nullptr, sums, y);
}

uint64_t AddConvValues(const ConvWeights& weights, const uint32_t* active, size_t count, const float* x, float* sums,
                       float* y) {
  return AddSources<false>(weights, active, count, x, sums, y);
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

// Transposes four positions of four channels at a time; `stride` is a multiple of four. It goes position by position,
// since the sums of all channels often do not fit the L1 cache, and are then read only once.
void FinishConv(const ConvWeights& weights, const float* sums, float* y) {
  const Window& window = weights.window();
  const size_t plane = window.out_plane();
  const size_t stride = weights.sum_stride();
  const size_t outs = window.group_out();
  for (size_t group = 0; group < window.groups; ++group) {
    const float* const from = sums + group * plane * stride;
    float* const to = y + group * outs * plane;
    size_t at = 0;
#if HWY_TARGET != HWY_SCALAR
    const hn::CappedTag<float, 4> d4;
    for (; at + 4 <= plane; at += 4) {
      const float* in = from + at * stride;
      float* out = to + at;
      size_t channel = 0;
      for (; channel + 4 <= outs; channel += 4) {
        const auto a = hn::LoadU(d4, in + channel);
        const auto b = hn::LoadU(d4, in + channel + stride);
        const auto c = hn::LoadU(d4, in + channel + 2 * stride);
        const auto e = hn::LoadU(d4, in + channel + 3 * stride);
        const auto ac_low = hn::InterleaveLower(d4, a, c);
        const auto ac_high = hn::InterleaveUpper(d4, a, c);
        const auto be_low = hn::InterleaveLower(d4, b, e);
        const auto be_high = hn::InterleaveUpper(d4, b, e);
        hn::StoreU(hn::InterleaveLower(d4, ac_low, be_low), d4, out + channel * plane);
        hn::StoreU(hn::InterleaveUpper(d4, ac_low, be_low), d4, out + (channel + 1) * plane);
        hn::StoreU(hn::InterleaveLower(d4, ac_high, be_high), d4, out + (channel + 2) * plane);
        hn::StoreU(hn::InterleaveUpper(d4, ac_high, be_high), d4, out + (channel + 3) * plane);
      }
      for (; channel < outs; ++channel) {
        for (size_t k = 0; k < 4; ++k) out[channel * plane + k] = in[k * stride + channel];
      }
    }
#endif
    for (; at < plane; ++at) {
      for (size_t channel = 0; channel < outs; ++channel) to[channel * plane + at] = from[at * stride + channel];
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

std::uint64_t AddConvSpikes(const ConvWeights& weights, std::span<const std::uint32_t> active, float* sums, float* y) {
  return HWY_DYNAMIC_DISPATCH(AddConvSpikes)(weights, active.data(), active.size(), sums, y);
}

std::uint64_t AddConvValues(const ConvWeights& weights, std::span<const std::uint32_t> active, const float* x,
                            float* sums, float* y) {
  return HWY_DYNAMIC_DISPATCH(AddConvValues)(weights, active.data(), active.size(), x, sums, y);
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
