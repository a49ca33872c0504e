#include "nir/flatten.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/graphs.h"

namespace tandem {
namespace {

using testing::Chain;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MakeNode;
using testing::Scalar;

Node Scale(const std::string& name) { return MakeNode(name, NodeType::kScale, {{"scale", Scalar(1)}}); }

std::vector<std::string> EdgesOf(const Graph& graph) {
  std::vector<std::string> text;
  for (const auto& [from, to] : graph.edges) text.push_back(graph.nodes[from].name + " -> " + graph.nodes[to].name);
  return text;
}

std::string Refusal(GraphTree tree) {
  const auto graph = Flatten(std::move(tree));
  return graph.ok() ? "accepted" : graph.error().message;
}

TEST(Flatten, NodesComeInByteOrderOfTheirNames) {
  const Graph graph = Flatten(Chain(1, {Scale("2"), Scale("10"), Scale("B"), Scale("a")}, 1)).value();
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.name);
  EXPECT_THAT(names, ElementsAre("10", "2", "B", "a", "input", "output"));
}

TEST(Flatten, ANestedGraphIsReplacedByItsNodes) {
  GraphTree tree = Chain(1, {Scale("s")}, 1);
  tree.graphs["sub"] = Chain(1, {Scale("t")}, 1);
  tree.edges = {{"input", "sub"}, {"sub", "s"}, {"s", "output"}};
  EXPECT_THAT(EdgesOf(Flatten(tree).value()), ElementsAre("input -> sub/input", "s -> output", "sub/input -> sub/t",
                                                          "sub/output -> s", "sub/t -> sub/output"));
}

TEST(Flatten, GraphsNestInGraphs) {
  GraphTree inner = Chain(1, {Scale("t")}, 1);
  GraphTree middle = Chain(1, {}, 1);
  middle.graphs["in"] = inner;
  middle.edges = {{"input", "in"}, {"in", "output"}};
  GraphTree tree = Chain(1, {}, 1);
  tree.graphs["mid"] = middle;
  tree.edges = {{"input", "mid"}, {"mid", "output"}};
  EXPECT_THAT(EdgesOf(Flatten(tree).value()), ::testing::Contains("mid/input -> mid/in/input"));
}

TEST(Flatten, AnEdgeListedTwiceCountsOnce) {
  GraphTree tree = Chain(1, {Scale("s")}, 1);
  tree.edges.emplace_back("input", "s");
  EXPECT_EQ(Flatten(tree).value().edges.size(), 2u);
}

TEST(Flatten, RefusesAnEdgeWithAnUnknownNode) {
  GraphTree tree = Chain(1, {Scale("s")}, 1);
  tree.edges.emplace_back("s", "ghost");
  EXPECT_THAT(Refusal(tree), HasSubstr("there is no \"ghost\""));
}

TEST(Flatten, AnEdgeMayNotReachIntoANestedGraph) {
  GraphTree tree = Chain(1, {Scale("s")}, 1);
  tree.graphs["sub"] = Chain(1, {Scale("t")}, 1);
  tree.edges.emplace_back("s", "sub/t");
  EXPECT_THAT(Refusal(tree), HasSubstr("there is no \"sub/t\""));
}

TEST(Flatten, TheRootMayHaveSeveralInputsAndOutputs) {
  GraphTree tree = Chain(1, {Scale("s")}, 1);
  tree.nodes.push_back(testing::InputNode(1, "also"));
  tree.nodes.push_back(testing::OutputNode(1, "an output"));
  const Graph graph = Flatten(tree).value();
  EXPECT_THAT(graph.inputs, ElementsAre(0, 2));  // also, an output, input, output, s
  EXPECT_THAT(graph.outputs, ElementsAre(1, 3));
}

TEST(Flatten, RefusesAnotherNumberOfInputsOrOutputs) {
  GraphTree none = Chain(1, {Scale("s")}, 1);
  std::erase_if(none.nodes, [](const Node& node) { return node.type == NodeType::kInput; });
  EXPECT_THAT(Refusal(none), HasSubstr("the root graph: must have an Input node, found 0"));
  GraphTree tree = Chain(1, {Scale("s")}, 1);
  tree.graphs["sub"].nodes = {testing::InputNode(1)};
  EXPECT_THAT(Refusal(tree), HasSubstr("node \"sub\": a nested graph must have exactly one Output node, found 0"));
}

TEST(Flatten, RefusesEdgesIntoTheInputAndOutOfTheOutput) {
  GraphTree into = Chain(1, {Scale("s")}, 1);
  into.edges.emplace_back("s", "input");
  EXPECT_THAT(Refusal(into), HasSubstr("no edge may enter an Input of the root graph"));
  GraphTree out = Chain(1, {Scale("s")}, 1);
  out.edges.emplace_back("output", "s");
  EXPECT_THAT(Refusal(out), HasSubstr("no edge may leave an Output of the root graph"));
}

}  // namespace
}  // namespace tandem
