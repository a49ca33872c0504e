// The run settings of a model, which NIR does not define. Read from `model.yaml`.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "kernels/neuron.h"

namespace tandem {

// The numbers are part of the model's identity (proto/NUMERICS.md, `model_id`) and must not change.
enum class Reset : std::uint8_t { kValue = 0, kSubtract = 1, kSubtractDelayed = 2, kValueDelayed = 3, kNone = 4 };
enum class IfGain : std::uint8_t { kDt = 0, kUnit = 1 };
enum class InputKind : std::uint8_t { kConstant = 0, kSeries = 1 };
enum class ReadoutFrom : std::uint8_t {
  kSpikeCount = 0,
  kMeanPotential = 1,
  kLastPotential = 2,
  kMaxPotential = 3,
  kFirstSpike = 4
};
enum class Decay : std::uint8_t { kEuler = 0, kExponential = 1 };
enum class SpikesPerStep : std::uint8_t { kSingle = 0, kMultiple = 1 };
enum class FireAt : std::uint8_t { kAbove = 0, kReached = 1 };
enum class Emit : std::uint8_t { kSameStep = 0, kNextStep = 1 };
enum class VStart : std::uint8_t { kZero = 0, kLeak = 1, kReset = 2 };

inline constexpr double kNoVMin = -std::numeric_limits<double>::infinity();

// The conventions of neurons that NIR does not define (proto/NUMERICS.md, "Conventions"), for a model or for one node.
struct NeuronSettings {
  Reset reset = Reset::kValue;
  IfGain if_gain = IfGain::kDt;
  bool if_gain_given = false;  // the default is a guess, so a load warns
  Decay decay = Decay::kEuler;
  InputGain lif_gain = InputGain::kDt;      // of LIF, LI and the membrane of CubaLIF, CubaLI
  InputGain synapse_gain = InputGain::kDt;  // of the synapse of CubaLIF, CubaLI
  SpikesPerStep spikes_per_step = SpikesPerStep::kSingle;
  FireAt fire_at = FireAt::kAbove;
  Emit emit = Emit::kSameStep;
  VStart v_start = VStart::kZero;
  double v_min = kNoVMin;

  [[nodiscard]] bool resets_delayed() const {
    return reset == Reset::kSubtractDelayed || reset == Reset::kValueDelayed;
  }
  [[nodiscard]] bool resets_to_value() const { return reset == Reset::kValue || reset == Reset::kValueDelayed; }
};

inline constexpr std::uint32_t kMaxSteps = 100000;

struct Manifest {
  std::string name;                             // default: the folder's name
  double dt = 1e-3;                             // seconds, > 0
  std::uint32_t steps = 16;                     // of a constant input; 1 to kMaxSteps
  NeuronSettings neurons;                       // for every node that `nodes` does not name
  std::map<std::string, NeuronSettings> nodes;  // by the node's name, after flattening
  std::vector<std::uint32_t> input_shape;       // empty: not given
  InputKind input_kind = InputKind::kConstant;
  std::string readout_node;  // empty: the root Output
  ReadoutFrom readout_from = ReadoutFrom::kSpikeCount;
  std::optional<std::uint32_t> labels;  // number of labels, if they are listed
  std::string labels_file;              // beside model.yaml; empty: none
  std::string tokenizer_file;           // the same
  std::string golden_file;              // the same

  [[nodiscard]] const NeuronSettings& SettingsOf(const std::string& node) const {
    const auto found = nodes.find(node);
    return found == nodes.end() ? neurons : found->second;
  }
};

// The defaults of model.yaml, on one line.
std::string DefaultSettings();

// Unknown keys and bad values are errors that name the key. `temperature`, `encoder` and `events` are for the router:
// accepted here, but not checked.
Expected<Manifest> ParseManifest(const std::string& text);

}  // namespace tandem
