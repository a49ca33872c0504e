// Hand-made and random graphs, without a file.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/manifest.h"
#include "engine/network.h"
#include "nir/graph.h"

namespace tandem::testing {

Tensor Scalar(double value);
Tensor Vector(std::vector<double> values);
Tensor Matrix(std::uint64_t rows, std::uint64_t columns, std::vector<double> values);

Node InputNode(Integers shape, std::string name = "input");
Node OutputNode(Integers shape, std::string name = "output");
Node InputNode(std::uint64_t elements, std::string name = "input");
Node OutputNode(std::uint64_t elements, std::string name = "output");
Node MakeNode(std::string name, NodeType type, std::initializer_list<std::pair<const std::string, Tensor>> parameters);

// input -> each node in turn -> output.
GraphTree Chain(std::uint64_t in, std::vector<Node> nodes, std::uint64_t out);

// Compiles a valid graph; throws std::runtime_error with the error if it is not valid.
Network Compile(const GraphTree& tree, const Manifest& manifest);

// A seed for a random test: the environment's TANDEM_TEST_SEED, else `otherwise`.
std::uint64_t SeedOr(std::uint64_t otherwise);

// A valid graph of every node type, with loops, sums and delayed edges, of widths up to `max_width`.
GraphTree RandomGraph(std::mt19937_64& random, std::uint64_t max_width);

// A manifest that fits `tree`: random except for the sizes, with separate settings for some neurons.
Manifest RandomManifest(std::mt19937_64& random, const GraphTree& tree);

// Input data in the range of ordinary inputs, some of it zero.
std::vector<float> RandomInput(std::mt19937_64& random, std::size_t elements, double zeros);

// A network of LIF neurons: in -> hidden -> out, with random weights and an activity of a few per cent.
GraphTree LifNet(std::uint64_t in, std::uint64_t hidden, std::uint64_t out, std::uint64_t seed);

}  // namespace tandem::testing
