// Sums and means over windows, for each channel separately. Stateless, safe from any thread on distinct rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/window.h"

namespace tandem {

// The output element of each input element, in a pool without overlapping windows.
class PoolTargets {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  // Empty if windows overlap.
  explicit PoolTargets(const Window& window);

  [[nodiscard]] bool empty() const { return of_.empty(); }
  [[nodiscard]] const std::uint32_t* data() const { return of_.data(); }

 private:
  std::vector<std::uint32_t> of_;  // by input element
};

// The same sums as SumPool, but only of the elements in `active`, in ascending order: the others are zeros, which add
// nothing. PoolSpikes: each of them is 1.
void PoolSpikes(const PoolTargets& targets, std::span<const std::uint32_t> active, std::span<float> y);
void PoolValues(const PoolTargets& targets, std::span<const std::uint32_t> active, const float* x, std::span<float> y);

// Each output of these channels: +0, and the elements of its window in ascending order added to it. Padding adds
// nothing.
void SumPool(const Window& window, std::size_t first_channel, std::size_t channels, const float* x, float* y);

}  // namespace tandem
