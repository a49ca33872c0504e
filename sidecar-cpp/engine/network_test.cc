#include "engine/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nir/flatten.h"
#include "testing/graphs.h"

namespace tandem {
namespace {

using testing::Chain;
using ::testing::HasSubstr;
using testing::MakeNode;
using testing::Scalar;
using testing::Vector;

std::string Refusal(const GraphTree& tree, const Manifest& manifest) {
  auto network = CompileNetwork(Flatten(tree).value(), manifest);
  return network.ok() ? "accepted" : network.error().message;
}

Node Lif(double tau) {
  return MakeNode("lif", NodeType::kLif,
                  {{"tau", Scalar(tau)}, {"r", Scalar(1)}, {"v_leak", Scalar(0)}, {"v_threshold", Scalar(1)}});
}

TEST(Network, ConstantsAreComputedInDoubleAndRoundedOnce) {
  Manifest manifest;
  manifest.dt = 1e-4;
  const Network network = testing::Compile(Chain(1, {Lif(0.0123)}, 1), manifest);
  EXPECT_EQ(network.nodes[1].a[0], static_cast<float>(1e-4 / 0.0123));
}

TEST(Network, PaddingNeverSpikes) {
  const Network network = testing::Compile(Chain(3, {Lif(1e-2)}, 3), {});
  const NetworkNode& lif = network.nodes[1];
  ASSERT_EQ(lif.a.size(), 16u);
  EXPECT_EQ(lif.a[3], 0.0f);
  EXPECT_GT(lif.threshold[3], 1e38f);
}

TEST(Network, AConstantThatOverflowsIsRefused) {
  EXPECT_THAT(Refusal(Chain(1, {Lif(1e-300)}, 1), {}), HasSubstr("node \"lif\": field \"tau\""));
}

TEST(Network, AParameterThatOverflowsBinary32IsRefused) {
  const Node scale = MakeNode("s", NodeType::kScale, {{"scale", Vector({1.0, 1e39})}});
  EXPECT_THAT(Refusal(Chain(2, {scale}, 2), {}), HasSubstr("node \"s\": field \"scale\""));
}

TEST(Network, TheInputShapeMustFit) {
  Manifest manifest;
  manifest.input_shape = {2, 3};
  EXPECT_THAT(Refusal(Chain(5, {Lif(1)}, 5), manifest), HasSubstr("\"input.shape\""));
  EXPECT_EQ(Refusal(Chain(6, {Lif(1)}, 6), manifest), "accepted");
}

TEST(Network, TheReadoutNodeMustBeEvaluated) {
  Manifest manifest;
  manifest.readout_node = "nowhere";
  EXPECT_THAT(Refusal(Chain(1, {Lif(1)}, 1), manifest), HasSubstr("\"readout.node\""));
}

TEST(Network, SettingsOfANodeThatIsNotANeuronAreRefused) {
  const auto refusal = [](const char* node) {
    Manifest manifest;
    manifest.nodes[node].reset = Reset::kNone;
    return Refusal(Chain(1, {Lif(1)}, 1), manifest);
  };
  EXPECT_EQ(refusal("lif"), "accepted");
  EXPECT_THAT(refusal("lift"), HasSubstr("\"nodes.lift\": there is no such node; those with settings are \"lif\""));
  EXPECT_THAT(refusal("input"), HasSubstr("\"nodes.input\": is of type Input, which has no such settings"));
}

TEST(Network, ARefusalNamesTenNeuronsAndCountsTheOthers) {
  const auto refusal = [](int neurons) {
    std::vector<Node> nodes;
    for (int k = 0; k < neurons; ++k) {
      nodes.push_back(Lif(1));
      nodes.back().name = std::string(1, static_cast<char>('a' + k));
    }
    Manifest manifest;
    manifest.nodes["none"].reset = Reset::kNone;
    return Refusal(Chain(1, nodes, 1), manifest);
  };
  EXPECT_THAT(refusal(10), ::testing::EndsWith("\"i\", \"j\""));
  EXPECT_THAT(refusal(12), ::testing::EndsWith("\"i\", \"j\" and 2 more"));
}

TEST(Network, RowsThatNoNodeReadsAreNotWritten) {
  const auto only_lists = [](const std::string& readout) {
    Manifest manifest;
    manifest.readout_node = readout;
    const Node scale = MakeNode("scale", NodeType::kScale, {{"scale", Scalar(2)}});
    std::vector<std::string> names;
    for (const NetworkNode& node : testing::Compile(Chain(1, {scale, Lif(1)}, 1), manifest).nodes) {
      if (node.only_lists) names.push_back(node.name);
    }
    return names;
  };
  // The readout of an Output is that of the neurons before it.
  EXPECT_THAT(only_lists("output"), ::testing::ElementsAre("lif", "output"));
  EXPECT_THAT(only_lists("scale"), ::testing::ElementsAre("lif", "output"));
}

TEST(Network, StateThatWouldExhaustMemoryIsRefused) {
  std::vector<Node> nodes;
  for (int k = 0; k < 20; ++k) {
    nodes.push_back(Lif(1));
    nodes.back().name = "lif" + std::to_string(k);
  }
  EXPECT_THAT(Refusal(Chain(kMaxNodeElements, nodes, kMaxNodeElements), {}), HasSubstr("above the limit"));
}

TEST(Network, ALargeNetworkTakesSmallerBatches) {
  const Network network = testing::Compile(Chain(1000000, {Lif(1)}, 1000000), {});
  // For an item: a row of output for each node, the neuron's potential and spikes, the readout's sum and counts, the
  // widest input four times.
  EXPECT_EQ(network.item_floats, (3 + 2 + 2 + 4) * 1000000 + 2 * kRowMultiple);
  EXPECT_EQ(network.max_batch(), 1u);
}

}  // namespace
}  // namespace tandem
