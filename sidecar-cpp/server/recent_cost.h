// How long each model lately took to simulate one input alone: what tells whether a thread that has other things to do
// may run it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "engine/model.h"

namespace tandem {

// Takes note of one input that ran alone and took so much of a thread's time. Any thread.
inline void NoteCost(const Model& model, std::uint32_t steps, std::chrono::nanoseconds took) {
  constexpr double kWeight = 0.25;  // of the newest
  const double ns = static_cast<double>(took.count()) / steps;
  auto& average = *model.ns_a_step;
  const double before = average.load(std::memory_order_relaxed);
  // Of two threads that note at once, one may be forgotten.
  average.store(before < 0 ? ns : before + (ns - before) * kWeight, std::memory_order_relaxed);
}

// What so many steps should take; nothing while nothing is known. Any thread.
inline std::optional<std::chrono::nanoseconds> CostOf(const Model& model, std::uint32_t steps) {
  const double average = model.ns_a_step->load(std::memory_order_relaxed);
  if (average < 0) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(average * steps));
}

}  // namespace tandem
