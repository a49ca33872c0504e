// Measures the time of one run of a model before any input arrives.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "engine/model.h"

namespace tandem {

struct MeasuredRun {
  std::uint32_t steps = 0;
  std::chrono::nanoseconds took{};  // CPU time of the thread
};

// Runs the model's network on generated numbers. Returns nullopt if the run fails or takes over 50 ms.
std::optional<MeasuredRun> MeasureRun(const Model& model);

}  // namespace tandem
