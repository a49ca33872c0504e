// The window that a convolution or a pool moves over its input. Only numbers, which nir/window.h has checked.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tandem {

// One direction. Output `o` reads, for each kernel index `k`, input `o * stride + k * dilation - before` if it exists.
// Elements outside of the input are padding.
struct Axis {
  std::uint32_t in = 1;
  std::uint32_t out = 1;
  std::uint32_t kernel = 1;
  std::uint32_t stride = 1;
  std::uint32_t dilation = 1;
  std::uint32_t before = 0;
};

// Tensors are [channels, rows, columns]; those of a Conv1d have one row. Groups of `in_channels / groups` channels feed
// groups of `out_channels / groups`; a pool has one group for each channel.
struct Window {
  std::uint32_t in_channels = 1;
  std::uint32_t out_channels = 1;
  std::uint32_t groups = 1;
  Axis rows;
  Axis columns;

  [[nodiscard]] std::size_t in_plane() const { return std::size_t{rows.in} * columns.in; }
  [[nodiscard]] std::size_t out_plane() const { return std::size_t{rows.out} * columns.out; }
  [[nodiscard]] std::size_t kernel() const { return std::size_t{rows.kernel} * columns.kernel; }
  [[nodiscard]] std::uint32_t group_in() const { return in_channels / groups; }
  [[nodiscard]] std::uint32_t group_out() const { return out_channels / groups; }
};

}  // namespace tandem
