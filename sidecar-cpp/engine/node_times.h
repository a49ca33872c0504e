// Measures the time of each node in a simulation, on request only: it reads the clock for every node at every step.
#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.h"

namespace tandem {

// Times of one batch, by index into Network::nodes. Not thread-safe.
class NodeTimes {
 public:
  explicit NodeTimes(std::size_t nodes) : spent_(nodes) {}

  // Time from now on counts for the next noted node.
  void Start() { since_ = Clock::now(); }
  void Evaluated(std::size_t node) {
    const TimePoint now = Clock::now();
    spent_[node] += now - since_;
    since_ = now;
  }

  // Over all steps so far, for all items of the batch together.
  [[nodiscard]] const std::vector<Clock::duration>& spent() const { return spent_; }

 private:
  std::vector<Clock::duration> spent_;
  TimePoint since_;
};

}  // namespace tandem
