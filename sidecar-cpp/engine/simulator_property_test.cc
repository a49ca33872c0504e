// Random graphs: compares the engine with the reference simulator, alone and in batches, on every instruction set.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "engine/recording.h"
#include "engine/run.h"
#include "engine/simulator.h"
#include "engine/trace.h"
#include "kernels/simd_target.h"
#include "nir/flatten.h"
#include "testing/graphs.h"
#include "testing/reference_simulator.h"

namespace tandem {
namespace {

using testing::RandomGraph;
using testing::RandomInput;
using testing::RandomManifest;
using testing::RunReference;
using testing::SeedOr;

class Collect final : public RunObserver {
 public:
  bool Abandoned(std::size_t) override { return false; }
  void Finished(std::size_t item, Expected<RunResult> result) override {
    results.emplace(item, std::move(result));
    if (recorder != nullptr) recordings.emplace(item, recorder->Take(item));
  }
  std::map<std::size_t, Expected<RunResult>> results;
  std::map<std::size_t, Recording> recordings;
  RunRecorder* recorder = nullptr;
};

std::span<const char> Bytes(const std::vector<float>& floats) {
  return {reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float)};
}

// All results of a run, as one text for comparison.
std::string Shown(const Expected<RunResult>& outcome) {
  if (!outcome.ok())
    return "step " + outcome.error().metadata.at("step") + " node " + outcome.error().metadata.at("node");
  const RunResult& run = outcome.value();
  std::string text = "digest " + std::to_string(run.state_digest) + " readout " + std::to_string(run.readout_digest) +
                     " spikes " + std::to_string(run.total_spikes) + " operations " +
                     std::to_string(run.synaptic_operations) + " counts";
  for (const std::uint32_t count : run.spike_counts) text += " " + std::to_string(count);
  return text;
}

std::string Shown(const std::string& node, std::span<const std::uint8_t> spikes,
                  std::span<const std::uint32_t> checksums) {
  std::string text = node + " spikes";
  for (const std::uint8_t byte : spikes) text += " " + std::to_string(byte);
  text += " checksums";
  for (const std::uint32_t checksum : checksums) text += " " + std::to_string(checksum);
  return text + "\n";
}

std::string Shown(const Recording& recording) {
  const Network& network = recording.network();
  std::string text;
  for (std::size_t k = 0; k < network.recorded.size(); ++k) {
    text += Shown(network.nodes[network.recorded[k].node].name, recording.spikes(k), recording.checksums(k));
  }
  return text;
}

struct Case {
  explicit Case(std::uint64_t seed) : random(seed) {
    const GraphTree tree = RandomGraph(random, 90);
    manifest = RandomManifest(random, tree);
    graph.emplace(Flatten(tree).value());
    network.emplace(testing::Compile(tree, manifest));
    const bool series = manifest.input_kind == InputKind::kSeries;
    steps = series ? std::uniform_int_distribution<std::uint32_t>(1, 20)(random) : manifest.steps;
    const std::size_t floats = network->input_size() * (series ? steps : std::size_t{1});
    const double zeros = std::uniform_real_distribution<double>(0, 1)(random);
    for (int k = 0; k < 9; ++k) inputs.push_back(RandomInput(random, floats, k % 3 == 0 ? 0.0 : zeros));
  }
  [[nodiscard]] Collect Run(std::size_t first, std::size_t count) {
    return Run(first, count, BlockFor(*network, count, steps));
  }
  [[nodiscard]] Collect Run(std::size_t first, std::size_t count, BlockShape shape) {
    std::vector<RunInput> spans;
    for (std::size_t k = first; k < first + count; ++k) spans.push_back({.values = Bytes(inputs[k])});
    Collect collect;
    RunRecorder recorder(*network, steps, count);
    collect.recorder = &recorder;
    tandem::Run run(*network, 42, steps, spans, scratch, collect, shape);
    run.Record(recorder);
    run.ToTheEnd();
    return collect;
  }
  std::mt19937_64 random;
  Manifest manifest;
  std::optional<Graph> graph;
  std::optional<Network> network;
  std::uint32_t steps = 0;
  std::vector<std::vector<float>> inputs;
  Scratch scratch;
};

TEST(SimulatorProperty, EqualsTheReferenceOnRandomGraphs) {
  std::size_t failures_seen = 0;
  std::uint64_t spikes_seen = 0;
  const std::uint64_t first = SeedOr(1);
  for (std::uint64_t seed = first; seed < first + 300; ++seed) {
    SCOPED_TRACE("TANDEM_TEST_SEED=" + std::to_string(seed));
    Case given(seed);
    for (std::size_t k = 0; k < 3; ++k) {
      const auto want = RunReference(*given.graph, given.manifest, 42, given.inputs[k]);
      const std::string text = want.failed_at ? *want.failed_at : Shown(want.result);
      failures_seen += want.failed_at ? 1 : 0;
      spikes_seen += want.result.total_spikes;
      ASSERT_EQ(Shown(given.Run(k, 1).results.at(0)), text);
    }
  }
  if (first == 1) {
    EXPECT_GT(failures_seen, 10u) << "hardly any random graph overflowed: the test lost a part of its reach";
    EXPECT_GT(spikes_seen, 10000u) << "hardly any random graph spiked: the test lost a part of its reach";
  }
}

TEST(SimulatorProperty, ATraceEqualsTheReferenceAtEveryStepAndNode) {
  const std::uint64_t first = SeedOr(3001);
  std::size_t ended_early = 0;
  for (std::uint64_t seed = first; seed < first + 150; ++seed) {
    SCOPED_TRACE("TANDEM_TEST_SEED=" + std::to_string(seed));
    Case given(seed);
    const auto want = RunReference(*given.graph, given.manifest, 42, given.inputs[0]);
    const auto trace = TraceRun(*given.network, given.steps, {.values = Bytes(given.inputs[0])}, std::nullopt,
                                given.scratch, [] { return false; });
    ASSERT_EQ(trace->digests, want.trace);
    ASSERT_EQ(trace->ended, want.failed_at ? "NON_FINITE" : "");
    ended_early += want.failed_at ? 1 : 0;
  }
  if (first == 3001) {
    EXPECT_GT(ended_early, 5u) << "hardly any random graph overflowed: the test lost a part of its reach";
  }
}

TEST(SimulatorProperty, ARecordingEqualsTheReference) {
  const std::uint64_t first = SeedOr(4001);
  std::size_t ended_early = 0;
  for (std::uint64_t seed = first; seed < first + 200; ++seed) {
    SCOPED_TRACE("TANDEM_TEST_SEED=" + std::to_string(seed));
    Case given(seed);
    const Collect got = given.Run(0, 3);
    for (std::size_t k = 0; k < 3; ++k) {
      const auto want = RunReference(*given.graph, given.manifest, 42, given.inputs[k]);
      std::string text;
      for (const auto& node : want.recording) text += Shown(node.node, node.spikes, node.checksums);
      ASSERT_EQ(Shown(got.recordings.at(k)), text);
      ended_early += want.failed_at ? 1 : 0;
    }
  }
  if (first == 4001) {
    EXPECT_GT(ended_early, 10u) << "hardly any random graph overflowed: the test lost a part of its reach";
  }
}

TEST(SimulatorProperty, ABatchEqualsItsItemsAlone) {
  const std::uint64_t first = SeedOr(1001);
  for (std::uint64_t seed = first; seed < first + 150; ++seed) {
    SCOPED_TRACE("TANDEM_TEST_SEED=" + std::to_string(seed));
    Case given(seed);
    const Collect together = given.Run(0, given.inputs.size());
    for (std::size_t k = 0; k < given.inputs.size(); ++k) {
      const Collect alone = given.Run(k, 1);
      ASSERT_EQ(Shown(together.results.at(k)), Shown(alone.results.at(0))) << "item " << k;
      ASSERT_EQ(Shown(together.recordings.at(k)), Shown(alone.recordings.at(0))) << "item " << k;
    }
  }
}

TEST(SimulatorProperty, BlocksOfAnyShapeGiveTheSameBits) {
  const std::uint64_t first = SeedOr(5001);
  for (std::uint64_t seed = first; seed < first + 150; ++seed) {
    SCOPED_TRACE("TANDEM_TEST_SEED=" + std::to_string(seed));
    Case given(seed);
    const std::size_t count = given.inputs.size();
    const Collect want = given.Run(0, count, StepByStep(count));
    const std::uint32_t most = given.network->has_delayed_edge ? 1 : given.steps + 2;
    const BlockShape shape{std::uniform_int_distribution<std::size_t>(1, count)(given.random),
                           std::uniform_int_distribution<std::uint32_t>(1, most)(given.random), false};
    // Data of an earlier run must not affect the result.
    std::ranges::fill(given.scratch.floats, std::numeric_limits<float>::quiet_NaN());
    const Collect got = given.Run(0, count, shape);
    for (std::size_t k = 0; k < count; ++k) {
      ASSERT_EQ(Shown(got.results.at(k)), Shown(want.results.at(k)))
          << "item " << k << " in blocks of " << shape.items << " items and " << shape.steps << " steps";
      ASSERT_EQ(Shown(got.recordings.at(k)), Shown(want.recordings.at(k))) << "item " << k;
    }
  }
}

TEST(SimulatorProperty, EveryInstructionSetGivesTheSameBits) {
  const std::uint64_t first = SeedOr(2001);
  for (std::uint64_t seed = first; seed < first + 60; ++seed) {
    SCOPED_TRACE("TANDEM_TEST_SEED=" + std::to_string(seed));
    Case given(seed);
    std::map<std::size_t, std::string> want;
    for (const std::string& target : SupportedSimdTargets()) {
      ASSERT_TRUE(ForceSimdTarget(target));
      const Collect got = given.Run(0, given.inputs.size());
      for (const auto& [item, result] : got.results) {
        const std::string text = Shown(result) + "\n" + Shown(got.recordings.at(item));
        ASSERT_EQ(want.try_emplace(item, text).first->second, text) << target << " item " << item;
      }
    }
    ForceSimdTarget("");
  }
}

}  // namespace
}  // namespace tandem
