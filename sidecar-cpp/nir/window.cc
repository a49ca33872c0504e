#include "nir/window.h"

#include <algorithm>
#include <string>

#include "base/text.h"
#include "nir/invalid.h"

namespace tandem {
namespace {

// Above every limit, and its square below 2^64.
constexpr std::uint64_t kTooMany = std::uint64_t{1} << 31;
// Elements from the first to the last one that an output reads. A padded input is never longer.
constexpr std::uint64_t kMaxWindow = 4 * kMaxNodeElements;

std::uint64_t At(const Node& node, const std::string& field, std::size_t axis, std::uint64_t otherwise) {
  const auto found = node.integers.find(field);
  return found == node.integers.end() ? otherwise : static_cast<std::uint64_t>(found->second[axis]);
}

// All numbers are at most 2^20, so nothing below overflows.
Expected<Axis> MakeAxis(const Node& node, std::size_t axis, std::uint64_t in, std::uint64_t kernel) {
  const std::uint64_t stride = At(node, "stride", axis, 1);
  const std::uint64_t dilation = At(node, "dilation", axis, 1);
  const bool same = node.integers.at("padding")[axis] == kSamePadding;
  const std::uint64_t reach = dilation * (kernel - 1) + 1;
  if (same && stride != 1) {
    return InvalidField(node.name, "padding", "\"same\" needs a stride of 1, found " + std::to_string(stride));
  }
  const std::uint64_t before = same ? (reach - 1) / 2 : At(node, "padding", axis, 0);
  const std::uint64_t padded = same ? in + reach - 1 : in + 2 * before;
  if (padded < reach) {
    return InvalidField(node.name, IsConvolution(node.type) ? "weight" : "kernel_size",
                        "its window reaches over " + std::to_string(reach) + " elements where the padded input has " +
                            std::to_string(padded));
  }
  const std::uint64_t out = (padded - reach) / stride + 1;
  if (out > kMaxNodeElements || reach > kMaxWindow) {
    return InvalidField(node.name, out > kMaxNodeElements ? "padding" : "dilation",
                        "gives an output of " + std::to_string(out) + " elements and a window of " +
                            std::to_string(reach) + ", above the limits of " + std::to_string(kMaxNodeElements) +
                            " and " + std::to_string(kMaxWindow));
  }
  const auto number = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
  return Axis{number(in), number(out), number(kernel), number(stride), number(dilation), number(before)};
}

}  // namespace

std::string Shown(const Shape& shape) {
  std::string text;
  for (const std::uint64_t dim : shape) text += (text.empty() ? "" : ", ") + std::to_string(dim);
  return "[" + text + "]";
}

std::uint64_t ElementsOf(const Shape& shape) {
  std::uint64_t product = 1;
  for (const std::uint64_t dim : shape) product = std::min(product * std::min(dim, kTooMany), kTooMany);
  return product;
}

Shape OwnInputShape(const Node& node) {
  const auto found = node.integers.find("input_shape");
  if (!IsConvolution(node.type) || found == node.integers.end()) return {};
  const auto groups = static_cast<std::uint64_t>(node.integers.at("groups")[0]);
  Shape shape = {node.parameters.at("weight").dims[1] * groups};
  shape.insert(shape.end(), found->second.begin(), found->second.end());
  return shape;
}

Expected<Window> WindowOf(const Node& node, Shape input) {
  const std::size_t rank = node.type == NodeType::kConv1d ? 2 : 3;
  const Shape given = input;
  while (input.size() > rank && input[0] == 1) input.erase(input.begin());  // a batch of one
  if (input.size() != rank) {
    return InvalidField(node.name, "edges",
                        "takes an input of " + std::to_string(rank) + " dimensions, channels first, found " +
                            Shown(given) + "; give the nodes before it their shape");
  }
  Window window;
  window.in_channels = static_cast<std::uint32_t>(input[0]);
  Shape kernel;
  if (IsConvolution(node.type)) {
    const Shape& weight = node.parameters.at("weight").dims;  // [out, in / groups, …]
    const auto groups = static_cast<std::uint64_t>(node.integers.at("groups")[0]);
    if (weight[0] % groups != 0) {
      return InvalidField(node.name, "groups",
                          "must divide the " + std::to_string(weight[0]) + " output channels of \"weight\", found " +
                              std::to_string(groups));
    }
    if (weight[1] * groups != input[0]) {
      return InvalidField(
          node.name, "weight",
          "takes " + std::to_string(weight[1] * groups) + " channels, but the input has the shape " + Shown(input));
    }
    window.groups = static_cast<std::uint32_t>(groups);
    window.out_channels = static_cast<std::uint32_t>(weight[0]);
    kernel.assign(weight.begin() + 2, weight.end());
  } else {
    window.groups = window.out_channels = window.in_channels;
    for (const std::int64_t size : node.integers.at("kernel_size")) kernel.push_back(static_cast<std::uint64_t>(size));
  }
  for (std::size_t axis = 0; axis < kernel.size(); ++axis) {
    auto made = MakeAxis(node, axis, input[axis + 1], kernel[axis]);
    if (!made.ok()) return made.error();
    (axis + 1 == kernel.size() ? window.columns : window.rows) = made.value();
  }
  const std::uint64_t elements = ElementsOf({window.out_channels, window.rows.out, window.columns.out});
  const std::uint64_t kernel_size = ElementsOf(kernel);
  if (elements > kMaxNodeElements) {
    return InvalidNode(node.name, "puts out " + std::to_string(elements) + " elements, above the limit of " +
                                      std::to_string(kMaxNodeElements));
  }
  const std::uint64_t additions = elements * kernel_size * (IsConvolution(node.type) ? window.group_in() : 1);
  if (additions > kMaxWindowAdditions) {
    return InvalidNode(node.name, "may add up " + std::to_string(additions) + " numbers a step, above the limit of " +
                                      std::to_string(kMaxWindowAdditions));
  }
  return window;
}

Shape OutputShape(const Node& node, const Window& window) {
  if (node.type == NodeType::kConv1d) return {window.out_channels, window.columns.out};
  return {window.out_channels, window.rows.out, window.columns.out};
}

}  // namespace tandem
