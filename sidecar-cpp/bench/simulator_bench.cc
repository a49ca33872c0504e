// The whole simulator against plain loops, with one input and with 64: simulator/1, simulator/64, dense/1, dense/64;
// and with its runs recorded as the engine does: recorded/1, recorded/64.
//   tandem-bench [--model DIR] [--benchmark_format=json]
// DIR holds model.yaml and <version>/model.nir. Default: ../deploy/models/supersense beside this source tree where it
// exists, else a random 768-512-45 LIF net.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <string_view>

#include "bench/dense_baseline.h"
#include "engine/model.h"
#include "engine/recording_store.h"
#include "engine/simulator.h"
#include "loader/load.h"
#include "loader/sealed_file.h"
#include "nir/flatten.h"
#include "testing/graphs.h"

namespace tandem::bench {
namespace {

constexpr std::size_t kInputs = 64;

struct Subject {
  Manifest manifest;
  Graph graph;
  std::shared_ptr<const Model> model;
  const Network* network = nullptr;
  std::vector<std::vector<float>> inputs;
};

[[noreturn]] void Stop(const std::string& why) {
  std::fprintf(stderr, "tandem-bench: %s\n", why.c_str());
  std::exit(1);
}

template <typename T>
T OrStop(Expected<T> value) {
  if (!value.ok()) Stop(value.error().message);
  return std::move(value).value();
}

Graph ReadModel(const std::filesystem::path& folder, Manifest& manifest) {
  manifest = OrStop(ParseManifest(OrStop(ReadWholeFile(folder / "model.yaml", 1 << 20))));
  std::filesystem::path highest;
  int version = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const int found = std::atoi(entry.path().filename().c_str());
    if (found > version) {
      version = found;
      highest = entry.path();
    }
  }
  const SealedFile file = OrStop(SealedFile::CopyOf(highest / "model.nir", kMaxFileBytes));
  return OrStop(tandem::Load(file.descriptor(), {}, {})).graph;
}

Subject Load(const std::filesystem::path& folder) {
  Subject subject;
  subject.graph =
      folder.empty() ? OrStop(Flatten(testing::LifNet(768, 512, 45, 1))) : ReadModel(folder, subject.manifest);
  Model model;
  model.network = OrStop(CompileNetwork(subject.graph, subject.manifest));
  subject.model = std::make_shared<const Model>(std::move(model));
  subject.network = &*subject.model->network;
  if (subject.manifest.input_kind != InputKind::kConstant)
    Stop("the model takes a time series; give one with a constant input");
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal(0.0f, 1.0f);
  for (std::size_t k = 0; k < kInputs; ++k) {
    auto& input = subject.inputs.emplace_back(subject.network->input_size());
    for (float& value : input) value = normal(random);
    // A shipped model takes embeddings of unit length; the synthetic net is laid out for a standard deviation of 0.3.
    const double length = std::sqrt(std::inner_product(input.begin(), input.end(), input.begin(), 0.0));
    for (float& value : input) value *= folder.empty() ? 0.3f : static_cast<float>(1.0 / length);
  }
  return subject;
}

class Counts final : public RunObserver {
 public:
  explicit Counts(BatchRecorder* recorder) : recorder_(recorder) {}
  bool Abandoned(std::size_t) override { return false; }
  void Finished(std::size_t item, Expected<RunResult> result) override {
    counts[item] = OrStop(std::move(result));
    if (recorder_ != nullptr) recorder_->Keep(item, "");
  }
  std::map<std::size_t, RunResult> counts;

 private:
  BatchRecorder* recorder_;
};

std::map<std::size_t, RunResult> Simulate(const Subject& subject, std::size_t count, Scratch& scratch,
                                          RecordingStore* store = nullptr) {
  std::vector<std::span<const char>> inputs;
  for (std::size_t k = 0; k < count; ++k) {
    inputs.emplace_back(reinterpret_cast<const char*>(subject.inputs[k].data()),
                        subject.inputs[k].size() * sizeof(float));
  }
  std::optional<BatchRecorder> recorder;
  if (store != nullptr) recorder.emplace(*store, subject.model, subject.network->steps, count);
  Counts counts(recorder ? &*recorder : nullptr);
  RunBatch(*subject.network, 1, subject.network->steps, inputs, scratch, counts, nullptr,
           recorder ? recorder->recorder() : nullptr);
  return std::move(counts.counts);
}

void Register(const Subject& subject) {
  for (const std::size_t count : {std::size_t{1}, kInputs}) {
    benchmark::RegisterBenchmark(("simulator/" + std::to_string(count)).c_str(), [&subject,
                                                                                  count](benchmark::State& state) {
      Scratch scratch;
      for (auto _ : state) benchmark::DoNotOptimize(Simulate(subject, count, scratch));
      state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
    })->Unit(benchmark::kMicrosecond);
  }
  for (const std::size_t count : {std::size_t{1}, kInputs}) {
    benchmark::RegisterBenchmark(("recorded/" + std::to_string(count)).c_str(), [&subject,
                                                                                 count](benchmark::State& state) {
      Scratch scratch;
      RecordingStore store(RecordingStore::kDefaultBytes);
      for (auto _ : state) benchmark::DoNotOptimize(Simulate(subject, count, scratch, &store));
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
  for (const auto& [item, result] : Simulate(subject, kInputs, scratch)) {
    if (dense->Run(subject.inputs[item], subject.network->steps) != result.spike_counts) {
      Stop("the dense baseline gives other spike counts for input " + std::to_string(item));
    }
    spikes += result.total_spikes;
  }
  std::fprintf(stderr, "tandem-bench: both give equal spike counts; %.1f spikes an input\n",
               static_cast<double>(spikes) / kInputs);
  for (const std::size_t count : {std::size_t{1}, kInputs}) {
    benchmark::RegisterBenchmark(("dense/" + std::to_string(count)).c_str(), [&subject, dense,
                                                                              count](benchmark::State& state) {
      for (auto _ : state) {
        for (std::size_t k = 0; k < count; ++k) {
          benchmark::DoNotOptimize(dense->Run(subject.inputs[k], subject.network->steps));
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
  std::filesystem::path folder = TANDEM_DEFAULT_MODEL;
  if (!std::filesystem::exists(folder / "model.yaml")) folder.clear();
  if (argc == 3 && std::string_view(argv[1]) == "--model") {
    folder = argv[2];
  } else if (argc != 1) {
    std::fprintf(stderr, "usage: tandem-bench [--model DIR] [--benchmark_…]\n");
    return 2;
  }
  const tandem::bench::Subject subject = tandem::bench::Load(folder);
  tandem::bench::Register(subject);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
