// The node types an engine runs and the parameters each has in a NIR file.
#pragma once

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
};

struct ParameterSpec {
  std::string_view name;
  std::optional<double> fallback;  // value where the file has none; none: required
  bool positive = false;           // every element must be > 0
};

// NIR's name of the type, as in a node's `type` dataset.
std::string_view NameOf(NodeType type);

// nullopt: no such type.
std::optional<NodeType> NodeTypeFromName(std::string_view name);

// All names, for error messages: "Affine, CubaLI, …".
std::string_view KnownTypeNames();

std::span<const ParameterSpec> ParametersOf(NodeType type);

// Input, Output, Flatten: y = x.
bool PassesThrough(NodeType type);

// Linear, Affine: has a weight matrix, so that its input and output sizes may differ.
bool HasWeight(NodeType type);

// Puts out zeros and ones that count as spikes of a neuron.
bool IsSpikingNeuron(NodeType type);

// Has a membrane potential.
bool HasPotential(NodeType type);

// Has a synaptic current.
bool HasCurrent(NodeType type);

}  // namespace tandem
