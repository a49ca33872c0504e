// The whole simulator against plain loops, with one input and with 64: simulator/1, simulator/64, dense/1, dense/64;
// and with recordings, as in the engine: recorded/1, recorded/64.
//   tandem-bench [--model DIR] [--simd NAME] [--benchmark_format=json]
// DIR holds model.yaml and <version>/model.nir. Default: ../deploy/models/supersense beside this source tree where it
// exists, else a random 768-512-45 LIF net.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>

#include "bench/dense_baseline.h"
#include "bench/simulator_options.h"
#include "bench/subject.h"
#include "nir/flatten.h"
#include "testing/graphs.h"

namespace tandem::bench {
namespace {

constexpr std::size_t kInputs = 64;

Subject Load(const std::filesystem::path& folder) {
  Subject subject =
      folder.empty() ? MakeSubject(OrStop(Flatten(testing::LifNet(768, 512, 45, 1))), {}) : LoadSubject(folder);
  if (subject.manifest.input_kind != InputKind::kConstant)
    Stop("the model takes a time series; give one with a constant input");
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal(0.0f, 1.0f);
  for (std::size_t k = 0; k < kInputs; ++k) {
    auto& input = subject.inputs.emplace_back(subject.network().input_size());
    for (float& value : input) value = normal(random);
    // A shipped model takes embeddings of unit length; the synthetic net expects a standard deviation of 0.3.
    const double length = std::sqrt(std::inner_product(input.begin(), input.end(), input.begin(), 0.0));
    for (float& value : input) value *= folder.empty() ? 0.3f : static_cast<float>(1.0 / length);
  }
  return subject;
}

void Register(const Subject& subject) {
  for (const std::size_t count : {std::size_t{1}, kInputs}) {
    benchmark::RegisterBenchmark(("simulator/" + std::to_string(count)).c_str(), [&subject,
                                                                                  count](benchmark::State& state) {
      Scratch scratch;
      for (auto _ : state) benchmark::DoNotOptimize(RunInputs(subject, 0, count, scratch));
      state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
    })->Unit(benchmark::kMicrosecond);
  }
  for (const std::size_t count : {std::size_t{1}, kInputs}) {
    benchmark::RegisterBenchmark(("recorded/" + std::to_string(count)).c_str(), [&subject,
                                                                                 count](benchmark::State& state) {
      Scratch scratch;
      RecordingStore store(RecordingStore::kDefaultBytes);
      for (auto _ : state) benchmark::DoNotOptimize(RunInputs(subject, 0, count, scratch, &store));
      state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
    })->Unit(benchmark::kMicrosecond);
  }
  auto baseline = DenseBaseline::Make(subject.graph, subject.manifest);
  if (!baseline) {
    std::fprintf(stderr, "tandem-bench: no dense baseline for this graph (not a feed-forward spiking net)\n");
    return;
  }
  const auto dense = std::make_shared<DenseBaseline>(std::move(*baseline));
  Scratch scratch;
  std::uint64_t spikes = 0;
  const auto results = RunInputs(subject, 0, kInputs, scratch);
  for (std::size_t k = 0; k < kInputs; ++k) {
    if (dense->Run(subject.inputs[k], subject.manifest.steps) != results[k].spike_counts) {
      Stop("the dense baseline gives other spike counts for input " + std::to_string(k));
    }
    spikes += results[k].total_spikes;
  }
  std::fprintf(stderr, "tandem-bench: both give equal spike counts; %.1f spikes an input\n",
               static_cast<double>(spikes) / kInputs);
  for (const std::size_t count : {std::size_t{1}, kInputs}) {
    benchmark::RegisterBenchmark(("dense/" + std::to_string(count)).c_str(), [&subject, dense,
                                                                              count](benchmark::State& state) {
      for (auto _ : state) {
        for (std::size_t k = 0; k < count; ++k) {
          benchmark::DoNotOptimize(dense->Run(subject.inputs[k], subject.manifest.steps));
        }
      }
      state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
    })->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace
}  // namespace tandem::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  auto options = tandem::bench::ParseSimulatorOptions(argc, argv, "Measures kernels and the simulator.");
  const std::filesystem::path shipped = TANDEM_DEFAULT_MODEL;
  if (options.model.empty() && std::filesystem::exists(shipped / "model.yaml")) options.model = shipped;
  const tandem::bench::Subject subject = tandem::bench::Load(options.model);
  tandem::bench::Register(subject);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
