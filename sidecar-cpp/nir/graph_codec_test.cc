// A flat graph from a process that may be hostile: what each rule of CheckInvariants refuses.
#include "nir/graph_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "nir/flatten.h"
#include "nir/graph_invariants.h"
#include "testing/graphs.h"

namespace tandem {
namespace {

using ::testing::HasSubstr;
using testing::MakeNode;
using testing::Scalar;

// input -> fc -> lif -> output; canonical order: fc, input, lif, output.
Graph Small() {
  return Flatten(
             testing::Chain(
                 2,
                 {MakeNode("fc", NodeType::kLinear, {{"weight", testing::Matrix(1, 2, {0.1, 2})}}),
                  MakeNode(
                      "lif", NodeType::kLif,
                      {{"tau", Scalar(0.02)}, {"r", Scalar(1)}, {"v_leak", Scalar(-0.0)}, {"v_threshold", Scalar(1)}})},
                 1))
      .value();
}

Node& NodeOf(Graph& graph, const std::string& name) { return *std::ranges::find(graph.nodes, name, &Node::name); }

Expected<Graph> ThroughBytes(const Graph& graph) {
  StringSink sink;
  WriteGraph(graph, sink);
  SpanSource source(sink.bytes);
  auto read = ReadGraph(source);
  EXPECT_TRUE(!read.ok() || source.left() == 0);
  return read;
}

std::string RefusalOf(const std::function<void(Graph&)>& change) {
  Graph graph = Small();
  change(graph);
  const auto read = ThroughBytes(graph);
  return read.ok() ? "accepted" : read.error().message;
}

TEST(GraphCodec, GivesBackEveryBit) {
  std::mt19937_64 random(testing::SeedOr(5));
  for (int k = 0; k < 50; ++k) {
    const Graph graph = Flatten(testing::RandomGraph(random, 30)).value();
    const auto read = ThroughBytes(graph);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read.value().edges, graph.edges);
    EXPECT_EQ(read.value().input, graph.input);
    EXPECT_EQ(read.value().output, graph.output);
    ASSERT_EQ(read.value().nodes.size(), graph.nodes.size());
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      EXPECT_EQ(read.value().nodes[n].name, graph.nodes[n].name);
      EXPECT_EQ(read.value().nodes[n].type, graph.nodes[n].type);
      EXPECT_EQ(read.value().nodes[n].shape_elements, graph.nodes[n].shape_elements);
      ASSERT_EQ(read.value().nodes[n].parameters.size(), graph.nodes[n].parameters.size());
      for (const auto& [field, tensor] : graph.nodes[n].parameters) {
        EXPECT_EQ(read.value().nodes[n].parameters.at(field).dims, tensor.dims);
        EXPECT_EQ(read.value().nodes[n].parameters.at(field).values, tensor.values);
      }
    }
  }
}

TEST(GraphCodec, KeepsTheSignOfZeroAndWhatBinary32CannotHold) {
  Graph graph = ThroughBytes(Small()).value();
  EXPECT_TRUE(std::signbit(NodeOf(graph, "lif").parameters.at("v_leak").values[0]));
  EXPECT_EQ(NodeOf(graph, "fc").parameters.at("weight").values[0], 0.1);
}

TEST(GraphCodec, CarriesMoreValuesThanOnePiece) {
  std::vector<double> values(100'000);
  for (std::size_t k = 0; k < values.size(); ++k) values[k] = static_cast<double>(k) + 0.5;
  for (const double last : {0.25, 0.1}) {  // binary32 will do, and will not
    values.back() = last;
    const Graph graph =
        Flatten(testing::Chain(
                    1, {MakeNode("fc", NodeType::kLinear, {{"weight", testing::Matrix(100'000, 1, values)}})}, 100'000))
            .value();
    Graph read = ThroughBytes(graph).value();
    EXPECT_EQ(NodeOf(read, "fc").parameters.at("weight").values, values);
  }
}

TEST(GraphCodec, RefusesValuesThatDoNotFitTheirShape) {
  EXPECT_THAT(RefusalOf([](Graph& g) {
                NodeOf(g, "fc").parameters["weight"].dims = {2, 2};
              }),
              HasSubstr("node \"fc\": field \"weight\": has values that do not fit its shape"));
  EXPECT_THAT(RefusalOf([](Graph& g) {
                NodeOf(g, "fc").parameters["weight"].dims = {1, 0};
              }),
              HasSubstr("fit its shape"));
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "fc").parameters["weight"].dims = {1}; }), HasSubstr("fit its shape"));
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "fc").parameters["weight"] = {}; }), HasSubstr("fit its shape"));
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "fc").parameters["weight"].dims = {2}; }),
              HasSubstr("must have two dimensions"));
}

TEST(GraphCodec, RefusesMissingParameters) {
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "fc").parameters.clear(); }),
              HasSubstr("node \"fc\": field \"weight\": is missing"));
  EXPECT_EQ(RefusalOf([](Graph& g) { NodeOf(g, "lif").parameters["v_reset"] = Scalar(0); }), "accepted");
}

TEST(GraphCodec, RefusesValuesThatAreNotFiniteOrNotPositive) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double value : {kInfinity, -kInfinity, std::nan("")}) {
    EXPECT_THAT(RefusalOf([&](Graph& g) { NodeOf(g, "lif").parameters["r"] = Scalar(value); }),
                HasSubstr("must be finite"));
  }
  EXPECT_THAT(RefusalOf([&](Graph& g) { NodeOf(g, "lif").parameters["tau"] = Scalar(0); }),
              HasSubstr("finite and > 0"));
}

TEST(GraphCodec, RefusesNamesThatCannotBe) {
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "lif").name = "a"; }), HasSubstr("canonical order"));
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "lif").name = "input"; }), HasSubstr("canonical order"));
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "output").name = std::string(kMaxNameBytes + 1, 'z'); }),
              HasSubstr("name of a node"));
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "output").name = "\xFF"; }), HasSubstr("a name that cannot be"));
  EXPECT_EQ(RefusalOf([](Graph& g) { NodeOf(g, "output").name = std::string(kMaxNameBytes, 'z'); }), "accepted");
}

TEST(GraphCodec, RefusesShapesThatCannotBe) {
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "input").shape_elements = 0; }), HasSubstr("a shape that cannot be"));
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "lif").shape_elements = 1; }), HasSubstr("a shape that cannot be"));
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "input").shape_elements = kMaxNodeElements + 1; }),
              HasSubstr("shape of a node"));
}

TEST(GraphCodec, RefusesEdgesThatCannotBe) {
  EXPECT_THAT(RefusalOf([](Graph& g) { g.edges.emplace_back(3, 4); }), HasSubstr("an edge names no node"));
  EXPECT_THAT(RefusalOf([](Graph& g) { g.edges.emplace_back(2, 1); }), HasSubstr("enters the Input"));
  EXPECT_THAT(RefusalOf([](Graph& g) { g.edges.emplace_back(3, 2); }), HasSubstr("leaves the Output"));
  EXPECT_THAT(RefusalOf([](Graph& g) { std::ranges::reverse(g.edges); }),
              HasSubstr("edges are not in canonical order"));
  EXPECT_THAT(RefusalOf([](Graph& g) { g.edges.push_back(g.edges.back()); }), HasSubstr("not in canonical order"));
}

TEST(GraphCodec, RefusesAnInputOrOutputThatIsNone) {
  EXPECT_THAT(RefusalOf([](Graph& g) { std::swap(g.input, g.output); }), HasSubstr("no Input or no Output"));
  EXPECT_THAT(RefusalOf([](Graph& g) { g.output = 4; }), HasSubstr("no Input or no Output"));
  EXPECT_THAT(RefusalOf([](Graph& g) { g = {}; }), HasSubstr("no Input or no Output"));
}

TEST(GraphCodec, RefusesMoreThanTheLimits) {
  EXPECT_THAT(RefusalOf([](Graph& g) { g.nodes.resize(kMaxNodes + 1); }), HasSubstr("number of nodes"));
  EXPECT_THAT(RefusalOf([](Graph& g) { g.edges.resize(kMaxEdges + 1); }), HasSubstr("number of edges"));
}

// Claims `count` values and sends none.
TEST(GraphCodec, TakesNoMemoryForValuesThatDoNotCome) {
  StringSink sink;
  WriteNumber(1, sink);
  WriteText("fc", sink);
  WriteNumber(static_cast<std::uint64_t>(NodeType::kLinear), sink);
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0}, std::uint64_t{0},
                                     std::uint64_t{0}, std::uint64_t{kMaxParameterElements + 1}}) {
    WriteNumber(number, sink);
  }
  SpanSource source(sink.bytes);
  EXPECT_EQ(ReadGraph(source).error().message, "number of values");
}

}  // namespace
}  // namespace tandem
