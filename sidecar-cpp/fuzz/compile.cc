#include "fuzz/compile.h"

#include <span>
#include <utility>
#include <vector>

#include "engine/network.h"
#include "engine/simulator.h"
#include "fuzz/fuzz_target.h"

namespace tandem::fuzz {
namespace {

// Larger networks are only compiled: a run would cost the fuzzer too much time.
constexpr std::size_t kMaxFloats = std::size_t{1} << 16;
constexpr std::uint32_t kSteps = 2;

class CountResults final : public RunObserver {
 public:
  bool Abandoned(std::size_t) override { return false; }
  void Finished(std::size_t, Expected<RunResult>) override { ++finished; }
  int finished = 0;
};

}  // namespace

void CompileAndRun(Graph graph) {
  Manifest manifest;
  manifest.steps = kSteps;
  const auto network = CompileNetwork(std::move(graph), manifest);
  if (!network.ok() || network.value().item_floats > kMaxFloats) return;
  const std::vector<float> input(network.value().input_size(), 1.0f);
  const RunInput bytes{.values = {reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float)}};
  Scratch scratch;
  CountResults results;
  RunBatch(network.value(), 1, kSteps, {&bytes, 1}, scratch, results);
  Require(results.finished == 1, "a run has one result or one error");
}

}  // namespace tandem::fuzz
