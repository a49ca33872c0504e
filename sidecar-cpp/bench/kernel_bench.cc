// Benchmarks of the kernels alone: adding the weights of a spike, a dense product, a step of neurons.
#include <benchmark/benchmark.h>

#include <random>

#include "kernels/dense.h"
#include "kernels/elementwise.h"
#include "kernels/linear.h"
#include "kernels/neuron.h"

namespace tandem {
namespace {

constexpr std::size_t kIn = 768;
constexpr std::size_t kOut = 512;

FloatRow Random(std::size_t n) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  FloatRow row(n);
  for (float& value : row) value = uniform(random);
  return row;
}

Weights RandomWeights() {
  const FloatRow values = Random(kIn * kOut);
  return {std::span(values.data(), values.size()), kOut, kIn};
}

// Argument: active sources in 1000.
void AddSpikesBench(benchmark::State& state) {
  const Weights weights = RandomWeights();
  std::vector<std::uint32_t> active;
  const auto every = static_cast<std::uint32_t>(1000 / state.range(0));
  for (std::uint32_t j = 0; j < kIn; j += every) active.push_back(j);
  FloatRow y(kOut);
  const FloatRow start(kOut, 0.0f);
  const SpikeRow rows[] = {{active, y.data()}};
  for (auto _ : state) {
    for (std::size_t p = 0; p < weights.panel_count(); ++p) AddSpikes(weights.panel(p), start.data(), 0, kIn, rows);
    benchmark::DoNotOptimize(y.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(active.size() * kOut));
}
BENCHMARK(AddSpikesBench)->Name("kernel/add_spikes")->Arg(20)->Arg(100)->Arg(500);

// Argument: inputs together.
void AddDenseBench(benchmark::State& state) {
  const Weights weights = RandomWeights();
  const auto rows = static_cast<std::size_t>(state.range(0));
  const FloatRow x = Random(rows * kIn);
  FloatRow y(rows * kOut);
  std::vector<DenseRow> dense;
  for (std::size_t r = 0; r < rows; ++r) dense.push_back({x.data() + r * kIn, y.data() + r * kOut});
  for (auto _ : state) {
    std::fill(y.begin(), y.end(), 0.0f);
    for (std::size_t p = 0; p < weights.panel_count(); ++p) {
      AddDense(weights.panel(p), 0, kIn, dense);
    }
    benchmark::DoNotOptimize(y.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows * kIn * kOut));
}
BENCHMARK(AddDenseBench)->Name("kernel/add_dense")->Arg(1)->Arg(8)->Arg(64);

void StepLifBench(benchmark::State& state) {
  const FloatRow parameter = Random(kOut);
  const FloatRow x = Random(kOut);
  FloatRow v(kOut);
  FloatRow y(kOut);
  const LifParams params{parameter.data(), parameter.data(), parameter.data(), {x.data(), parameter.data()}};
  for (auto _ : state) benchmark::DoNotOptimize(StepLif(params, kOut, x.data(), v.data(), y.data()));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kOut));
}
BENCHMARK(StepLifBench)->Name("kernel/step_lif");

void CollectActiveBench(benchmark::State& state) {
  FloatRow x(kOut, 0.0f);
  for (std::size_t k = 0; k < kOut; k += 20) x[k] = 1.0f;
  std::vector<std::uint32_t> index(kOut + kRowMultiple);
  for (auto _ : state) benchmark::DoNotOptimize(CollectActive(kOut, x.data(), index.data()));
}
BENCHMARK(CollectActiveBench)->Name("kernel/collect_active");

}  // namespace
}  // namespace tandem
