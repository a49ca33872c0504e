// Along one axis: which outputs an input element reaches, and through which kernel index.
#pragma once

#include <cstdint>
#include <vector>

#include "base/window.h"

namespace tandem {

class Taps {
 public:
  // The taps of one input element: `count` of them, the first at kernel index `kernel` and output `out`.
  struct Run {
    std::uint32_t kernel = 0;
    std::uint32_t out = 0;
    std::uint32_t count = 0;
  };

  explicit Taps(const Axis& axis);

  [[nodiscard]] const Run& of(std::uint32_t input) const { return runs_[input]; }
  // From one tap of an element to its next: so much further in the kernel, and so many outputs back.
  [[nodiscard]] std::uint32_t kernel_step() const { return kernel_step_; }
  [[nodiscard]] std::uint32_t out_step() const { return out_step_; }

 private:
  std::vector<Run> runs_;
  std::uint32_t kernel_step_;
  std::uint32_t out_step_;
};

}  // namespace tandem
