// What one run of a model takes, measured before any input comes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "engine/model.h"

namespace tandem {

struct MeasuredRun {
  std::uint32_t steps = 0;
  std::chrono::nanoseconds took{};  // of the thread's time
};

// Runs the model's network on made-up numbers. Nothing where the run fails or takes over 50 ms.
std::optional<MeasuredRun> MeasureRun(const Model& model);

}  // namespace tandem
