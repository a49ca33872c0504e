// A flat graph from a hostile process: each rule of CheckInvariants refuses something.
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
    EXPECT_EQ(read.value().inputs, graph.inputs);
    EXPECT_EQ(read.value().outputs, graph.outputs);
    ASSERT_EQ(read.value().nodes.size(), graph.nodes.size());
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      EXPECT_EQ(read.value().nodes[n].name, graph.nodes[n].name);
      EXPECT_EQ(read.value().nodes[n].type, graph.nodes[n].type);
      EXPECT_EQ(read.value().nodes[n].integers, graph.nodes[n].integers);
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
  for (const double last : {0.25, 0.1}) {  // binary32 is enough, and is not
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
              HasSubstr("must have 2 dimensions"));
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

TEST(GraphCodec, RefusesInvalidNames) {
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "lif").name = "a"; }), HasSubstr("canonical order"));
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "lif").name = "input"; }), HasSubstr("canonical order"));
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "output").name = std::string(kMaxNameBytes + 1, 'z'); }),
              HasSubstr("name of a node"));
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "output").name = "\xFF"; }), HasSubstr("a name that cannot be"));
  EXPECT_EQ(RefusalOf([](Graph& g) { NodeOf(g, "output").name = std::string(kMaxNameBytes, 'z'); }), "accepted");
}

TEST(GraphCodec, RefusesInvalidIntegers) {
  const auto refusal = [](const std::string& node, const std::string& field, Integers values) {
    return RefusalOf([&](Graph& g) { NodeOf(g, node).integers[field] = std::move(values); });
  };
  EXPECT_THAT(refusal("input", "shape", {}), HasSubstr("node \"input\": field \"shape\": has integers that cannot be"));
  EXPECT_THAT(refusal("input", "shape", {0}), HasSubstr("integers that cannot be"));
  EXPECT_THAT(refusal("input", "shape", {kMaxNodeElements + 1}), HasSubstr("integers that cannot be"));
  EXPECT_THAT(refusal("input", "shape", Integers(kMaxRank + 1, 1)), HasSubstr("number of integers"));
  EXPECT_THAT(RefusalOf([](Graph& g) { NodeOf(g, "input").integers.clear(); }),
              HasSubstr("field \"shape\": is missing"));
}

// input -> conv -> output.
Graph Convolution() {
  Node conv =
      MakeNode("conv", NodeType::kConv2d,
               {{"weight", Tensor{{2, 1, 3, 3}, std::vector<double>(18, 1)}}, {"bias", testing::Vector({0, 0})}});
  conv.integers = {
      {"stride", {1, 1}}, {"padding", {kSamePadding, kSamePadding}}, {"dilation", {1, 1}}, {"groups", {1}}};
  GraphTree tree = testing::Chain(1, {conv}, 1);
  std::erase_if(tree.nodes, [](const Node& node) { return node.name != "conv"; });
  tree.nodes.push_back(testing::InputNode(Integers{1, 4, 4}));
  tree.nodes.push_back(testing::OutputNode(Integers{2, 4, 4}));
  return Flatten(tree).value();
}

TEST(GraphCodec, ChecksTheNumbersOfAConvolution) {
  const auto refusal = [](const std::string& field, const Integers& values) {
    Graph graph = Convolution();
    NodeOf(graph, "conv").integers[field] = values;
    const auto read = ThroughBytes(graph);
    return read.ok() ? "accepted" : read.error().message;
  };
  EXPECT_EQ(refusal("stride", {2, 2}), "accepted");
  for (const Integers& bad : {Integers{0, 1}, Integers{1}, Integers{1, 1, 1}, Integers{1, kMaxNodeElements + 1}}) {
    for (const std::string field : {"stride", "dilation", "input_shape"}) {
      EXPECT_THAT(refusal(field, bad), HasSubstr("field \"" + field + "\": has integers that cannot be"));
    }
  }
  EXPECT_THAT(refusal("padding", {kSamePadding, 0}), HasSubstr("integers that cannot be"));
  EXPECT_THAT(refusal("padding", {-2, -2}), HasSubstr("integers that cannot be"));
  EXPECT_THAT(refusal("groups", {0}), HasSubstr("integers that cannot be"));
}

TEST(GraphCodec, RefusesInvalidEdges) {
  EXPECT_THAT(RefusalOf([](Graph& g) { g.edges.emplace_back(3, 4); }), HasSubstr("an edge names no node"));
  EXPECT_THAT(RefusalOf([](Graph& g) { g.edges.emplace_back(2, 1); }), HasSubstr("enters the Input"));
  EXPECT_THAT(RefusalOf([](Graph& g) { g.edges.emplace_back(3, 2); }), HasSubstr("leaves the Output"));
  EXPECT_THAT(RefusalOf([](Graph& g) { std::ranges::reverse(g.edges); }),
              HasSubstr("edges are not in canonical order"));
  EXPECT_THAT(RefusalOf([](Graph& g) { g.edges.push_back(g.edges.back()); }), HasSubstr("not in canonical order"));
}

TEST(GraphCodec, RefusesAnInputOrOutputOfAnotherType) {
  EXPECT_THAT(RefusalOf([](Graph& g) { std::swap(g.inputs, g.outputs); }), HasSubstr("no Input or no Output"));
  EXPECT_THAT(RefusalOf([](Graph& g) { g.outputs = {4}; }), HasSubstr("no Input or no Output"));
  EXPECT_THAT(RefusalOf([](Graph& g) { g = {}; }), HasSubstr("no Input or no Output"));
  EXPECT_THAT(RefusalOf([](Graph& g) { g.inputs.push_back(g.inputs[0]); }), HasSubstr("no Input or no Output"));
}

TEST(GraphCodec, RefusesMoreThanTheLimits) {
  EXPECT_THAT(RefusalOf([](Graph& g) { g.nodes.resize(kMaxNodes + 1); }), HasSubstr("number of nodes"));
  EXPECT_THAT(RefusalOf([](Graph& g) { g.edges.resize(kMaxEdges + 1); }), HasSubstr("number of edges"));
}

// Claims `count` values and sends none.
TEST(GraphCodec, UsesNoMemoryForMissingValues) {
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
