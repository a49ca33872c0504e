#include "testing/random_windows.h"

#include <algorithm>

#include "testing/graphs.h"

namespace tandem::testing {
namespace {

std::int64_t Pick(std::mt19937_64& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

std::vector<double> Values(std::mt19937_64& random, std::uint64_t count, double low, double high) {
  std::vector<double> values(count);
  for (double& value : values) {
    value = Pick(random, 0, 19) == 0 ? -0.0 : std::uniform_real_distribution<double>(low, high)(random);
  }
  return values;
}

Integers Numbers(std::mt19937_64& random, std::size_t count, std::int64_t low, std::int64_t high) {
  Integers numbers(count);
  for (std::int64_t& number : numbers) number = Pick(random, low, high);
  return numbers;
}

Node RandomPool(std::mt19937_64& random, const std::string& name) {
  Node pool = MakeNode(name, Pick(random, 0, 1) == 0 ? NodeType::kSumPool2d : NodeType::kAvgPool2d, {});
  pool.integers = {{"kernel_size", Numbers(random, 2, 1, 3)},
                   {"stride", Numbers(random, 2, 1, 3)},
                   {"padding", Numbers(random, 2, 0, 2)}};
  return pool;
}

Node RandomConvolution(std::mt19937_64& random, const std::string& name, const Shape& input) {
  const std::size_t axes = input.size() - 1;
  const auto channels = static_cast<std::int64_t>(input[0]);
  std::int64_t groups = Pick(random, 1, channels);
  while (channels % groups != 0) --groups;
  // A few channels in a group, a whole vector of them, and more than one vector.
  const std::int64_t group_out = std::vector<std::int64_t>{1, 2, 3, 5, 16, 19}[Pick(random, 0, groups > 2 ? 2 : 5)];
  Shape dims = {static_cast<std::uint64_t>(groups * group_out), static_cast<std::uint64_t>(channels / groups)};
  for (std::size_t axis = 0; axis < axes; ++axis) dims.push_back(Pick(random, 1, 4));
  const bool same = Pick(random, 0, 3) == 0;
  Node node = MakeNode(name, axes == 1 ? NodeType::kConv1d : NodeType::kConv2d, {});
  const double scale = Pick(random, 0, 29) == 0 ? 2e38 : 0.7;
  node.parameters["weight"] = {dims, Values(random, ElementsOf(dims), -scale, scale)};
  node.parameters["bias"] = Vector(Values(random, Pick(random, 0, 3) == 0 ? 1 : dims[0], -0.2, 0.3));
  node.integers = {{"stride", same ? Integers(axes, 1) : Numbers(random, axes, 1, 3)},
                   {"padding", same ? Integers(axes, kSamePadding) : Numbers(random, axes, 0, 3)},
                   {"dilation", Numbers(random, axes, 1, 3)},
                   {"groups", {groups}}};
  if (Pick(random, 0, 1) == 0) node.integers["input_shape"] = Integers(input.begin() + 1, input.end());
  return node;
}

Node RandomNeuron(std::mt19937_64& random, const std::string& name, const Shape& shape) {
  const std::uint64_t elements = ElementsOf(shape);
  const bool row = Pick(random, 0, 1) == 0;
  Tensor threshold{row ? Shape{elements} : shape, std::vector<double>(elements)};
  for (double& value : threshold.values) value = std::uniform_real_distribution<double>(0.02, 0.3)(random);
  return MakeNode(name, NodeType::kLif,
                  {{"tau", Scalar(3e-3)}, {"r", Scalar(1.5)}, {"v_leak", Scalar(0)}, {"v_threshold", threshold}});
}

}  // namespace

RandomPicture MakePicture(std::mt19937_64& random, const std::string& prefix) {
  RandomPicture picture;
  const bool row = Pick(random, 0, 2) == 0;
  picture.input = {static_cast<std::uint64_t>(Pick(random, 1, 4)), static_cast<std::uint64_t>(Pick(random, 1, 8))};
  if (!row) picture.input.push_back(Pick(random, 1, 7));
  Shape shape = picture.input;
  const std::int64_t wanted = Pick(random, 1, 3);
  for (int tries = 0; tries < 20 && static_cast<std::int64_t>(picture.nodes.size()) < 2 * wanted; ++tries) {
    const std::string name = prefix + std::to_string(picture.nodes.size());
    const bool pool = !row && Pick(random, 0, 2) == 0;
    Node node = pool ? RandomPool(random, name) : RandomConvolution(random, name, shape);
    const auto window = WindowOf(node, shape);
    if (!window.ok() || ElementsOf(OutputShape(node, window.value())) > 700) continue;
    shape = OutputShape(node, window.value());
    picture.nodes.push_back(std::move(node));
    if (Pick(random, 0, 1) == 0) picture.nodes.push_back(RandomNeuron(random, name + "n", shape));
  }
  picture.output = shape;
  return picture;
}

Node RandomDelay(std::mt19937_64& random, const std::string& name, std::uint64_t elements, double dt) {
  std::vector<double> delays(Pick(random, 0, 2) == 0 ? 1 : elements);
  const std::int64_t most = Pick(random, 0, 6);
  for (double& delay : delays) delay = (static_cast<double>(Pick(random, 0, most)) + (most == 0 ? 0 : 0.5)) * dt;
  return MakeNode(name, NodeType::kDelay, {{"delay", Vector(std::move(delays))}});
}

}  // namespace tandem::testing
