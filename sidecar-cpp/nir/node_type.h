// The node types an engine runs and the parameters each has in a NIR file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tandem {

enum class NodeType {
  kInput,
  kOutput,
  kFlatten,
  kLinear,
  kAffine,
  kScale,
  kThreshold,
  kLif,
  kLi,
  kIf,
  kCubaLif,
  kCubaLi,
  kI,
  kConv1d,
  kConv2d,
  kSumPool2d,
  kAvgPool2d,
  kDelay,
};
inline constexpr NodeType kLastNodeType = NodeType::kDelay;

struct ParameterSpec {
  std::string_view name;
  std::optional<double> fallback;  // default if the file has none; nullopt: required
  enum class Range : std::uint8_t { kAny, kPositive, kNotNegative } range = Range::kAny;

  // The range as text for an error: "> 0".
  [[nodiscard]] std::string_view range_text() const { return range == Range::kPositive ? "> 0" : ">= 0"; }
  [[nodiscard]] bool InRange(double number) const {
    return range == Range::kAny || (range == Range::kPositive ? number > 0 : number >= 0);
  }
};

// Maximum number of dimensions of a `shape`.
inline constexpr std::size_t kMaxRank = 32;
// Stands for the padding of a Conv that keeps the size ("same").
inline constexpr std::int64_t kSamePadding = -1;

// A field of integers. A field with a count has exactly so many; a file may give one number for all.
struct IntegerSpec {
  std::string_view name;
  std::int64_t min;
  std::int64_t max;
  std::size_t count = 0;  // 0: dimensions, from 1 to kMaxRank
  bool required = true;
  bool may_be_same = false;  // the text "same" or "valid" is allowed, too
};

// NIR's name of the type, as in the `type` dataset of a node.
std::string_view NameOf(NodeType type);

// nullopt if the type is unknown.
std::optional<NodeType> NodeTypeFromName(std::string_view name);

// All names, for error messages: "Affine, CubaLI, …".
std::string_view KnownTypeNames();

std::span<const ParameterSpec> ParametersOf(NodeType type);

std::span<const IntegerSpec> IntegersOf(NodeType type);

// Input, Output, Flatten: y = x.
bool PassesThrough(NodeType type);

// Linear, Affine: has a weight matrix, so its input and output sizes may differ.
bool HasWeight(NodeType type);

bool IsConvolution(NodeType type);

// Conv1d, Conv2d, SumPool2d, AvgPool2d: its output depends on the shape of its input.
bool HasWindow(NodeType type);

// Dimensions of the type's `weight`; 0: it has none.
std::size_t RankOfWeight(NodeType type);

// Its output is spikes of neurons: zeros and ones.
bool IsSpikingNeuron(NodeType type);

// Has a membrane potential.
bool HasPotential(NodeType type);

// Has a synaptic current.
bool HasCurrent(NodeType type);

}  // namespace tandem
