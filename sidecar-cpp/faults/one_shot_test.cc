// One-shot faults are located from two recordings alone: of the faulty run and of a clean one.
#include "faults/one_shot.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "engine/model.h"
#include "faults/harm.h"
#include "testing/graphs.h"

namespace tandem {
namespace {

// The number of faults on random networks, and on the shipped model.
constexpr int kFaults = 5000;
constexpr int kFaultsAGraph = 20;

class Ignore final : public RunObserver {
 public:
  bool Abandoned(std::size_t) override { return false; }
  void Finished(std::size_t, Expected<RunResult>) override {}
};

RunInput Bytes(const std::vector<float>& floats) {
  return {.values = {reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float)}};
}

struct Subject {
  Network network;
  std::uint32_t steps = 0;
};

Recording RecordClean(const Subject& of, const RunInput& input) {
  RunRecorder recorder(of.network, of.steps, 1);
  Scratch scratch;
  Ignore observer;
  RunBatch(of.network, 1, of.steps, {&input, 1}, scratch, observer, nullptr, &recorder);
  return recorder.Take(0);
}

struct Located {
  std::optional<std::uint32_t> step;
  std::string node;  // empty: one of the runs ended there
  std::optional<SpikePlace> spike;
};

std::optional<std::uint32_t> DifferentNeuron(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  for (std::uint32_t k = 0; k < a.size() * 8; ++k) {
    if (((a[k / 8] ^ b[k / 8]) >> k % 8 & 1) != 0) return k;
  }
  return std::nullopt;
}

std::vector<std::uint8_t> SpikesOf(const Recording& of, std::size_t index, std::uint32_t step) {
  const std::vector<std::uint8_t> spikes = of.spikes(index);
  const std::size_t bytes = of.network().recorded[index].spike_bytes;
  const auto begin = spikes.begin() + static_cast<std::ptrdiff_t>(step * bytes);
  return {begin, begin + static_cast<std::ptrdiff_t>(bytes)};
}

Located Locate(const Recording& a, const Recording& b) {
  const Network& network = a.network();
  Located located;
  for (std::uint32_t step = 0; step < std::min(a.steps, b.steps); ++step) {
    for (std::size_t k = 0; k < network.recorded.size(); ++k) {
      const RecordedNode& recorded = network.recorded[k];
      const auto neuron = DifferentNeuron(SpikesOf(a, k, step), SpikesOf(b, k, step));
      if (neuron && !located.spike) located.spike = {step, recorded.node, *neuron};
      if (located.step || (!neuron && a.checksums(k)[step] == b.checksums(k)[step])) continue;
      located.step = step;
      located.node = Printable(network.nodes[recorded.node].name);
    }
  }
  if (!located.step && a.steps != b.steps) located.step = std::min(a.steps, b.steps);
  return located;
}

struct Tally {
  int faults = 0;
  int without_effect = 0;
  int with_spikes = 0;
  int failed = 0;
  int of_weights = 0;
  int before_step_0 = 0;
};

void CheckOne(const Subject& subject, const RunInput& input, const Recording& clean, std::uint64_t seed, Tally& tally) {
  SCOPED_TRACE("fault " + std::to_string(seed));
  const OneShot shot = DrawOneShot(subject.network, subject.steps, seed);
  RunRecorder recorder(subject.network, subject.steps, 1);
  const OneShotReport truth = RunOneShot(
      subject.network, 1, subject.steps, input, shot, [] { return false; }, &recorder, 0);
  const Located located = Locate(recorder.Take(0), clean);
  ++tally.faults;
  tally.of_weights += shot.weights ? 1 : 0;
  tally.before_step_0 += shot.weights && shot.step == 0 && truth.first ? 1 : 0;
  tally.without_effect += truth.first ? 0 : 1;
  tally.with_spikes += truth.first_spike ? 1 : 0;
  tally.failed += truth.result->ok() ? 0 : 1;

  ASSERT_EQ(located.step.has_value(), truth.first.has_value());
  if (truth.first) {
    ASSERT_EQ(*located.step, truth.first->step);
    ASSERT_TRUE(located.node.empty() || located.node == truth.first->node);
  }
  ASSERT_EQ(located.spike.has_value(), truth.first_spike.has_value());
  if (!truth.first_spike) return;
  ASSERT_EQ(located.spike->step, truth.first_spike->step);
  ASSERT_EQ(located.spike->node, truth.first_spike->node);
  ASSERT_EQ(located.spike->neuron, truth.first_spike->neuron);
}

void Tell(const char* what, const Tally& tally) {
  std::printf("%s: %d faults, %d of weights; %d without effect, %d changed spikes, %d failed; all located\n", what,
              tally.faults, tally.of_weights, tally.without_effect, tally.with_spikes, tally.failed);
}

TEST(OneShotFaults, AreLocatedInRandomNetworks) {
  Tally tally;
  for (std::uint64_t seed = testing::SeedOr(1); tally.faults < kFaults; ++seed) {
    SCOPED_TRACE("TANDEM_TEST_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const GraphTree tree = testing::RandomGraph(random, 40);
    const Manifest manifest = testing::RandomManifest(random, tree);
    const bool series = manifest.input_kind == InputKind::kSeries;
    const Subject subject{testing::Compile(tree, manifest), series ? 12 : manifest.steps};
    const auto input =
        testing::RandomInput(random, subject.network.input_size() * (series ? subject.steps : std::size_t{1}), 0.2);
    const Recording clean = RecordClean(subject, Bytes(input));
    const bool can_fail = std::ranges::any_of(subject.network.nodes, [](const NetworkNode& node) {
      return node.weights.has_value() || HasPotential(node.type);
    });
    for (int k = 0; can_fail && k < kFaultsAGraph; ++k) {
      CheckOne(subject, Bytes(input), clean, Draw(seed, static_cast<std::uint64_t>(k)), tally);
      if (HasFatalFailure()) return;
    }
  }
  Tell("random networks", tally);
  EXPECT_GT(tally.with_spikes, kFaults / 20);
  EXPECT_GT(tally.failed, 0);
}

TEST(OneShotFaults, AreLocatedInTheShippedModel) {
  const std::filesystem::path folder = TANDEM_SHIPPED_MODEL;
  const auto manifest = ParseManifest(ReadWholeFile(folder / "model.yaml", 1 << 20).value()).value();
  const auto model = LoadModel(folder / "1" / "model.nir", manifest).value();
  const Subject subject{*model.network, model.network->steps};
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal(0.0f, 0.036f);  // of length 1
  Tally tally;
  while (tally.faults < kFaults) {
    std::vector<float> input(subject.network.input_size());
    for (float& value : input) value = normal(random);
    const Recording clean = RecordClean(subject, Bytes(input));
    for (int k = 0; k < kFaultsAGraph; ++k) {
      CheckOne(subject, Bytes(input), clean, Draw(2, static_cast<std::uint64_t>(tally.faults)), tally);
      if (HasFatalFailure()) return;
    }
  }
  Tell("the shipped model", tally);
  EXPECT_GT(tally.with_spikes, kFaults / 20);
  EXPECT_GT(tally.before_step_0, 0) << "flips of weights that are read at step 0 only";
}

TEST(OneShotFaults, RestoreTheWeights) {
  Manifest manifest;
  manifest.steps = 8;
  const Network network = testing::Compile(testing::LifNet(8, 32, 4, 1), manifest);
  const std::vector<float> input(8, 1.0f);
  const Subject subject{network, manifest.steps};
  const Recording before = RecordClean(subject, Bytes(input));
  const OneShot shot{0, true, {1, 2, 3}};
  const auto report = RunOneShot(
      network, 1, manifest.steps, Bytes(input), shot, [] { return false; }, nullptr, 0);
  EXPECT_EQ(report.flips.size(), 3u);
  EXPECT_FALSE(Locate(RecordClean(subject, Bytes(input)), before).step);
}

TEST(OneShotFaults, AreReportedAsALineOfJson) {
  Manifest manifest;
  manifest.steps = 8;
  const Network network = testing::Compile(testing::LifNet(8, 32, 4, 1), manifest);
  const std::vector<float> input(8, 1.0f);
  const std::uint64_t sign_of_the_first = 31 * std::uint64_t{32 + 4};
  const OneShot shot{3, false, {sign_of_the_first}};
  const auto report = RunOneShot(
      network, 1, manifest.steps, Bytes(input), shot, [] { return false; }, nullptr, 0);
  const auto line = nlohmann::json::parse(ToJson(network, report));
  EXPECT_EQ(line["state_digest"].get<std::string>().size(), 16u);
  EXPECT_EQ(line["fault_step"], 3);
  EXPECT_EQ(line["flips"][0]["field"], "v");
  EXPECT_EQ(line["flips"][0]["bit"], 31);
  EXPECT_EQ(line["first_difference"]["step"], 3);
  EXPECT_EQ(line["first_difference"]["node"], line["flips"][0]["node"]);
  EXPECT_TRUE(line.contains("first_spike"));
}

}  // namespace
}  // namespace tandem
