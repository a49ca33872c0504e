#include "nir/node_type.h"

#include <array>
#include <utility>

namespace tandem {
namespace {

constexpr std::array<std::pair<std::string_view, NodeType>, 18> kNames = {{
    {"Affine", NodeType::kAffine},
    {"AvgPool2d", NodeType::kAvgPool2d},
    {"Conv1d", NodeType::kConv1d},
    {"Conv2d", NodeType::kConv2d},
    {"CubaLI", NodeType::kCubaLi},
    {"CubaLIF", NodeType::kCubaLif},
    {"Delay", NodeType::kDelay},
    {"Flatten", NodeType::kFlatten},
    {"I", NodeType::kI},
    {"IF", NodeType::kIf},
    {"Input", NodeType::kInput},
    {"LI", NodeType::kLi},
    {"LIF", NodeType::kLif},
    {"Linear", NodeType::kLinear},
    {"Output", NodeType::kOutput},
    {"Scale", NodeType::kScale},
    {"SumPool2d", NodeType::kSumPool2d},
    {"Threshold", NodeType::kThreshold},
}};

using Range = ParameterSpec::Range;

constexpr ParameterSpec Required(std::string_view name) { return {name, std::nullopt, Range::kAny}; }
constexpr ParameterSpec Positive(std::string_view name) { return {name, std::nullopt, Range::kPositive}; }
constexpr ParameterSpec Optional(std::string_view name, double fallback) { return {name, fallback, Range::kAny}; }

constexpr std::array kLinear = {Required("weight")};
constexpr std::array kAffine = {Required("weight"), Required("bias")};
constexpr std::array kI = {Required("r")};
constexpr std::array kDelay = {ParameterSpec{"delay", std::nullopt, Range::kNotNegative}};
constexpr std::array kScale = {Required("scale")};
constexpr std::array kThreshold = {Required("threshold")};
constexpr std::array kLif = {Positive("tau"), Required("r"), Required("v_leak"), Required("v_threshold"),
                             Optional("v_reset", 0.0)};
constexpr std::array kLi = {Positive("tau"), Required("r"), Required("v_leak")};
constexpr std::array kIf = {Required("r"), Required("v_threshold"), Optional("v_reset", 0.0)};
constexpr std::array kCubaLif = {Positive("tau_syn"),     Positive("tau_mem"),     Required("r"),
                                 Required("v_leak"),      Required("v_threshold"), Optional("w_in", 1.0),
                                 Optional("v_reset", 0.0)};
constexpr std::array kCubaLi = {Positive("tau_syn"), Positive("tau_mem"), Required("r"), Required("v_leak"),
                                Optional("w_in", 1.0)};

// The largest size within the limits.
constexpr std::int64_t kMaxSize = 1048576;

constexpr std::array kShape = {IntegerSpec{"shape", 1, kMaxSize}};
constexpr std::array kFlatten = {IntegerSpec{"input_type", 1, kMaxSize, 0, false},
                                 IntegerSpec{"start_dim", -std::int64_t{kMaxRank}, kMaxRank, 1, false},
                                 IntegerSpec{"end_dim", -std::int64_t{kMaxRank}, kMaxRank, 1, false}};

constexpr auto Convolution(std::size_t axes) {
  return std::array{IntegerSpec{"input_shape", 1, kMaxSize, axes, false}, IntegerSpec{"stride", 1, kMaxSize, axes},
                    IntegerSpec{"padding", 0, kMaxSize, axes, true, true}, IntegerSpec{"dilation", 1, kMaxSize, axes},
                    IntegerSpec{"groups", 1, kMaxSize, 1}};
}
constexpr auto kConv1d = Convolution(1);
constexpr auto kConv2d = Convolution(2);
constexpr std::array kPool2d = {IntegerSpec{"kernel_size", 1, kMaxSize, 2}, IntegerSpec{"stride", 1, kMaxSize, 2},
                                IntegerSpec{"padding", 0, kMaxSize, 2}};

}  // namespace

std::string_view NameOf(NodeType type) {
  for (const auto& [name, known] : kNames) {
    if (known == type) return name;
  }
  return "?";
}

std::optional<NodeType> NodeTypeFromName(std::string_view name) {
  for (const auto& [known, type] : kNames) {
    if (known == name) return type;
  }
  return std::nullopt;
}

std::string_view KnownTypeNames() {
  return "Affine, AvgPool2d, Conv1d, Conv2d, CubaLI, CubaLIF, Delay, Flatten, I, IF, Input, LI, LIF, Linear, NIRGraph, "
         "Output, Scale, SumPool2d, Threshold";
}

std::span<const ParameterSpec> ParametersOf(NodeType type) {
  switch (type) {
    case NodeType::kLinear:
      return kLinear;
    case NodeType::kAffine:
    case NodeType::kConv1d:
    case NodeType::kConv2d:
      return kAffine;
    case NodeType::kI:
      return kI;
    case NodeType::kDelay:
      return kDelay;
    case NodeType::kScale:
      return kScale;
    case NodeType::kThreshold:
      return kThreshold;
    case NodeType::kLif:
      return kLif;
    case NodeType::kLi:
      return kLi;
    case NodeType::kIf:
      return kIf;
    case NodeType::kCubaLif:
      return kCubaLif;
    case NodeType::kCubaLi:
      return kCubaLi;
    case NodeType::kInput:
    case NodeType::kOutput:
    case NodeType::kFlatten:
    case NodeType::kSumPool2d:
    case NodeType::kAvgPool2d:
      return {};
  }
  return {};
}

std::span<const IntegerSpec> IntegersOf(NodeType type) {
  switch (type) {
    case NodeType::kInput:
    case NodeType::kOutput:
      return kShape;
    case NodeType::kFlatten:
      return kFlatten;
    case NodeType::kConv1d:
      return kConv1d;
    case NodeType::kConv2d:
      return kConv2d;
    case NodeType::kSumPool2d:
    case NodeType::kAvgPool2d:
      return kPool2d;
    default:
      return {};
  }
}

bool PassesThrough(NodeType type) {
  return type == NodeType::kInput || type == NodeType::kOutput || type == NodeType::kFlatten;
}

bool HasWeight(NodeType type) { return type == NodeType::kLinear || type == NodeType::kAffine; }

bool IsConvolution(NodeType type) { return type == NodeType::kConv1d || type == NodeType::kConv2d; }

bool HasWindow(NodeType type) {
  return IsConvolution(type) || type == NodeType::kSumPool2d || type == NodeType::kAvgPool2d;
}

std::size_t RankOfWeight(NodeType type) {
  return HasWeight(type) ? 2 : type == NodeType::kConv1d ? 3 : type == NodeType::kConv2d ? 4 : 0;
}

bool IsSpikingNeuron(NodeType type) {
  return type == NodeType::kLif || type == NodeType::kIf || type == NodeType::kCubaLif;
}

bool HasPotential(NodeType type) {
  return IsSpikingNeuron(type) || type == NodeType::kLi || type == NodeType::kCubaLi || type == NodeType::kI;
}

bool HasCurrent(NodeType type) { return type == NodeType::kCubaLif || type == NodeType::kCubaLi; }

}  // namespace tandem
