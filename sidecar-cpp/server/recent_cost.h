// How long each model lately took to simulate one input alone: what tells whether a thread that has other things to do
// may run it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "engine/repository.h"

namespace tandem {

// Thread-safe. Knows the models it was made with, and no others.
class RecentCost {
 public:
  explicit RecentCost(const Repository& repository) {
    for (const auto& model : repository.models()) ns_a_step_[model.get()] = kUnknown;
  }

  // Takes note of one input that ran alone and took so much of a thread's time.
  void Note(const Model& model, std::uint32_t steps, std::chrono::nanoseconds took) {
    const double ns = static_cast<double>(took.count()) / steps;
    auto& average = ns_a_step_.at(&model);
    const double before = average.load(std::memory_order_relaxed);
    // Of two threads that note at once, one may be forgotten.
    average.store(before == kUnknown ? ns : before + (ns - before) * kWeight, std::memory_order_relaxed);
  }

  // What so many steps should take; nothing while nothing is known.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> Of(const Model& model, std::uint32_t steps) const {
    const double average = ns_a_step_.at(&model).load(std::memory_order_relaxed);
    if (average == kUnknown) return std::nullopt;
    return std::chrono::nanoseconds(static_cast<std::int64_t>(average * steps));
  }

 private:
  static constexpr double kUnknown = -1;
  static constexpr double kWeight = 0.25;  // of the newest

  std::unordered_map<const Model*, std::atomic<double>> ns_a_step_;  // its keys never change
};

}  // namespace tandem
