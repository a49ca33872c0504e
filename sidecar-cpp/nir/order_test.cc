#include "nir/order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nir/flatten.h"
#include "testing/graphs.h"

namespace tandem {
namespace {

using testing::Chain;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MakeNode;
using testing::Scalar;

Node Scale(const std::string& name) { return MakeNode(name, NodeType::kScale, {{"scale", Scalar(1)}}); }

struct Walked {
  explicit Walked(const GraphTree& tree) : graph(Flatten(tree).value()), order(OrderOfEvaluation(graph)) {}
  [[nodiscard]] std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const std::uint32_t node : order.value().evaluated) names.push_back(graph.nodes[node].name);
    return names;
  }
  [[nodiscard]] std::vector<std::string> Delayed() const {
    std::vector<std::string> edges;
    for (std::uint32_t node = 0; node < graph.nodes.size(); ++node) {
      for (const Source& source : order.value().sources[node]) {
        if (source.delayed) edges.push_back(graph.nodes[source.node].name + " -> " + graph.nodes[node].name);
      }
    }
    return edges;
  }
  Graph graph;
  Expected<Order> order;
};

TEST(Order, SourcesComeBeforeTheirTargetsForAllNames) {
  EXPECT_THAT(Walked(Chain(1, {Scale("z"), Scale("a"), Scale("m")}, 1)).Names(),
              ElementsAre("input", "z", "a", "m", "output"));
}

TEST(Order, AmongSeveralSourcesTheFirstInNameGoesFirst) {
  GraphTree tree = Chain(1, {Scale("sum")}, 1);
  tree.nodes.push_back(Scale("b"));
  tree.nodes.push_back(Scale("a"));
  tree.edges = {{"input", "b"}, {"input", "a"}, {"b", "sum"}, {"a", "sum"}, {"sum", "output"}};
  EXPECT_THAT(Walked(tree).Names(), ElementsAre("input", "a", "b", "sum", "output"));
}

TEST(Order, ALoopIsCutWhereItLeavesItsNeuron) {
  GraphTree tree = Chain(1, {Scale("fc"), Scale("lif")}, 1);
  tree.nodes.push_back(Scale("lif.rec"));
  tree.edges.emplace_back("lif", "lif.rec");
  tree.edges.emplace_back("lif.rec", "lif");
  const Walked walked(tree);
  EXPECT_THAT(walked.Names(), ElementsAre("input", "fc", "lif.rec", "lif", "output"));
  EXPECT_THAT(walked.Delayed(), ElementsAre("lif -> lif.rec"));
}

TEST(Order, ANodeMayFeedItself) {
  GraphTree tree = Chain(1, {Scale("s")}, 1);
  tree.edges.emplace_back("s", "s");
  EXPECT_THAT(Walked(tree).Delayed(), ElementsAre("s -> s"));
}

TEST(Order, NodesAfterTheOutputAreNotEvaluated) {
  GraphTree tree = Chain(1, {Scale("s")}, 1);
  tree.nodes.push_back(Scale("aside"));
  tree.edges.emplace_back("s", "aside");
  EXPECT_THAT(Walked(tree).Names(), ElementsAre("input", "s", "output"));
}

TEST(Order, RefusesANodeWithoutSource) {
  GraphTree tree = Chain(1, {Scale("s")}, 1);
  tree.nodes.push_back(Scale("orphan"));
  tree.edges.emplace_back("orphan", "s");
  EXPECT_THAT(Walked(tree).order.error().message, HasSubstr("node \"orphan\": field \"edges\": no edge enters it"));
}

TEST(Order, RefusesAnInputWithoutAPathToAnOutput) {
  GraphTree tree = Chain(1, {Scale("s")}, 1);
  tree.edges = {{"s", "s"}, {"s", "output"}};
  EXPECT_THAT(Walked(tree).order.error().message, HasSubstr("no path leads from this Input"));
}

TEST(Order, AChainAsLongAsTheLimitIsWalked) {
  std::vector<Node> nodes;
  for (std::size_t k = 0; k + 2 < kMaxNodes; ++k) nodes.push_back(Scale("n" + std::to_string(k)));
  EXPECT_EQ(Walked(Chain(1, nodes, 1)).Names().size(), kMaxNodes);
}

}  // namespace
}  // namespace tandem
