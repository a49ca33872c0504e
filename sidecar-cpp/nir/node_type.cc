#include "nir/node_type.h"

#include <array>
#include <utility>

namespace tandem {
namespace {

constexpr std::array<std::pair<std::string_view, NodeType>, 12> kNames = {{
    {"Affine", NodeType::kAffine},
    {"CubaLI", NodeType::kCubaLi},
    {"CubaLIF", NodeType::kCubaLif},
    {"Flatten", NodeType::kFlatten},
    {"IF", NodeType::kIf},
    {"Input", NodeType::kInput},
    {"LI", NodeType::kLi},
    {"LIF", NodeType::kLif},
    {"Linear", NodeType::kLinear},
    {"Output", NodeType::kOutput},
    {"Scale", NodeType::kScale},
    {"Threshold", NodeType::kThreshold},
}};

constexpr ParameterSpec Required(std::string_view name) { return {name, std::nullopt, false}; }
constexpr ParameterSpec Positive(std::string_view name) { return {name, std::nullopt, true}; }
constexpr ParameterSpec Optional(std::string_view name, double fallback) { return {name, fallback, false}; }

constexpr std::array kLinear = {Required("weight")};
constexpr std::array kAffine = {Required("weight"), Required("bias")};
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
  return "Affine, CubaLI, CubaLIF, Flatten, IF, Input, LI, LIF, Linear, NIRGraph, Output, Scale, Threshold";
}

std::span<const ParameterSpec> ParametersOf(NodeType type) {
  switch (type) {
    case NodeType::kLinear:
      return kLinear;
    case NodeType::kAffine:
      return kAffine;
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
      return {};
  }
  return {};
}

bool PassesThrough(NodeType type) {
  return type == NodeType::kInput || type == NodeType::kOutput || type == NodeType::kFlatten;
}

bool HasWeight(NodeType type) { return type == NodeType::kLinear || type == NodeType::kAffine; }

bool IsSpikingNeuron(NodeType type) {
  return type == NodeType::kLif || type == NodeType::kIf || type == NodeType::kCubaLif;
}

bool HasPotential(NodeType type) { return IsSpikingNeuron(type) || type == NodeType::kLi || type == NodeType::kCubaLi; }

bool HasCurrent(NodeType type) { return type == NodeType::kCubaLif || type == NodeType::kCubaLi; }

}  // namespace tandem
