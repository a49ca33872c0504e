#include "faults/harm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "testing/graphs.h"

namespace tandem {
namespace {

// Bits in which the readouts differ.
int Distance(const RunResult& a, const RunResult& b) {
  int bits = 0;
  for (std::size_t k = 0; k < a.spike_counts.size(); ++k) {
    bits += std::popcount(a.spike_counts[k] ^ b.spike_counts[k]);
    bits +=
        std::popcount(std::bit_cast<std::uint32_t>(a.potentials[k]) ^ std::bit_cast<std::uint32_t>(b.potentials[k]));
  }
  return bits;
}

TEST(Happens, AsOftenAsItsShare) {
  int count = 0;
  for (std::uint64_t k = 0; k < 10'000; ++k) count += Happens(0.01, Draw(1, k)) ? 1 : 0;
  EXPECT_NEAR(count, 100, 40);
  for (std::uint64_t k = 0; k < 100; ++k) {
    EXPECT_TRUE(Happens(1.0, Draw(2, k)));
    EXPECT_FALSE(Happens(0.0, Draw(2, k)));
  }
}

TEST(FlipReadoutBit, FlipsOneBitOfTheReadoutAndNothingElse) {
  RunResult truth;
  truth.steps = 16;
  truth.spike_counts = {0, 3, 16};
  truth.potentials = {0.5f, -1.0f, 0.0f};
  truth.readout_digest = 7;
  for (std::uint64_t k = 0; k < 200; ++k) {
    for (const auto from : {ReadoutFrom::kSpikeCount, ReadoutFrom::kLastPotential}) {
      RunResult lie = truth;
      FlipReadoutBit(from, Draw(1, k), lie);
      EXPECT_EQ(Distance(truth, lie), 1);
      EXPECT_EQ(lie.readout_digest, 7u);
      EXPECT_EQ(lie.spike_counts == truth.spike_counts, from == ReadoutFrom::kLastPotential);
      for (const std::uint32_t count : lie.spike_counts) EXPECT_LT(count, 32u);
    }
  }
}

TEST(FlipWeightBit, FlipsOneBitOfTheWeightItNames) {
  const Network network = testing::Compile(testing::LifNet(8, 100, 4, 1), {});
  std::set<std::string> nodes;
  for (std::uint64_t k = 0; k < 200; ++k) {
    const FlippedWeight flipped = FlipWeightBit(network, Draw(1, k));
    nodes.insert(flipped.node);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(flipped.before) ^ std::bit_cast<std::uint32_t>(flipped.after),
              std::uint32_t{1} << flipped.bit);
    const auto node = std::ranges::find(network.nodes, flipped.node, &NetworkNode::name);
    const Panel panel = node->weights->panel(flipped.target / kPanelWidth);
    const float now = panel.data[flipped.source * panel.stride + flipped.target - panel.first];
    EXPECT_EQ(std::bit_cast<std::uint32_t>(now), std::bit_cast<std::uint32_t>(flipped.after));
  }
  EXPECT_EQ(nodes.size(), 2u) << "both layers have flipped weights";
}

TEST(FlipBitOfWeight, FlipsTheGivenBit) {
  const Network network = testing::Compile(testing::LifNet(8, 100, 4, 1), {});
  for (unsigned bit = 23; bit <= 30; ++bit) {
    const FlippedWeight flipped = FlipBitOfWeight(network, Draw(1, bit), bit);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(flipped.before) ^ std::bit_cast<std::uint32_t>(flipped.after),
              std::uint32_t{1} << bit);
  }
}

TEST(MakeWeightNan, MakesOneNan) {
  const Network network = testing::Compile(testing::LifNet(8, 100, 4, 1), {});
  const FlippedWeight changed = MakeWeightNan(network, 5);
  EXPECT_FALSE(std::isnan(changed.before));
  EXPECT_TRUE(std::isnan(changed.after));
}

TEST(RefusalFor, NamesAStepAndANodeLikeARealOne) {
  const Network network = testing::Compile(testing::LifNet(8, 100, 4, 1), {});
  const Error error = RefusalFor(network, "NON_FINITE");
  EXPECT_EQ(error.code, Code::kOutOfRange);
  EXPECT_EQ(error.metadata.at("step"), "0");
  EXPECT_EQ(error.metadata.at("node"), network.nodes[network.readout].name);
  EXPECT_EQ(RefusalFor(network, "UNKNOWN_MODEL").code, Code::kNotFound);
}

TEST(FlipWeightBit, TwiceRestoresTheWeight) {
  const Network network = testing::Compile(testing::LifNet(8, 100, 4, 1), {});
  const FlippedWeight once = FlipWeightBit(network, 123'456'789);
  const FlippedWeight twice = FlipWeightBit(network, 123'456'789);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(twice.after), std::bit_cast<std::uint32_t>(once.before));
}

}  // namespace
}  // namespace tandem
