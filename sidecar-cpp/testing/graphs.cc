#include "testing/graphs.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include "nir/flatten.h"
#include "testing/random_windows.h"

namespace tandem::testing {
namespace {

double Uniform(std::mt19937_64& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

std::uint64_t Pick(std::mt19937_64& random, std::uint64_t low, std::uint64_t high) {
  return std::uniform_int_distribution<std::uint64_t>(low, high)(random);
}

std::vector<double> Values(std::mt19937_64& random, std::uint64_t count, double low, double high) {
  std::vector<double> values(count);
  for (double& value : values) value = Uniform(random, low, high);
  return values;
}

// One value for all, or one for each element.
Tensor PerElement(std::mt19937_64& random, std::uint64_t elements, double low, double high) {
  return Vector(Values(random, Pick(random, 0, 3) == 0 ? 1 : elements, low, high));
}

Node RandomNode(std::mt19937_64& random, const std::string& name, NodeType type, std::uint64_t in, std::uint64_t out) {
  Node node = MakeNode(name, type, {});
  if (type == NodeType::kFlatten && Pick(random, 0, 1) == 0)
    node.integers["input_type"] = {static_cast<std::int64_t>(out)};
  const bool zero_row = Pick(random, 0, 2) == 0;
  for (const ParameterSpec& spec : ParametersOf(type)) {
    const std::string field(spec.name);
    if (spec.fallback && Pick(random, 0, 1) == 0) continue;
    if (field == "weight") {
      const double scale = Pick(random, 0, 19) == 0 ? 2e38 : 2.0 / std::sqrt(static_cast<double>(in));
      std::vector<double> values = Values(random, in * out, -scale, scale);
      for (std::uint64_t k = 0; k < values.size(); ++k) {
        // The first output often gets only zeros, to test the sign of its bias.
        const bool zero = k < in ? zero_row : Pick(random, 0, 9) == 0;
        if (zero) values[k] = Pick(random, 0, 2) == 0 ? 0.0 : -0.0;
      }
      node.parameters[field] = Matrix(out, in, std::move(values));
    } else if (field == "bias") {
      node.parameters[field] = Vector(Values(random, out, -0.3, 0.5));
      if (zero_row) node.parameters[field].values[0] = -0.0;
    } else if (spec.range == ParameterSpec::Range::kPositive) {
      node.parameters[field] = PerElement(random, out, 1.5e-3, 2e-2);
    } else if (field == "v_threshold" || field == "threshold") {
      node.parameters[field] = PerElement(random, out, 0.02, 0.3);
    } else if (field == "scale" && Pick(random, 0, 9) == 0) {
      node.parameters[field] = PerElement(random, out, 1e20, 1e38);  // overflows sooner or later
    } else if (field == "r" || field == "w_in") {
      node.parameters[field] = PerElement(random, out, 0.5, 3.0);
    } else {
      node.parameters[field] = PerElement(random, out, -0.2, 0.2);
    }
  }
  return node;
}

}  // namespace

Tensor Scalar(double value) { return {{}, {value}}; }
Tensor Vector(std::vector<double> values) {
  const std::uint64_t count = values.size();
  return {{count}, std::move(values)};
}
Tensor Matrix(std::uint64_t rows, std::uint64_t columns, std::vector<double> values) {
  return {{rows, columns}, std::move(values)};
}

Node InputNode(Integers shape, std::string name) {
  return {std::move(name), NodeType::kInput, {}, {{"shape", std::move(shape)}}};
}
Node OutputNode(Integers shape, std::string name) {
  return {std::move(name), NodeType::kOutput, {}, {{"shape", std::move(shape)}}};
}
Node InputNode(std::uint64_t elements, std::string name) {
  return InputNode(Integers{static_cast<std::int64_t>(elements)}, std::move(name));
}
Node OutputNode(std::uint64_t elements, std::string name) {
  return OutputNode(Integers{static_cast<std::int64_t>(elements)}, std::move(name));
}
Node MakeNode(std::string name, NodeType type, std::initializer_list<std::pair<const std::string, Tensor>> parameters) {
  return {std::move(name), type, parameters, {}};
}

GraphTree Chain(std::uint64_t in, std::vector<Node> nodes, std::uint64_t out) {
  GraphTree tree;
  std::string last = "input";
  for (const Node& node : nodes) {
    tree.edges.emplace_back(last, node.name);
    last = node.name;
  }
  tree.edges.emplace_back(last, "output");
  tree.nodes = std::move(nodes);
  tree.nodes.push_back(InputNode(in));
  tree.nodes.push_back(OutputNode(out));
  return tree;
}

Network Compile(const GraphTree& tree, const Manifest& manifest) {
  auto graph = Flatten(tree);
  if (!graph.ok()) throw std::runtime_error(graph.error().message);
  auto network = CompileNetwork(std::move(graph).value(), manifest);
  if (!network.ok()) throw std::runtime_error(network.error().message);
  return std::move(network).value();
}

std::uint64_t SeedOr(std::uint64_t otherwise) {
  const char* given = std::getenv("TANDEM_TEST_SEED");
  return given == nullptr ? otherwise : std::strtoull(given, nullptr, 10);
}

GraphTree RandomGraph(std::mt19937_64& random, std::uint64_t max_width) {
  // Layers of one width each: an affine node from the layer before, then elementwise nodes of that width, connected at
  // random.
  constexpr NodeType kElementwise[] = {NodeType::kScale,  NodeType::kThreshold, NodeType::kLif,
                                       NodeType::kLi,     NodeType::kIf,        NodeType::kCubaLif,
                                       NodeType::kCubaLi, NodeType::kFlatten,   NodeType::kI};
  GraphTree tree;
  std::uint64_t width = Pick(random, 1, max_width);
  std::string before = "input";
  if (Pick(random, 0, 1) == 0) {
    RandomPicture picture = MakePicture(random, "p");
    tree.nodes.push_back(InputNode(Integers(picture.input.begin(), picture.input.end())));
    for (Node& node : picture.nodes) {
      tree.edges.emplace_back(before, node.name);
      before = node.name;
      tree.nodes.push_back(std::move(node));
    }
    width = ElementsOf(picture.output);
  } else {
    tree.nodes.push_back(InputNode(width));
  }
  const std::uint64_t layers = Pick(random, 1, 3);
  for (std::uint64_t layer = 0; layer < layers; ++layer) {
    const std::uint64_t out = Pick(random, 1, max_width);
    const std::string prefix(1, static_cast<char>('a' + Pick(random, 0, 20)));
    const std::string id = prefix + std::to_string(layer);
    const NodeType weighted = Pick(random, 0, 1) == 0 ? NodeType::kLinear : NodeType::kAffine;
    tree.nodes.push_back(RandomNode(random, id + "w", weighted, width, out));
    tree.edges.emplace_back(before, id + "w");
    if (Pick(random, 0, 9) == 0) {
      tree.nodes.push_back(InputNode(width, id + "also"));
      tree.edges.emplace_back(id + "also", id + "w");
    }
    std::vector<std::string> in_layer = {id + "w"};
    const std::uint64_t count = Pick(random, 1, 4);
    for (std::uint64_t k = 0; k < count; ++k) {
      const std::string name = id + std::string(1, static_cast<char>('z' - k)) + std::to_string(k);
      const std::uint64_t kind = Pick(random, 0, 9);
      tree.nodes.push_back(kind == 9 ? RandomDelay(random, name, out, Manifest().dt)
                                     : RandomNode(random, name, kElementwise[kind], out, out));
      tree.edges.emplace_back(in_layer.back(), name);
      if (Pick(random, 0, 1) == 0) tree.edges.emplace_back(in_layer[Pick(random, 0, in_layer.size() - 1)], name);
      in_layer.push_back(name);
    }
    if (Pick(random, 0, 1) == 0) {  // a loop inside the layer, through weights or straight
      const std::string from = in_layer.back();
      const std::string to = in_layer[Pick(random, 1, in_layer.size() - 1)];
      if (Pick(random, 0, 1) == 0) {
        tree.nodes.push_back(RandomNode(random, id + "rec", NodeType::kAffine, out, out));
        tree.edges.emplace_back(from, id + "rec");
        tree.edges.emplace_back(id + "rec", to);
      } else {
        tree.edges.emplace_back(from, to);
      }
    }
    // A weighted node with a loop; it may be its own only source.
    if (Pick(random, 0, 3) == 0) {
      tree.nodes.push_back(RandomNode(random, id + "loop", NodeType::kAffine, out, out));
      tree.edges.emplace_back(id + "loop", id + "loop");
      if (Pick(random, 0, 1) == 0) tree.edges.emplace_back(in_layer[0], id + "loop");
      tree.edges.emplace_back(id + "loop", in_layer[1]);
    }
    // Two large values whose sum is too large, sooner or later.
    if (Pick(random, 0, 9) == 0) {
      for (const char* name : {"huge1", "huge2"}) {
        tree.nodes.push_back(MakeNode(id + name, NodeType::kScale, {{"scale", Scalar(Uniform(random, 1e37, 3e38))}}));
        tree.edges.emplace_back(in_layer.back(), id + name);
        tree.edges.emplace_back(id + name, id + "sum");
      }
      tree.nodes.push_back(RandomNode(random, id + "sum", NodeType::kThreshold, out, out));
      in_layer.push_back(id + "sum");
    }
    if (Pick(random, 0, 9) == 0) {
      tree.nodes.push_back(OutputNode(out, id + "out"));
      tree.edges.emplace_back(in_layer.back(), id + "out");
    }
    // Sometimes directly from the weighted node.
    before = Pick(random, 0, 4) == 0 ? in_layer.front() : in_layer.back();
    width = out;
  }
  tree.nodes.push_back(OutputNode(width));
  tree.edges.emplace_back(before, "output");
  return tree;
}

NeuronSettings RandomSettings(std::mt19937_64& random) {
  NeuronSettings settings;
  settings.reset = static_cast<Reset>(Pick(random, 0, 4));
  settings.if_gain = static_cast<IfGain>(Pick(random, 0, 1));
  if (Pick(random, 0, 2) == 0) settings.v_start = static_cast<VStart>(Pick(random, 0, 2));
  if (Pick(random, 0, 2) == 0) settings.v_min = Uniform(random, -0.3, 0.1);
  if (Pick(random, 0, 1) == 0) return settings;
  settings.decay = static_cast<Decay>(Pick(random, 0, 1));
  settings.lif_gain = static_cast<InputGain>(Pick(random, 0, 2));
  settings.synapse_gain = static_cast<InputGain>(Pick(random, 0, 2));
  settings.spikes_per_step = static_cast<SpikesPerStep>(Pick(random, 0, 1));
  settings.fire_at = static_cast<FireAt>(Pick(random, 0, 1));
  settings.emit = static_cast<Emit>(Pick(random, 0, 1));
  return settings;
}

Manifest RandomManifest(std::mt19937_64& random, const GraphTree& tree) {
  Manifest manifest;
  manifest.steps = static_cast<std::uint32_t>(Pick(random, 1, 24));
  manifest.neurons = RandomSettings(random);
  manifest.input_kind = static_cast<InputKind>(Pick(random, 0, 1));
  manifest.readout_from = static_cast<ReadoutFrom>(Pick(random, 0, 4));
  for (const Node& node : tree.nodes) {
    if (HasPotential(node.type) && Pick(random, 0, 3) == 0) manifest.nodes[node.name] = RandomSettings(random);
  }
  return manifest;
}

std::vector<float> RandomInput(std::mt19937_64& random, std::size_t elements, double zeros) {
  std::vector<float> input(elements);
  // The share of spikes among the values that are not zero: none, some or all.
  const double spikes = std::vector{0.0, 0.0, 0.6, 1.0}[Pick(random, 0, 3)];
  for (float& value : input) {
    const bool zero = Uniform(random, 0, 1) < zeros;
    const bool spike = Uniform(random, 0, 1) < spikes;
    value = zero ? 0.0f : spike ? 1.0f : static_cast<float>(Uniform(random, -1.0, 1.5));
  }
  return input;
}

GraphTree LifNet(std::uint64_t in, std::uint64_t hidden, std::uint64_t out, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto layer = [&](const std::string& name, std::uint64_t from, std::uint64_t to) {
    const double scale = 1.5 / std::sqrt(static_cast<double>(from));
    return MakeNode(name, NodeType::kAffine,
                    {{"weight", Matrix(to, from, Values(random, from * to, -scale, scale))},
                     {"bias", Vector(Values(random, to, -0.05, 0.1))}});
  };
  const auto lif = [&](const std::string& name, std::uint64_t size) {
    return MakeNode(name, NodeType::kLif,
                    {{"tau", Vector(std::vector<double>(size, 4e-3))},
                     {"r", Scalar(1.0)},
                     {"v_leak", Scalar(0.0)},
                     {"v_threshold", Scalar(0.6)}});
  };
  return Chain(in, {layer("fc1", in, hidden), lif("lif1", hidden), layer("fc2", hidden, out), lif("lif2", out)}, out);
}

}  // namespace tandem::testing
