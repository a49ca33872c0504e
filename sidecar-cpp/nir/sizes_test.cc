#include "nir/sizes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nir/flatten.h"
#include "testing/graphs.h"

namespace tandem {
namespace {

using testing::Chain;
using ::testing::HasSubstr;
using testing::MakeNode;
using testing::Matrix;
using testing::Scalar;
using testing::Vector;

Node Scale(const std::string& name, std::vector<double> values) {
  return MakeNode(name, NodeType::kScale, {{"scale", Vector(std::move(values))}});
}

Expected<std::vector<NodeSize>> Sizes(const GraphTree& tree) {
  const Graph graph = Flatten(tree).value();
  return InferSizes(graph);
}

std::string Refusal(const GraphTree& tree) {
  const auto sizes = Sizes(tree);
  return sizes.ok() ? "accepted" : sizes.error().message;
}

TEST(Sizes, AScalarNodeTakesItsNeighboursSize) {
  const auto sizes = Sizes(Chain(7, {Scale("a", {1}), Scale("b", {2})}, 7));
  ASSERT_TRUE(sizes.ok());
  for (const NodeSize& size : sizes.value()) EXPECT_EQ(size.out, 7u);
}

TEST(Sizes, AWeightHasTwo) {
  const Node fc = MakeNode("fc", NodeType::kLinear, {{"weight", Matrix(2, 3, {1, 2, 3, 4, 5, 6})}});
  const auto sizes = Sizes(Chain(3, {fc}, 2));
  ASSERT_TRUE(sizes.ok());
  EXPECT_EQ(sizes.value()[0].in, 3u);
  EXPECT_EQ(sizes.value()[0].out, 2u);
}

TEST(Sizes, ContradictionsAcrossAnEdgeAreRefused) {
  EXPECT_THAT(Refusal(Chain(7, {Scale("a", {1, 2, 3})}, 3)),
              HasSubstr("node \"a\": field \"edges\": takes 3 elements, but \"input\" gives 7"));
}

TEST(Sizes, ParametersOfOneNodeMustAgree) {
  const Node lif =
      MakeNode("lif", NodeType::kLi, {{"tau", Vector({1, 2, 3})}, {"r", Vector({1, 2})}, {"v_leak", Scalar(0)}});
  EXPECT_THAT(Refusal(Chain(3, {lif}, 3)), HasSubstr("node \"lif\""));
}

TEST(Sizes, ABiasMustFitItsWeight) {
  const auto affine = [](std::vector<double> bias) {
    return MakeNode("fc", NodeType::kAffine, {{"weight", Matrix(2, 1, {1, 2})}, {"bias", Vector(std::move(bias))}});
  };
  EXPECT_EQ(Refusal(Chain(1, {affine({1, 2})}, 2)), "accepted");
  EXPECT_EQ(Refusal(Chain(1, {affine({1})}, 2)), "accepted");
  EXPECT_THAT(Refusal(Chain(1, {affine({1, 2, 3})}, 2)), HasSubstr("node \"fc\": field \"bias\""));
}

TEST(Sizes, ANodeThatIsNotEvaluatedMustFitToo) {
  GraphTree tree = Chain(7, {Scale("a", {1})}, 7);
  tree.nodes.push_back(Scale("aside", {1, 2, 3}));
  tree.edges.emplace_back("a", "aside");
  EXPECT_THAT(Refusal(tree), HasSubstr("field \"edges\": takes 3 elements, but \"a\" gives 7"));
}

TEST(Sizes, AShapeWhoseProductIsAboveTheLimitIsRefused) {
  for (const Integers& shape : {Integers{1 << 20, 2}, Integers(8, 1 << 20)}) {
    GraphTree tree = Chain(1, {Scale("a", {1})}, 1);
    tree.nodes[1] = testing::InputNode(shape);
    EXPECT_THAT(Refusal(tree), HasSubstr("node \"input\": has"));
    EXPECT_THAT(Refusal(tree), HasSubstr("above the limit of 1048576"));
  }
}

TEST(Sizes, ABatchOfSeveralIsNamed) {
  GraphTree tree = Chain(1, {MakeNode("fc", NodeType::kLinear, {{"weight", Matrix(2, 3, {1, 2, 3, 4, 5, 6})}})}, 1);
  tree.nodes[1] = testing::InputNode(Integers{4, 3});
  tree.nodes[2] = testing::OutputNode(Integers{4, 2});
  EXPECT_THAT(Refusal(tree), HasSubstr("node \"input\": field \"shape\": [4, 3] has 12 elements, but \"fc\" has 3: it "
                                       "looks like a batch of 4; export the model with a batch of 1"));
}

TEST(Sizes, ANodeAboveTheLimitIsRefused) {
  const Node fc = MakeNode("fc", NodeType::kLinear,
                           {{"weight", Matrix(kMaxNodeElements + 1, 1, std::vector<double>(kMaxNodeElements + 1, 1))}});
  EXPECT_THAT(Refusal(Chain(1, {fc}, 5)), HasSubstr("above the limit of 1048576"));
}

}  // namespace
}  // namespace tandem
