// The outputs that an input element reaches along one axis, with their kernel indices.
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
  // The step from one tap of an element to its next: forward in the kernel, and back in the outputs.
  [[nodiscard]] std::uint32_t kernel_step() const { return kernel_step_; }
  [[nodiscard]] std::uint32_t out_step() const { return out_step_; }

 private:
  std::vector<Run> runs_;
  std::uint32_t kernel_step_;
  std::uint32_t out_step_;
};

}  // namespace tandem
