#include "engine/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "testing/graphs.h"

namespace tandem {
namespace {

using testing::Chain;
using testing::Compile;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MakeNode;
using testing::Matrix;
using testing::Scalar;

// An IF of gain 1.
Node If(const std::string& name, double threshold) {
  return MakeNode(name, NodeType::kIf, {{"r", Scalar(1000.0)}, {"v_threshold", Scalar(threshold)}});
}

// input (2) -> fast (fires whenever its input is not 0) -> pair (sums the two) -> slow (fires at its third spike) ->
// output
Network TwoLayers(std::uint32_t steps) {
  Manifest manifest;
  manifest.steps = steps;
  const Node pair = MakeNode("pair", NodeType::kLinear, {{"weight", Matrix(1, 2, {1, 1})}});
  return Compile(Chain(2, {If("fast", 0.5), pair, If("slow", 2.5)}, 1), manifest);
}

struct Recorded {
  std::vector<std::optional<RunResult>> results;
  std::vector<std::vector<LayerActivity>> layers;
  std::vector<std::vector<float>> readouts;
};

class RecordingObserver final : public RunObserver {
 public:
  RecordingObserver(LayerRecorder& recorder, Recorded& to) : recorder_(recorder), to_(to) {}
  bool Abandoned(std::size_t) override { return false; }
  void Finished(std::size_t item, Expected<RunResult> result) override {
    if (!result.ok()) return;
    to_.results[item] = std::move(result).value();
    to_.layers[item] = recorder_.Take(item);
    to_.readouts[item] = recorder_.TakeReadout(item);
  }

 private:
  LayerRecorder& recorder_;
  Recorded& to_;
};

Recorded Record(const Network& network, const std::vector<std::vector<float>>& inputs, std::uint32_t steps,
                Detail detail) {
  std::vector<RunInput> bytes;
  for (const auto& input : inputs) {
    bytes.push_back({.values = {reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float)}});
  }
  Recorded recorded;
  recorded.results.resize(inputs.size());
  recorded.layers.resize(inputs.size());
  recorded.readouts.resize(inputs.size());
  LayerRecorder recorder(network, inputs.size(), steps, detail);
  RecordingObserver watch(recorder, recorded);
  Scratch scratch;
  RunBatchRecorded(network, 7, steps, bytes, scratch, watch, recorder);
  return recorded;
}

TEST(Layers, AreTheSpikingNodesInOrderOfEvaluationWithTheirSpikesAtEachStep) {
  const Network network = TwoLayers(4);
  const auto recorded = Record(network, {{1, 1}}, 4, Detail::kLayers);
  const auto& layers = recorded.layers[0];
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(network.nodes[layers[0].node].name, "fast");
  EXPECT_THAT(layers[0].spikes_per_step, ElementsAre(2, 2, 2, 2));
  EXPECT_EQ(layers[0].spikes, 8u);
  EXPECT_EQ(network.nodes[layers[1].node].name, "slow");
  EXPECT_THAT(layers[1].spikes_per_step, ElementsAre(0, 1, 0, 1));
  EXPECT_EQ(layers[1].spikes, 2u);
  EXPECT_EQ(recorded.results[0]->total_spikes, 10u);
}

TEST(Layers, AReadoutIsTheOutputOrThePotentialAtEachStep) {
  Network network = TwoLayers(4);
  const auto of = [&](ReadoutFrom from) {
    network.readout_from = from;
    return Record(network, {{1, 1}}, 4, Detail::kReadout);
  };
  const auto spikes = of(ReadoutFrom::kSpikeCount);
  EXPECT_THAT(spikes.readouts[0], ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(spikes.layers[0], IsEmpty());
  EXPECT_THAT(of(ReadoutFrom::kFirstSpike).readouts[0], ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(of(ReadoutFrom::kMaxPotential).readouts[0], ElementsAre(2, 0, 2, 0));
  EXPECT_THAT(of(ReadoutFrom::kLastPotential).readouts[0], ElementsAre(2, 0, 2, 0));
}

TEST(Layers, WithoutARasterHaveNoEvents) {
  const auto recorded = Record(TwoLayers(4), {{1, 1}}, 4, Detail::kLayers);
  EXPECT_THAT(recorded.layers[0][0].event_steps, IsEmpty());
  EXPECT_EQ(recorded.layers[0][0].events_left_out, 0u);
}

TEST(Layers, ARasterHasTheStepAndNeuronOfEachSpike) {
  const auto recorded = Record(TwoLayers(3), {{0, 1}}, 3, Detail::kRaster);
  const auto& fast = recorded.layers[0][0];
  EXPECT_THAT(fast.event_steps, ElementsAre(0, 1, 2));
  EXPECT_THAT(fast.event_neurons, ElementsAre(1, 1, 1));
  EXPECT_THAT(recorded.layers[0][1].event_steps, ElementsAre(2));
}

TEST(Layers, AreSeparateForEachItemAlsoIfAnotherFails) {
  const auto recorded = Record(TwoLayers(4), {{1, 0}, {3e38F, 3e38F}, {1, 1}}, 4, Detail::kRaster);
  EXPECT_EQ(recorded.layers[0][0].spikes, 4u);
  EXPECT_EQ(recorded.layers[2][0].spikes, 8u);
}

TEST(Layers, ARasterListsTheFirstEventsOfTheRunAndCountsTheOthers) {
  constexpr std::uint32_t kSteps = 40'000;
  const auto recorded = Record(TwoLayers(kSteps), {{1, 1}}, kSteps, Detail::kRaster);
  const auto& fast = recorded.layers[0][0];
  const auto& slow = recorded.layers[0][1];
  // 2.5 spikes a step: both layers are listed up to the same step.
  EXPECT_EQ(fast.event_steps.size() + slow.event_steps.size(), kMaxRasterEvents);
  EXPECT_EQ(fast.event_steps.size(), 80'000u);
  EXPECT_EQ(slow.event_steps.size(), 20'000u);
  EXPECT_EQ(fast.events_left_out, 0u);
  EXPECT_EQ(slow.events_left_out, 0u);

  constexpr std::uint32_t kLonger = 50'000;
  const auto longer = Record(TwoLayers(kLonger), {{1, 1}}, kLonger, Detail::kRaster);
  for (const LayerActivity& layer : longer.layers[0]) {
    EXPECT_EQ(layer.event_steps.size() + layer.events_left_out, layer.spikes);
    EXPECT_EQ(layer.event_steps.back(), 39'999u);
    EXPECT_GT(layer.events_left_out, 0u);
  }
}

TEST(Layers, ARunIsTheSameWithThemAndTheirSpikesAddUp) {
  std::mt19937_64 random(testing::SeedOr(7));
  for (int round = 0; round < 50; ++round) {
    const GraphTree tree = testing::RandomGraph(random, 40);
    Manifest manifest = testing::RandomManifest(random, tree);
    manifest.input_kind = InputKind::kConstant;
    const Network network = Compile(tree, manifest);
    const std::vector<std::vector<float>> inputs(3, testing::RandomInput(random, network.input_size(), 0.3));
    const auto plain = Record(network, inputs, 20, Detail::kSummary);
    const auto raster = Record(network, inputs, 20, Detail::kRaster);
    for (std::size_t item = 0; item < inputs.size(); ++item) {
      ASSERT_EQ(plain.results[item].has_value(), raster.results[item].has_value());
      if (!plain.results[item]) continue;
      EXPECT_EQ(plain.results[item]->state_digest, raster.results[item]->state_digest);
      EXPECT_EQ(plain.results[item]->readout_digest, raster.results[item]->readout_digest);
      std::uint64_t spikes = 0;
      for (const LayerActivity& layer : raster.layers[item]) {
        spikes += layer.spikes;
        std::uint64_t of_steps = 0;
        for (const std::uint32_t count : layer.spikes_per_step) of_steps += count;
        EXPECT_EQ(of_steps, layer.spikes);
        EXPECT_EQ(layer.event_neurons.size() + layer.events_left_out, layer.spikes);
      }
      EXPECT_EQ(spikes, raster.results[item]->total_spikes);
    }
  }
}

}  // namespace
}  // namespace tandem
