#include "server/measure_run.h"

#include <cstddef>
#include <new>
#include <span>
#include <vector>

#include "base/clock.h"
#include "engine/simulator.h"

namespace tandem {
namespace {

constexpr std::chrono::milliseconds kMaxThreadTime{50};
// For a thread that gets no CPU.
constexpr std::chrono::milliseconds kMaxWallTime{500};
constexpr std::uint32_t kSeriesSteps = 16;

class MeasuredRunObserver final : public RunObserver {
 public:
  bool Abandoned(std::size_t) override {
    return took() >= kMaxThreadTime || Clock::now() - wall_began_ >= kMaxWallTime;
  }
  void Finished(std::size_t, Expected<RunResult> result) override { is_done_ = result.ok(); }
  [[nodiscard]] std::chrono::nanoseconds took() const { return ThreadTime() - began_; }
  [[nodiscard]] bool is_done() const { return is_done_; }

 private:
  const std::chrono::nanoseconds began_ = ThreadTime();
  const TimePoint wall_began_ = Clock::now();
  bool is_done_ = false;
};

// Values between -1 and 1, but not 0, since zeros take less time.
std::vector<float> Numbers(std::size_t count) {
  std::vector<float> numbers(count);
  std::uint32_t random = 1;
  for (float& number : numbers) {
    random = random * 1'664'525U + 1'013'904'223U;
    number = static_cast<float>((random >> 9) | 1U) / static_cast<float>(1U << 22) - 1;
  }
  return numbers;
}

}  // namespace

std::optional<MeasuredRun> MeasureRun(const Model& model) {
  const Network& network = *model.network;
  const bool is_series = network.input_kind == InputKind::kSeries;
  const std::uint32_t steps = is_series ? kSeriesSteps : network.steps;
  try {
    const std::vector<float> numbers = Numbers(network.input_size() * (is_series ? steps : 1));
    const RunInput input{.values = {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float)}};
    Scratch scratch;
    std::optional<MeasuredRun> measured;
    // The first run is slower, since weights and memory are not in a cache yet.
    for (int run = 0; run < 2; ++run) {
      MeasuredRunObserver observer;
      RunBatch(network, model.model_id, steps, {&input, 1}, scratch, observer);
      if (!observer.is_done()) return std::nullopt;
      measured = {steps, observer.took()};
    }
    return measured;
  } catch (const std::bad_alloc&) {
    return std::nullopt;
  }
}

}  // namespace tandem
