#include "engine/trace.h"

#include <gtest/gtest.h>

#include "engine/digest.h"
#include "testing/graphs.h"

namespace tandem {
namespace {

using testing::Chain;
using testing::Compile;
using testing::MakeNode;
using testing::Matrix;
using testing::Scalar;

constexpr std::uint32_t kSteps = 3;

Manifest Settings() {
  Manifest manifest;
  manifest.steps = kSteps;
  return manifest;
}

// input -> fc (doubles, constant) -> n (an IF of gain 1: v goes 2, then 4 > 2.5 and back to 0, then 2) -> output
Network Doubled() {
  const Node fc = MakeNode("fc", NodeType::kLinear, {{"weight", Matrix(1, 1, {2.0})}});
  const Node n = MakeNode("n", NodeType::kIf, {{"r", Scalar(1000.0)}, {"v_threshold", Scalar(2.5)}});
  return Compile(Chain(1, {fc, n}, 1), Settings());
}

std::optional<Trace> TraceOf(const Network& network, float input, std::optional<TracePlace> place = std::nullopt,
                             bool abandoned = false) {
  Scratch scratch;
  const RunInput bytes{.values = {reinterpret_cast<const char*>(&input), sizeof(input)}};
  return TraceRun(network, kSteps, bytes, place, scratch, [abandoned] { return abandoned; });
}

std::uint64_t DigestOfFloats(std::initializer_list<float> values) {
  Digest digest;
  for (const float value : values) digest.Add(value);
  return digest.Value();
}

TEST(Trace, GivesEveryNodesStateAndOutputAtEveryStep) {
  const auto trace = TraceOf(Doubled(), 1.0f);
  const std::uint64_t one = DigestOfFloats({1.0f});
  const std::uint64_t two = DigestOfFloats({2.0f});
  const std::uint64_t zero = DigestOfFloats({0.0f});
  const std::uint64_t charged = DigestOfFloats({2.0f, 0.0f});
  const std::uint64_t fired = DigestOfFloats({0.0f, 1.0f});
  EXPECT_EQ(trace->digests, (std::vector<std::uint64_t>{one, two, charged, zero,  //
                                                        one, two, fired, one,     //
                                                        one, two, charged, zero}));
  EXPECT_EQ(trace->ended, "");
}

TEST(Trace, ForAPlaceGivesItsValues) {
  const auto trace = TraceOf(Doubled(), 1.0f, TracePlace{1, 2});
  EXPECT_TRUE(trace->digests.empty());
  EXPECT_TRUE(trace->current.empty());
  EXPECT_EQ(trace->potential, std::vector<float>{0.0f});
  EXPECT_EQ(trace->output, std::vector<float>{1.0f});
}

TEST(Trace, AConstantNodeHasItsOutputAtALaterStepToo) {
  EXPECT_EQ(TraceOf(Doubled(), 1.0f, TracePlace{2, 1})->output, std::vector<float>{2.0f});
}

TEST(Trace, OfAFailedRunEndsBeforeTheFailedStep) {
  // v: 2e37, then -1.6e38, then an overflow.
  const Node n = MakeNode("n", NodeType::kLi, {{"tau", Scalar(1e-4)}, {"r", Scalar(2.0)}, {"v_leak", Scalar(0.0)}});
  const Network network = Compile(Chain(1, {n}, 1), Settings());
  const auto whole = TraceOf(network, 1e36f);
  EXPECT_EQ(whole->digests.size(), 2 * network.nodes.size());
  EXPECT_EQ(whole->ended, "NON_FINITE");
  EXPECT_TRUE(TraceOf(network, 1e36f, TracePlace{2, 1})->output.empty());
  EXPECT_EQ(TraceOf(network, 1e36f, TracePlace{1, 1})->ended, "");
}

TEST(Trace, StopsWhenItIsAbandoned) {
  const Network network = Compile(testing::LifNet(256, 2048, 8, 1), Settings());
  const std::vector<float> input(256, 1.0f);
  Scratch scratch;
  const RunInput bytes{.values = {reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float)}};
  EXPECT_FALSE(TraceRun(network, kSteps, bytes, std::nullopt, scratch, [] { return true; }).has_value());
}

}  // namespace
}  // namespace tandem
