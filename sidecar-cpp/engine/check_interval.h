// When a simulation should check whether its caller has left: about every 0.1 ms. The interval is counted in work done,
// which costs less than reading the clock.
#pragma once

#include <cstddef>

namespace tandem {

class CheckInterval {
 public:
  // Counts `elements` of work (about one addition each). Returns true when a check is due.
  bool IsDue(std::size_t elements) {
    done_ += elements;
    if (done_ < kElements) return false;
    done_ = 0;
    return true;
  }

 private:
  static constexpr std::size_t kElements = std::size_t{1} << 18;
  std::size_t done_ = 0;
};

}  // namespace tandem
