// When a simulation should look up from its work: about every 0.1 ms, told by the work done, so that looking costs
// nothing beside it.
#pragma once

#include <cstddef>

namespace tandem {

class Pace {
 public:
  // Notes `elements` of work (one addition each, or so); true when it is time to look up.
  bool Worked(std::size_t elements) {
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
