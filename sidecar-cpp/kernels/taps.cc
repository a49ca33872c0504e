#include "kernels/taps.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace tandem {
namespace {

// The inverse of `a` modulo `m`, which have no common factor; 0 if m is 1.
std::int64_t Inverse(std::int64_t a, std::int64_t m) {
  std::int64_t r = m;
  std::int64_t next_r = a % m;
  std::int64_t t = 0;
  std::int64_t next_t = 1;
  while (next_r != 0) {
    const std::int64_t q = r / next_r;
    r = std::exchange(next_r, r - q * next_r);
    t = std::exchange(next_t, t - q * next_t);
  }
  return ((t % m) + m) % m;
}

}  // namespace

// Output o reads input o * stride + k * dilation - before. For an input i, the k are those for which i + before -
// k * dilation is a multiple of the stride, from 0 to (out - 1) * stride.
Taps::Taps(const Axis& axis) : runs_(axis.in) {
  const std::int64_t stride = axis.stride;
  const std::int64_t dilation = axis.dilation;
  const std::int64_t common = std::gcd(stride, dilation);
  const std::int64_t step = stride / common;
  kernel_step_ = static_cast<std::uint32_t>(step);
  out_step_ = static_cast<std::uint32_t>(dilation / common);
  const std::int64_t inverse = Inverse(dilation / common, step);
  const std::int64_t furthest = (axis.out - std::int64_t{1}) * stride;
  for (std::int64_t i = 0; i < axis.in; ++i) {
    const std::int64_t at = i + axis.before;
    if (at % common != 0) continue;
    const std::int64_t low = at > furthest ? (at - furthest + dilation - 1) / dilation : 0;
    const std::int64_t high = std::min(axis.kernel - std::int64_t{1}, at / dilation);
    const std::int64_t wanted = (at / common) % step * inverse % step;  // k modulo step
    const std::int64_t first = low + ((wanted - low) % step + step) % step;
    if (first > high) continue;
    runs_[static_cast<std::size_t>(i)] = {static_cast<std::uint32_t>(first),
                                          static_cast<std::uint32_t>((at - first * dilation) / stride),
                                          static_cast<std::uint32_t>((high - first) / step + 1)};
  }
}

}  // namespace tandem
