// A weight matrix laid out for event-driven accumulation: source-major, so that the weights of one active source are
// contiguous. It is split into panels of kPanelWidth targets, so that the sums of a panel stay in registers during all
// active sources, and its weights stay in the cache during a batch.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/padded.h"

namespace tandem {

inline constexpr std::size_t kPanelWidth = 64;

// Weights of `width` targets, from target `first` on: weight(source j, target first + k) is data[j * stride + k].
// A narrow last panel may be read (not used) up to kRowMultiple floats past its last row.
struct Panel {
  const float* data;
  std::size_t stride;
  std::size_t first;
  std::size_t width;  // 1 to kPanelWidth
};

class Weights {
 public:
  // `row_major` is NIR's [out, in] weight.
  Weights(std::span<const float> row_major, std::size_t out, std::size_t in);

  [[nodiscard]] std::size_t out() const { return out_; }
  [[nodiscard]] std::size_t in() const { return in_; }
  [[nodiscard]] std::size_t panel_count() const { return (out_ + kPanelWidth - 1) / kPanelWidth; }
  [[nodiscard]] Panel panel(std::size_t index) const;

 private:
  [[nodiscard]] std::size_t StrideOf(std::size_t width) const;

  std::size_t out_;
  std::size_t in_;
  FloatRow data_;
};

}  // namespace tandem
