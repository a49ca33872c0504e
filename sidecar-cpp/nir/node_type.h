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
  std::optional<double> fallback;  // value where the file has none; none: required
  enum class Range : std::uint8_t { kAny, kPositive, kNotNegative } range = Range::kAny;

  // Of the range, for an error: "> 0".
  [[nodiscard]] std::string_view range_text() const { return range == Range::kPositive ? "> 0" : ">= 0"; }
  [[nodiscard]] bool InRange(double number) const {
    return range == Range::kAny || (range == Range::kPositive ? number > 0 : number >= 0);
  }
};

// Dimensions that one `shape` may have.
inline constexpr std::size_t kMaxRank = 32;
// In the place of a Conv's padding: as much as keeps the size.
inline constexpr std::int64_t kSamePadding = -1;

// A field of whole numbers. Those that have a count hold exactly so many; a file may give one for all.
struct IntegerSpec {
  std::string_view name;
  std::int64_t min;
  std::int64_t max;
  std::size_t count = 0;  // 0: dimensions, from 1 to kMaxRank
  bool required = true;
  bool may_be_same = false;  // the text "same" or "valid" is allowed, too
};

// NIR's name of the type, as in a node's `type` dataset.
std::string_view NameOf(NodeType type);

// nullopt: no such type.
std::optional<NodeType> NodeTypeFromName(std::string_view name);

// All names, for error messages: "Affine, CubaLI, …".
std::string_view KnownTypeNames();

std::span<const ParameterSpec> ParametersOf(NodeType type);

std::span<const IntegerSpec> IntegersOf(NodeType type);

// Input, Output, Flatten: y = x.
bool PassesThrough(NodeType type);

// Linear, Affine: has a weight matrix, so that its input and output sizes may differ.
bool HasWeight(NodeType type);

bool IsConvolution(NodeType type);

// Conv1d, Conv2d, SumPool2d, AvgPool2d: what it puts out follows from the shape of its input.
bool HasWindow(NodeType type);

// Dimensions of the type's `weight`; 0: it has none.
std::size_t RankOfWeight(NodeType type);

// Puts out zeros and ones that count as spikes of a neuron.
bool IsSpikingNeuron(NodeType type);

// Has a membrane potential.
bool HasPotential(NodeType type);

// Has a synaptic current.
bool HasCurrent(NodeType type);

}  // namespace tandem
