#include "nir/own_size.h"

#include <string>
#include <utility>

#include "nir/invalid.h"

namespace tandem {
namespace {

Shape WithoutRow(Shape shape) { return shape.size() > 1 ? std::move(shape) : Shape{}; }

MaybeError CheckLimit(const Node& node, std::uint64_t elements) {
  if (elements <= kMaxNodeElements) return std::nullopt;
  return InvalidNode(node.name, "has " + std::to_string(elements) + " elements, above the limit of " +
                                    std::to_string(kMaxNodeElements));
}

MaybeError CheckBias(const Node& node, std::uint64_t out) {
  const auto bias = node.parameters.find("bias");
  if (bias == node.parameters.end()) return std::nullopt;
  const std::uint64_t elements = bias->second.values.size();
  if (elements == 1 || elements == out) return std::nullopt;
  return InvalidField(node.name, "bias",
                      "has " + std::to_string(elements) + " elements where \"weight\" has " + std::to_string(out) +
                          " rows; give one for each row");
}

Expected<OwnSize> OfShape(const Node& node) {
  const bool flatten = node.type == NodeType::kFlatten;
  const auto found = node.integers.find(flatten ? "input_type" : "shape");
  if (found == node.integers.end()) return OwnSize{};
  const Shape shape(found->second.begin(), found->second.end());
  const std::uint64_t elements = ElementsOf(shape);
  if (auto error = CheckLimit(node, elements)) return *std::move(error);
  OwnSize own{elements, elements, flatten ? Flattened(node, shape) : WithoutRow(shape), flatten};
  own.is_final = own.is_final || !own.shape.empty();
  return own;
}

// One value for all, or one for each element.
Expected<OwnSize> OfElements(const Node& node) {
  OwnSize own;
  std::string from;
  for (const auto& [field, tensor] : node.parameters) {
    const std::uint64_t elements = tensor.values.size();
    if (elements == 1) continue;
    if (own.in != 0 && own.in != elements) {
      return InvalidField(node.name, field,
                          "has " + std::to_string(elements) + " elements where \"" + from + "\" has " +
                              std::to_string(own.in) + "; give both the same, or one element");
    }
    if (own.in == 0) {
      own.shape = WithoutRow(tensor.dims);
    } else if (own.shape != tensor.dims) {
      own.shape.clear();
    }
    own.in = own.out = elements;
    from = field;
  }
  own.is_final = !own.shape.empty();
  if (auto error = CheckLimit(node, own.in)) return *std::move(error);
  return own;
}

}  // namespace

Expected<OwnSize> OwnSizeOf(const Node& node) {
  if (PassesThrough(node.type)) return OfShape(node);
  if (HasWeight(node.type)) {
    const auto& dims = node.parameters.at("weight").dims;
    for (const std::uint64_t elements : dims) {
      if (auto error = CheckLimit(node, elements)) return *std::move(error);
    }
    if (auto error = CheckBias(node, dims[0])) return *std::move(error);
    return OwnSize{dims[1], dims[0], {}, true};
  }
  if (!HasWindow(node.type)) return OfElements(node);
  if (IsConvolution(node.type)) {
    if (auto error = CheckBias(node, node.parameters.at("weight").dims[0])) return *std::move(error);
  }
  return OwnSize{};
}

Shape Flattened(const Node& node, const Shape& input) {
  const auto rank = static_cast<std::int64_t>(input.size());
  const auto dim = [&](const std::string& field, std::int64_t otherwise) {
    const auto found = node.integers.find(field);
    const std::int64_t value = found == node.integers.end() ? otherwise : found->second[0];
    return value < 0 ? value + rank : value;
  };
  const std::int64_t start = dim("start_dim", 1);
  const std::int64_t end = dim("end_dim", -1);
  if (start < 0 || start > end || end >= rank) return {};
  Shape shape(input.begin(), input.begin() + start);
  shape.push_back(ElementsOf({input.begin() + start, input.begin() + end + 1}));
  shape.insert(shape.end(), input.begin() + end + 1, input.end());
  return WithoutRow(std::move(shape));
}

}  // namespace tandem
