#include "engine/simulator.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <map>

#include "engine/digest.h"
#include "testing/graphs.h"

namespace tandem {
namespace {

using testing::Chain;
using testing::Compile;
using testing::MakeNode;
using testing::Matrix;
using testing::Scalar;
using testing::Vector;

class Collect final : public RunObserver {
 public:
  bool Abandoned(std::size_t item) override { return item == abandon && ++questions > 0; }
  void Finished(std::size_t item, Expected<RunResult> result) override { results.emplace(item, std::move(result)); }
  std::map<std::size_t, Expected<RunResult>> results;
  std::size_t abandon = std::numeric_limits<std::size_t>::max();
  int questions = 0;
};

Expected<RunResult> Simulate(const Network& network, const std::vector<float>& input, std::uint32_t steps) {
  Scratch scratch;
  Collect collect;
  const RunInput bytes{.values = {reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float)}};
  RunBatch(network, 7, steps, {&bytes, 1}, scratch, collect);
  return collect.results.at(0);
}

Manifest Settings(std::uint32_t steps, InputKind kind = InputKind::kConstant) {
  Manifest manifest;
  manifest.steps = steps;
  manifest.input_kind = kind;
  return manifest;
}

Node If(const std::string& name, double threshold) {
  return MakeNode(name, NodeType::kIf, {{"r", Scalar(1000.0)}, {"v_threshold", Scalar(threshold)}});
}

TEST(Simulator, AnIntegratorSpikesEveryTimeItCrossesItsThreshold) {
  // g = 1e-3 * 1000 = 1: v goes 1, 2, 3 > 2.5, 0, 1, 2, 3, …
  const Network network = Compile(Chain(1, {If("n", 2.5)}, 1), Settings(9));
  const auto run = Simulate(network, {1.0f}, 9);
  EXPECT_EQ(run.value().spike_counts, std::vector<std::uint32_t>{3});
  EXPECT_EQ(run.value().total_spikes, 3u);
  EXPECT_EQ(run.value().potentials, std::vector<float>{0.0f});
}

TEST(Simulator, SubtractingResetKeepsTheExcess) {
  Manifest manifest = Settings(4);
  manifest.neurons.reset = Reset::kSubtract;
  const Network network = Compile(Chain(1, {If("n", 2.5)}, 1), manifest);
  EXPECT_EQ(Simulate(network, {1.0f}, 4).value().potentials, std::vector<float>{1.5f});  // 1, 2, 3 - 2.5, 1.5
}

TEST(Simulator, UnitGainDoesNotUseDt) {
  Manifest manifest = Settings(1);
  manifest.neurons.if_gain = IfGain::kUnit;
  const Network network = Compile(Chain(1, {If("n", 1e9)}, 1), manifest);
  EXPECT_EQ(Simulate(network, {2.0f}, 1).value().potentials, std::vector<float>{2000.0f});
}

TEST(Simulator, PotentialsStartAtZeroForEveryLeak) {
  const Node li = MakeNode("n", NodeType::kLi, {{"tau", Scalar(4e-3)}, {"r", Scalar(1)}, {"v_leak", Scalar(8)}});
  EXPECT_EQ(Simulate(Compile(Chain(1, {li}, 1), Settings(1)), {0.0f}, 1).value().potentials, std::vector<float>{2.0f});
}

TEST(Simulator, TheMeanPotentialIsOverAllSteps) {
  Manifest manifest = Settings(4);
  manifest.readout_from = ReadoutFrom::kMeanPotential;
  const Network network = Compile(Chain(1, {If("n", 100)}, 1), manifest);
  EXPECT_EQ(Simulate(network, {1.0f}, 4).value().potentials, std::vector<float>{2.5f});  // (1 + 2 + 3 + 4) / 4
}

TEST(Simulator, TheLargestPotentialIsOverAllStepsAlsoWhereAllAreNegative) {
  Manifest manifest = Settings(1, InputKind::kSeries);
  manifest.readout_from = ReadoutFrom::kMaxPotential;
  const Node up = MakeNode("up", NodeType::kScale, {{"scale", Vector({1, 1})}});
  const Network network = Compile(Chain(2, {up}, 2), manifest);
  EXPECT_EQ(Simulate(network, {-3, 1, -1, 5, -2, 4}, 3).value().potentials, (std::vector<float>{-1, 5}));
}

TEST(Simulator, AnEarlierFirstSpikeIsALargerNumberAndNoSpikeIsZero) {
  Manifest manifest = Settings(1, InputKind::kSeries);
  manifest.readout_from = ReadoutFrom::kFirstSpike;
  const Node fire = MakeNode("fire", NodeType::kThreshold, {{"threshold", Vector({0, 0, 0})}});
  const Network network = Compile(Chain(3, {fire}, 3), manifest);
  const auto run = Simulate(network, {0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0}, 4);
  EXPECT_EQ(run.value().potentials, (std::vector<float>{3, 4, 0}));
  EXPECT_EQ(run.value().spike_counts, (std::vector<std::uint32_t>{2, 2, 0}));
}

TEST(Simulator, AReadoutThatDoesNotFireHasNoFirstSpike) {
  Manifest manifest = Settings(2);
  manifest.readout_from = ReadoutFrom::kFirstSpike;
  const Node up = MakeNode("up", NodeType::kScale, {{"scale", Scalar(1.0)}});
  EXPECT_EQ(Simulate(Compile(Chain(1, {up}, 1), manifest), {7.0f}, 2).value().potentials, std::vector<float>{0});
}

TEST(Simulator, ASeriesHasARowForEachStep) {
  const Network network = Compile(Chain(2, {If("n", 100)}, 2), Settings(1, InputKind::kSeries));
  const auto run = Simulate(network, {1, 10, 2, 20, 3, 30}, 3);
  EXPECT_EQ(run.value().steps, 3u);
  EXPECT_EQ(run.value().potentials, (std::vector<float>{6, 60}));
}

TEST(Simulator, AConstantPartIsEvaluatedAndCountedOnce) {
  const Node fc = MakeNode("fc", NodeType::kLinear, {{"weight", Matrix(3, 2, {1, 2, 3, 4, 5, 6})}});
  const GraphTree tree = Chain(2, {fc, If("n", 100)}, 3);
  EXPECT_EQ(Simulate(Compile(tree, Settings(5)), {1.0f, 0.0f}, 5).value().synaptic_operations, 3u);
  const Network series = Compile(tree, Settings(5, InputKind::kSeries));
  EXPECT_EQ(Simulate(series, {1, 0, 1, 0, 1, 1}, 3).value().synaptic_operations, 12u);
}

TEST(Simulator, ADelayedEdgeCarriesThePreviousStep) {
  // Each spike of the neuron inhibits it through weights, one step later.
  GraphTree tree = Chain(1, {If("n", 0.5)}, 1);
  tree.nodes.push_back(MakeNode("rec", NodeType::kAffine, {{"weight", Matrix(1, 1, {-1.0})}, {"bias", Scalar(0.0)}}));
  tree.edges.emplace_back("n", "rec");
  tree.edges.emplace_back("rec", "n");
  EXPECT_EQ(Simulate(Compile(tree, Settings(6)), {1.0f}, 6).value().spike_counts, std::vector<std::uint32_t>{3});
}

TEST(Simulator, AConstantThresholdReadoutCountsItsOnes) {
  const Node threshold = MakeNode("t", NodeType::kThreshold, {{"threshold", Vector({0.5, 2.0})}});
  const auto run = Simulate(Compile(Chain(2, {threshold}, 2), Settings(6)), {1.0f, 1.0f}, 6);
  EXPECT_EQ(run.value().spike_counts, (std::vector<std::uint32_t>{6, 0}));
  EXPECT_EQ(run.value().total_spikes, 0u);  // only spikes of neurons count in the total
}

TEST(Simulator, OverflowNamesTheFirstStepAndNode) {
  const Node up = MakeNode("up", NodeType::kScale, {{"scale", Scalar(1e30)}});
  const Network network = Compile(Chain(1, {up, If("n", 1e38)}, 1), Settings(20));
  // v = k * 2e31 * 1e30 overflows in Scale at once; a smaller input overflows nowhere.
  const auto failed = Simulate(network, {1e10f}, 20);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().reason, "NON_FINITE");
  EXPECT_EQ(failed.error().metadata.at("node"), "up");
  EXPECT_EQ(failed.error().metadata.at("step"), "0");
  EXPECT_TRUE(Simulate(network, {1.0f}, 20).ok());
}

Node Scale(const std::string& name, double factor) {
  return MakeNode(name, NodeType::kScale, {{"scale", Scalar(factor)}});
}

TEST(Simulator, AnOverflowingSumIsDetectedBeforeAFiniteNode) {
  // A Threshold turns infinity into 1, so only the sum itself shows the overflow.
  GraphTree tree = Chain(1, {Scale("a", 3e38), MakeNode("t", NodeType::kThreshold, {{"threshold", Scalar(0.5)}})}, 1);
  tree.nodes.push_back(Scale("b", 2e38));
  tree.edges.emplace_back("input", "b");
  tree.edges.emplace_back("b", "t");
  const auto failed = Simulate(Compile(tree, Settings(3)), {1.0f}, 3);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().metadata.at("node"), "t");
  EXPECT_TRUE(Simulate(Compile(tree, Settings(3)), {0.5f}, 3).ok());
}

TEST(Simulator, AnOverflowingLinearIsDetectedBeforeAFiniteNode) {
  const Node fc = MakeNode("fc", NodeType::kLinear, {{"weight", Matrix(1, 2, {3e38, 2e38})}});
  const Node threshold = MakeNode("t", NodeType::kThreshold, {{"threshold", Scalar(0.5)}});
  const Network network = Compile(Chain(2, {fc, threshold}, 1), Settings(3));
  for (const std::vector<float>& input : {std::vector<float>{1, 1}, std::vector<float>{0.9f, 1}}) {
    const auto failed = Simulate(network, input, 3);
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().metadata.at("node"), "fc");
  }
  EXPECT_TRUE(Simulate(network, {1.0f, 0.0f}, 3).ok());
}

std::uint32_t BitsOf(float value) { return std::bit_cast<std::uint32_t>(value); }

TEST(Simulator, AZeroInputAddsNothingToABiasOfMinusZero) {
  // Adding the product of the zero would turn the -0 of the other sources into +0. Three of four sources are active.
  const Node fc =
      MakeNode("fc", NodeType::kAffine, {{"weight", Matrix(1, 4, {-0.0, -0.0, -0.0, 1.0})}, {"bias", Vector({-0.0})}});
  const auto run = Simulate(Compile(Chain(4, {fc}, 1), Settings(1)), {0.5f, 0.5f, 0.5f, 0.0f}, 1);
  EXPECT_EQ(BitsOf(run.value().potentials[0]), BitsOf(-0.0f));
}

TEST(Simulator, AReadoutStraightFromALinearIsItsOutput) {
  const Node fc = MakeNode("fc", NodeType::kLinear, {{"weight", Matrix(2, 2, {1, 2, 3, 4})}});
  const auto run = Simulate(Compile(Chain(2, {fc}, 2), Settings(2)), {1.0f, 0.5f}, 2);
  EXPECT_EQ(run.value().potentials, (std::vector<float>{2, 5}));
  EXPECT_EQ(run.value().spike_counts, (std::vector<std::uint32_t>{0, 0}));
}

TEST(Simulator, InputsOfOnesAndOtherValuesAreMultiplied) {
  const Node fc = MakeNode("fc", NodeType::kLinear, {{"weight", Matrix(1, 4, {1, 2, 4, 8})}});
  const auto run = Simulate(Compile(Chain(4, {fc}, 1), Settings(1)), {1.0f, 0.0f, 0.5f, 0.0f}, 1);
  EXPECT_EQ(run.value().potentials, std::vector<float>{3});
}

TEST(Simulator, VeryManySourcesAreAllAdded) {
  constexpr std::size_t kSources = 10000;  // more than are added in one call
  const Node sum =
      MakeNode("w", NodeType::kLinear, {{"weight", Matrix(1, kSources, std::vector<double>(kSources, 1))}});
  const Network network = Compile(Chain(kSources, {sum}, 1), Settings(1));
  const auto potential = [&](std::size_t active, float value) {
    std::vector<float> input(kSources, 0.0f);
    std::fill_n(input.begin(), active, value);
    return Simulate(network, input, 1).value().potentials;
  };
  EXPECT_EQ(potential(kSources, 1.0f), std::vector<float>{10000.0f}) << "spikes";
  EXPECT_EQ(potential(kSources / 2, 2.0f), std::vector<float>{10000.0f}) << "values, half of them zero";
  EXPECT_EQ(potential(kSources, 2.0f), std::vector<float>{20000.0f}) << "values, none of them zero";
}

TEST(Simulator, AnAffineThatReadsOnlyItselfReadsItsPreviousStep) {
  // swap' = (second, first + 1), then added to the input.
  const Node add = Scale("add", 1);
  GraphTree tree = Chain(2, {add}, 2);
  tree.nodes.push_back(
      MakeNode("swap", NodeType::kAffine, {{"weight", Matrix(2, 2, {0, 1, 1, 0})}, {"bias", Vector({0, 1})}}));
  tree.edges.emplace_back("swap", "swap");
  tree.edges.emplace_back("swap", "add");
  const Network network = Compile(tree, Settings(4));
  // (0, 1), (1, 1), (1, 2), (2, 2)
  EXPECT_EQ(Simulate(network, {0.0f, 0.0f}, 4).value().potentials, (std::vector<float>{2, 2}));
  EXPECT_EQ(Simulate(network, {0.0f, 0.0f}, 3).value().potentials, (std::vector<float>{1, 2}));
}

TEST(Simulator, AnAffineWithALoopAddsItsPreviousStepToItsInput) {
  GraphTree tree = Chain(
      2, {MakeNode("rec", NodeType::kAffine, {{"weight", Matrix(2, 2, {0, 1, 1, 0})}, {"bias", Vector({0, 0})}})}, 2);
  tree.edges.emplace_back("rec", "rec");
  // y = swap(x + y'): (2, 1), then swap(1 + 2, 2 + 1), then swap(1 + 3, 2 + 3).
  EXPECT_EQ(Simulate(Compile(tree, Settings(3)), {1.0f, 2.0f}, 3).value().potentials, (std::vector<float>{5, 4}));
}

TEST(Simulator, AMeanThatOverflowsFailsAtTheLastStep) {
  Manifest manifest = Settings(10);
  manifest.readout_from = ReadoutFrom::kMeanPotential;
  const Node up = MakeNode("up", NodeType::kScale, {{"scale", Scalar(1.0)}});
  const auto failed = Simulate(Compile(Chain(1, {up}, 1), manifest), {1e38f}, 10);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().metadata.at("node"), "up");
  EXPECT_EQ(failed.error().metadata.at("step"), "9");
}

TEST(Simulator, OneItemsOverflowDoesNotAffectOthers) {
  const Node up = MakeNode("up", NodeType::kScale, {{"scale", Scalar(1e30)}});
  const Network network = Compile(Chain(1, {up}, 1), Settings(3));
  const std::vector<float> values = {1.0f, 1e20f, 2.0f};
  std::vector<RunInput> inputs;
  for (const float& value : values)
    inputs.push_back({.values = {reinterpret_cast<const char*>(&value), sizeof(float)}});
  Scratch scratch;
  Collect collect;
  RunBatch(network, 7, 3, inputs, scratch, collect);
  EXPECT_TRUE(collect.results.at(0).ok());
  EXPECT_FALSE(collect.results.at(1).ok());
  EXPECT_TRUE(collect.results.at(2).ok());
}

TEST(Simulator, AnAbandonedItemIsNotReported) {
  const Network network = Compile(testing::LifNet(256, 256, 8, 1), Settings(2000));
  const std::vector<float> input(256, 1.0f);
  const RunInput bytes{.values = {reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float)}};
  Scratch scratch;
  Collect collect;
  collect.abandon = 1;
  const std::vector<RunInput> inputs(3, bytes);
  RunBatch(network, 7, 2000, inputs, scratch, collect);
  EXPECT_EQ(collect.questions, 1);
  EXPECT_EQ(collect.results.size(), 2u);
  EXPECT_FALSE(collect.results.contains(1));
}

TEST(Simulator, TheDigestCoversIdStepsReadoutAndStateInCanonicalOrder) {
  // "b" (an IF) feeds "a" (a CubaLI): state order is a's i, a's v, then b's v.
  GraphTree tree;
  const Node a =
      MakeNode("a", NodeType::kCubaLi,
               {{"tau_syn", Scalar(2e-3)}, {"tau_mem", Scalar(4e-3)}, {"r", Scalar(1)}, {"v_leak", Scalar(0)}});
  const Network network = Compile(Chain(1, {If("b", 1.5), a}, 1), Settings(2));
  const auto run = Simulate(network, {1.0f}, 2);  // b spikes at step 1
  Digest digest;
  digest.Add(std::uint64_t{7});
  digest.Add(std::uint32_t{2});
  digest.Add(std::uint32_t{0});
  digest.Add(0.125f);
  digest.Add(0.5f);
  digest.Add(0.125f);
  digest.Add(0.0f);
  EXPECT_EQ(run.value().state_digest, digest.Value());
}

TEST(Simulator, TheReadoutDigestCoversWhatIsReturned) {
  // XXH64, computed by hand from its definition, of 9 steps, 3 spikes, potential 0, 3 spikes in all, 0 operations:
  // 09000000 03000000 00000000 0300000000000000 0000000000000000.
  const Network network = Compile(Chain(1, {If("n", 2.5)}, 1), Settings(9));
  EXPECT_EQ(Simulate(network, {1.0f}, 9).value().readout_digest, 0x59636c585909908eu);
}

TEST(Simulator, TheReadoutWalksBackFromTheOutputToTheNeuron) {
  const Network network = Compile(Chain(1, {If("n", 100)}, 1), Settings(1));
  EXPECT_EQ(network.nodes[network.readout].name, "n");
}

TEST(Simulator, ScratchOfAnotherModelHasNoEffect) {
  const Network large = Compile(testing::LifNet(200, 100, 20, 3), Settings(8));
  const Network small = Compile(Chain(1, {If("n", 2.5)}, 1), Settings(9));
  Scratch scratch;
  std::mt19937_64 random(1);
  const std::vector<float> wide = testing::RandomInput(random, 200, 0.1);
  const std::vector<float> one = {1.0f};
  for (const auto& [network, input] : {std::pair(&large, &wide), std::pair(&small, &one)}) {
    const RunInput bytes{.values = {reinterpret_cast<const char*>(input->data()), input->size() * sizeof(float)}};
    Collect collect;
    RunBatch(*network, 7, network->steps, {&bytes, 1}, scratch, collect);
    EXPECT_EQ(collect.results.at(0).value().state_digest,
              Simulate(*network, *input, network->steps).value().state_digest);
  }
}

}  // namespace
}  // namespace tandem
