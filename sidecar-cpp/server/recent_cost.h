// The recent time of each model for one input alone. It decides whether a reading thread may run the input itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "engine/model.h"

namespace tandem {

// Records the CPU time of one input that ran alone. Any thread.
inline void NoteCost(const Model& model, std::uint32_t steps, std::chrono::nanoseconds took) {
  constexpr double kWeight = 0.25;  // weight of the newest value
  const double ns = static_cast<double>(took.count()) / steps;
  auto& average = *model.ns_a_step;
  const double before = average.load(std::memory_order_relaxed);
  // If two threads record at once, one value may be lost.
  average.store(before < 0 ? ns : before + (ns - before) * kWeight, std::memory_order_relaxed);
}

// The expected time of this number of steps; nullopt if it is not known yet. Any thread.
inline std::optional<std::chrono::nanoseconds> CostOf(const Model& model, std::uint32_t steps) {
  const double average = model.ns_a_step->load(std::memory_order_relaxed);
  if (average < 0) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(average * steps));
}

}  // namespace tandem
