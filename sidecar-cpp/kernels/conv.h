// A convolution, one active source after another: each output starts from its bias and adds its sources in ascending
// order, for every vector width and batch (proto/NUMERICS.md, "Windows").
//
// Sums have the channels last, so the additions of one source through one tap are contiguous; at the end they are
// transposed. If a group has too few output channels for that, the sums are in the output itself. Stateless, safe from
// any thread on distinct rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/window.h"
#include "kernels/padded.h"
#include "kernels/taps.h"

namespace tandem {

class ConvWeights {
 public:
  // `row_major` is NIR's [out, in / groups, rows, columns] weight.
  ConvWeights(const Window& window, std::span<const float> row_major);

  [[nodiscard]] const Window& window() const { return window_; }
  [[nodiscard]] const Taps& rows() const { return rows_; }
  [[nodiscard]] const Taps& columns() const { return columns_; }
  // Number of weights of a group's outputs for one tap of one input channel.
  [[nodiscard]] const float* of(std::size_t channel, std::size_t tap) const {
    return data_.data() + (channel * window_.kernel() + tap) * stride_;
  }
  [[nodiscard]] std::size_t stride() const { return stride_; }

  // Number of floats for the sums; 0: they are in the output itself.
  [[nodiscard]] std::size_t sum_floats() const {
    return channels_last() ? window_.groups * window_.out_plane() * sum_stride() : 0;
  }
  [[nodiscard]] std::size_t sum_stride() const { return PaddedSize(window_.group_out()); }
  [[nodiscard]] bool channels_last() const { return window_.group_out() >= kFewChannels; }

 private:
  static constexpr std::uint32_t kFewChannels = 4;

  Window window_;
  Taps rows_;
  Taps columns_;
  std::size_t stride_;
  FloatRow data_;
};

// Sets the sums (or `y`) to the bias, one for each output channel.
void StartConv(const ConvWeights& weights, const float* bias, float* sums, float* y);

// Adds the sources in `active`, which ascend and are all 1, to the sums. Returns how many additions the network has for
// them: one for each tap and output channel.
std::uint64_t AddConvSpikes(const ConvWeights& weights, std::span<const std::uint32_t> active, float* sums, float* y);

// The same for sources with the values x[source].
std::uint64_t AddConvValues(const ConvWeights& weights, std::span<const std::uint32_t> active, const float* x,
                            float* sums, float* y);

// Writes the sums to `y`, channels first.
void FinishConv(const ConvWeights& weights, const float* sums, float* y);

}  // namespace tandem
