#include "nir/window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nir/flatten.h"
#include "nir/sizes.h"
#include "testing/graphs.h"

namespace tandem {
namespace {

using ::testing::HasSubstr;
using testing::MakeNode;
using testing::Scalar;
using testing::Vector;

Node Conv2d(Shape weight, const std::string& name = "conv") {
  const std::uint64_t out = weight[0];
  std::vector<double> values(ElementsOf(weight), 1);
  Node node = MakeNode(
      name, NodeType::kConv2d,
      {{"weight", Tensor{std::move(weight), std::move(values)}}, {"bias", Vector(std::vector<double>(out, 0))}});
  node.integers = {{"stride", {1, 1}}, {"padding", {0, 0}}, {"dilation", {1, 1}}, {"groups", {1}}};
  return node;
}

Node Pool(Integers kernel, Integers stride, Integers padding) {
  Node node = MakeNode("pool", NodeType::kAvgPool2d, {});
  node.integers = {{"kernel_size", kernel}, {"stride", stride}, {"padding", padding}};
  return node;
}

Shape OutputOf(const Node& node, const Shape& input) {
  const auto window = WindowOf(node, input);
  EXPECT_TRUE(window.ok()) << window.error().message;
  return window.ok() ? OutputShape(node, window.value()) : Shape{};
}

std::string Refusal(const Node& node, const Shape& input) {
  const auto window = WindowOf(node, input);
  return window.ok() ? "accepted" : window.error().message;
}

TEST(Window, OutputsAreAsManyAsInPyTorch) {
  Node conv = Conv2d({4, 2, 3, 2});
  EXPECT_EQ(OutputOf(conv, {2, 7, 9}), (Shape{4, 5, 8}));
  conv.integers["stride"] = {2, 3};
  conv.integers["padding"] = {1, 0};
  EXPECT_EQ(OutputOf(conv, {2, 7, 9}), (Shape{4, 4, 3}));
  conv.integers["dilation"] = {2, 4};
  EXPECT_EQ(OutputOf(conv, {2, 7, 9}), (Shape{4, 3, 2}));
  EXPECT_EQ(OutputOf(Pool({2, 2}, {2, 2}, {0, 0}), {3, 5, 4}), (Shape{3, 2, 2}));
}

TEST(Window, SamePaddingKeepsTheSizeAndPadsTheEndMore) {
  Node conv = Conv2d({1, 1, 3, 4});
  conv.integers["padding"] = {kSamePadding, kSamePadding};
  const Window window = WindowOf(conv, {1, 6, 6}).value();
  EXPECT_EQ(OutputShape(conv, window), (Shape{1, 6, 6}));
  EXPECT_EQ(window.rows.before, 1u);
  EXPECT_EQ(window.columns.before, 1u);
  conv.integers["stride"] = {1, 2};
  EXPECT_THAT(Refusal(conv, {1, 6, 6}), HasSubstr("field \"padding\": \"same\" needs a stride of 1, found 2"));
}

TEST(Window, ABatchOfOneIsNotADimension) { EXPECT_EQ(OutputOf(Conv2d({1, 2, 3, 3}), {1, 2, 3, 3}), (Shape{1, 1, 1})); }

TEST(Window, RefusesWhatDoesNotFit) {
  EXPECT_THAT(Refusal(Conv2d({1, 2, 3, 3}), {5, 8, 8}),
              HasSubstr("node \"conv\": field \"weight\": takes 2 channels, but the input has the shape [5, 8, 8]"));
  EXPECT_THAT(Refusal(Conv2d({1, 2, 9, 1}), {2, 8, 8}),
              HasSubstr("reaches over 9 elements where the padded input has 8"));
  EXPECT_THAT(Refusal(Conv2d({1, 2, 3, 3}), {2, 64}), HasSubstr("takes an input of 3 dimensions, channels first"));
  Node grouped = Conv2d({5, 1, 1, 1});
  grouped.integers["groups"] = {2};
  EXPECT_THAT(Refusal(grouped, {2, 4, 4}), HasSubstr("field \"groups\": must divide the 5 output channels"));
}

TEST(Window, RefusesNumbersWhoseProductsAreTooLarge) {
  constexpr std::int64_t kMillion = 1048576;
  Node conv = Conv2d({1, 1, 2, 2});
  conv.integers["dilation"] = {kMillion, kMillion};
  EXPECT_THAT(Refusal(conv, {1, 8, 8}), HasSubstr("reaches over 1048577 elements"));
  conv = Conv2d({1, 1, 2, 2});
  conv.integers["padding"] = {kMillion, 0};
  EXPECT_THAT(Refusal(conv, {1, 8, 8}), HasSubstr("field \"padding\": gives an output of 2097159 elements"));
  conv.integers["padding"] = {4096, 4096};
  EXPECT_THAT(Refusal(conv, {1, 8, 8}), HasSubstr("above the limit of 1048576"));
  conv.integers["padding"] = {kSamePadding, kSamePadding};
  conv.integers["dilation"] = {kMillion, 1};
  conv.parameters["weight"] = {{1, 1, 9, 1}, std::vector<double>(9, 1)};
  EXPECT_THAT(Refusal(conv, {1, 8, 8}), HasSubstr("field \"dilation\": gives an output of 8 elements and a window of"));
  EXPECT_THAT(Refusal(Pool({kMillion, kMillion}, {1, 1}, {kMillion / 2, kMillion / 2}), {1, 8, 8}),
              HasSubstr("may add up"));
}

// input -> nodes -> output; `sizes` of "conv" or "pool", or the error.
std::string InputOf(GraphTree tree, const Shape& input) {
  std::erase_if(tree.nodes,
                [](const Node& node) { return PassesThrough(node.type) && node.type != NodeType::kFlatten; });
  tree.nodes.push_back(testing::InputNode(Integers(input.begin(), input.end())));
  tree.nodes.push_back(testing::OutputNode(Integers{1}));
  std::erase_if(tree.edges, [](const auto& edge) { return edge.second == "output"; });
  tree.nodes.push_back(Conv2d({1, 1, 1, 1}, "last"));
  tree.nodes.back().integers["input_shape"] = {1, 1};
  tree.edges.emplace_back("last", "output");
  tree.edges.emplace_back("last", "last");
  const Graph graph = Flatten(tree).value();
  const auto sizes = InferSizes(graph);
  if (!sizes.ok()) return sizes.error().message;
  for (std::size_t k = 0; k < graph.nodes.size(); ++k) {
    if (graph.nodes[k].name != "conv") continue;
    const Window& window = *sizes.value()[k].window;
    return Shown({window.in_channels, window.rows.in, window.columns.in});
  }
  return "no conv";
}

Node Lif(Shape shape) {
  std::vector<double> values(ElementsOf(shape), 1);
  return MakeNode("lif", NodeType::kLif,
                  {{"tau", Scalar(1)}, {"r", Scalar(1)}, {"v_leak", Scalar(0)}, {"v_threshold", {shape, values}}});
}

TEST(Shapes, PassThroughNeuronsOfOneRowAndOfNone) {
  for (const Shape& shape : {Shape{}, Shape{24}, Shape{2, 3, 4}}) {
    EXPECT_EQ(InputOf(testing::Chain(1, {Lif(shape), Conv2d({1, 2, 2, 2})}, 1), {2, 3, 4}), "[2, 3, 4]");
  }
}

TEST(Shapes, ANeuronsOwnShapeCounts) {
  EXPECT_EQ(InputOf(testing::Chain(1, {Lif({2, 3, 4}), Conv2d({1, 2, 2, 2})}, 1), {24}), "[2, 3, 4]");
}

TEST(Shapes, AFlattenJoinsTheDimensionsThatItNames) {
  Node flatten = MakeNode("f", NodeType::kFlatten, {});
  flatten.integers = {{"start_dim", {2}}, {"end_dim", {-1}}};
  EXPECT_EQ(InputOf(testing::Chain(1, {flatten, Conv2d({1, 5, 2, 2})}, 1), {5, 2, 3, 4}), "[5, 2, 12]");
  EXPECT_THAT(InputOf(testing::Chain(1, {flatten, Conv2d({1, 5, 2, 2})}, 1), {5, 2, 3}), HasSubstr("[5, 2, 3]"));
}

TEST(Shapes, AFlattenThatNamesNoDimensionsKeepsTheFirst) {
  const Node flatten = MakeNode("f", NodeType::kFlatten, {});
  EXPECT_THAT(InputOf(testing::Chain(1, {flatten, Conv2d({1, 5, 2, 2})}, 1), {5, 2, 3, 4}), HasSubstr("[5, 24]"));
}

TEST(Shapes, AConvolutionWithoutOneIsRefused) {
  EXPECT_THAT(InputOf(testing::Chain(1, {Conv2d({1, 2, 2, 2})}, 1), {24}),
              HasSubstr("node \"conv\": field \"edges\": the shape of its input is unknown"));
}

TEST(Shapes, DifferentShapesGiveNone) {
  GraphTree tree = testing::Chain(1, {Lif({2, 3, 4}), Conv2d({1, 2, 2, 2})}, 1);
  tree.edges.emplace_back("input", "conv");
  EXPECT_THAT(InputOf(tree, {4, 3, 2}), HasSubstr("its sources have different shapes"));
  EXPECT_EQ(InputOf(tree, {24}), "[2, 3, 4]");
}

}  // namespace
}  // namespace tandem
