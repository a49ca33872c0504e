#include "engine/manifest.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <sstream>
#include <string_view>

#include "base/text.h"

namespace tandem {
namespace {

constexpr std::size_t kMaxManifestBytes = std::size_t{1} << 20;

// Carries an error out of the parse; never leaves this file.
struct Refused {
  Error error;
};

[[noreturn]] void Refuse(const std::string& key, const std::string& what) {
  throw Refused{{Code::kInvalidArgument,
                 "MODEL_INVALID",
                 "model.yaml: key \"" + Printable(key) + "\": " + what,
                 {{"field", Printable(key)}}}};
}

void CheckKeys(const YAML::Node& map, const std::string& path, std::initializer_list<std::string_view> known) {
  std::vector<std::string> seen;
  for (const auto& entry : map) {
    if (!entry.first.IsScalar()) Refuse(path, "its keys must be words");
    const std::string& key = entry.first.Scalar();
    if (std::ranges::find(known, key) == known.end()) {
      std::string names;
      for (const std::string_view name : known) names += (names.empty() ? "" : ", ") + std::string(name);
      Refuse(path + key, "is not known here; known are " + names);
    }
    if (std::ranges::find(seen, key) != seen.end()) Refuse(path + key, "is given twice");
    seen.push_back(key);
  }
}

const std::string& Word(const YAML::Node& node, const std::string& key) {
  if (!node.IsScalar()) Refuse(key, "must be a single value");
  return node.Scalar();
}

double PositiveNumber(const YAML::Node& node, const std::string& key) {
  const std::string& word = Word(node, key);
  double value = 0;
  if (!YAML::convert<double>::decode(node, value) || !std::isfinite(value) || !(value > 0)) {
    Refuse(key, "must be a number > 0, found \"" + Printable(word) + "\"");
  }
  return value;
}

std::uint32_t WholeNumber(const YAML::Node& node, const std::string& key, std::uint32_t max) {
  const std::string& word = Word(node, key);
  const bool digits = !word.empty() && word.size() <= 10 && word.find_first_not_of("0123456789") == word.npos;
  const std::uint64_t value = digits ? std::stoull(word) : 0;
  if (value < 1 || value > max) {
    Refuse(key, "must be a whole number from 1 to " + std::to_string(max) + ", found \"" + Printable(word) + "\"");
  }
  return static_cast<std::uint32_t>(value);
}

// The position of the word among `choices`, as the enum whose values they name.
template <typename Enum, std::size_t kCount>
Enum OneOf(const YAML::Node& node, const std::string& key, const std::array<std::string_view, kCount>& choices) {
  const std::string& word = Word(node, key);
  const auto at = std::ranges::find(choices, word);
  if (at == choices.end()) {
    std::string names;
    for (const std::string_view choice : choices) names += (names.empty() ? "" : ", ") + std::string(choice);
    Refuse(key, "must be one of " + names + "; found \"" + Printable(word) + "\"");
  }
  return static_cast<Enum>(at - choices.begin());
}

void ReadInput(const YAML::Node& input, Manifest& manifest) {
  if (!input.IsMap()) Refuse("input", "must be a map");
  CheckKeys(input, "input.", {"shape", "kind"});
  if (const YAML::Node kind = input["kind"]) {
    manifest.input_kind = OneOf<InputKind>(kind, "input.kind", std::array<std::string_view, 2>{"constant", "series"});
  }
  const YAML::Node shape = input["shape"];
  if (!shape) return;
  if (!shape.IsSequence() || shape.size() == 0 || shape.size() > 8) {
    Refuse("input.shape", "must be a list of 1 to 8 whole numbers");
  }
  for (const YAML::Node& dim : shape) {
    manifest.input_shape.push_back(WholeNumber(dim, "input.shape", 1048576));
  }
}

void ReadReadout(const YAML::Node& readout, Manifest& manifest) {
  if (!readout.IsMap()) Refuse("readout", "must be a map");
  CheckKeys(readout, "readout.", {"node", "from"});
  if (const YAML::Node node = readout["node"]) manifest.readout_node = Word(node, "readout.node");
  if (const YAML::Node from = readout["from"]) {
    manifest.readout_from =
        OneOf<ReadoutFrom>(from, "readout.from",
                           std::array<std::string_view, 5>{"spike_count", "mean_potential", "last_potential",
                                                           "max_potential", "first_spike"});
  }
}

void ReadConventions(const YAML::Node& root, Manifest& manifest) {
  Conventions& to = manifest.conventions;
  const std::array<std::string_view, 3> gains{"dt", "unit", "decayed"};
  if (const YAML::Node decay = root["decay"]) {
    to.decay = OneOf<Decay>(decay, "decay", std::array<std::string_view, 2>{"euler", "exponential"});
  }
  if (const YAML::Node gain = root["lif_gain"]) to.lif_gain = OneOf<InputGain>(gain, "lif_gain", gains);
  if (const YAML::Node gain = root["synapse_gain"]) to.synapse_gain = OneOf<InputGain>(gain, "synapse_gain", gains);
  if (const YAML::Node spikes = root["spikes_per_step"]) {
    to.spikes_per_step =
        OneOf<SpikesPerStep>(spikes, "spikes_per_step", std::array<std::string_view, 2>{"single", "multiple"});
  }
  if (const YAML::Node fire = root["fire_at"]) {
    to.fire_at = OneOf<FireAt>(fire, "fire_at", std::array<std::string_view, 2>{"above", "reached"});
  }
  if (const YAML::Node emit = root["emit"]) {
    to.emit = OneOf<Emit>(emit, "emit", std::array<std::string_view, 2>{"same_step", "next_step"});
  }
}

Manifest Read(const YAML::Node& root) {
  Manifest manifest;
  if (root.IsNull()) return manifest;
  if (!root.IsMap()) Refuse("", "the file must be a map of keys");
  CheckKeys(root, "", {"name",     "dt",           "steps",   "reset",           "if_gain",
                       "lif_gain", "synapse_gain", "decay",   "spikes_per_step", "fire_at",
                       "emit",     "input",        "readout", "labels",          "temperature",
                       "golden",   "tokenizer",    "vote",    "encoder",         "events"});
  if (const YAML::Node name = root["name"]) {
    manifest.name = Word(name, "name");
    if (manifest.name.empty() || manifest.name.size() > 128 || Printable(manifest.name) != manifest.name) {
      Refuse("name", "must be 1 to 128 bytes of UTF-8 text");
    }
  }
  if (const YAML::Node dt = root["dt"]) manifest.dt = PositiveNumber(dt, "dt");
  if (const YAML::Node steps = root["steps"]) manifest.steps = WholeNumber(steps, "steps", kMaxSteps);
  if (const YAML::Node reset = root["reset"]) {
    manifest.reset = OneOf<Reset>(
        reset, "reset", std::array<std::string_view, 4>{"value", "subtract", "subtract_delayed", "value_delayed"});
  }
  if (const YAML::Node gain = root["if_gain"]) {
    manifest.if_gain = OneOf<IfGain>(gain, "if_gain", std::array<std::string_view, 2>{"dt", "unit"});
    manifest.if_gain_given = true;
  }
  ReadConventions(root, manifest);
  if (const YAML::Node labels = root["labels"]; labels && labels.IsSequence()) {
    manifest.labels = static_cast<std::uint32_t>(labels.size());
  } else if (labels && labels.IsScalar() && labels.Scalar().find('/') == std::string::npos) {
    manifest.labels_file = labels.Scalar();
  }
  if (const YAML::Node tokenizer = root["tokenizer"];
      tokenizer && tokenizer.IsScalar() && tokenizer.Scalar().find('/') == std::string::npos) {
    manifest.tokenizer_file = tokenizer.Scalar();
  }
  if (const YAML::Node input = root["input"]) ReadInput(input, manifest);
  if (const YAML::Node readout = root["readout"]) ReadReadout(readout, manifest);
  return manifest;
}

}  // namespace

std::string DefaultSettings() {
  const Manifest defaults;
  std::ostringstream text;
  text
      << "dt " << defaults.dt << ", steps " << defaults.steps
      << ", reset value, if_gain dt, lif_gain dt, synapse_gain dt, decay euler, spikes_per_step single, fire_at above, "
         "emit same_step, input.kind constant, readout.from spike_count, temperature 1";
  return text.str();
}

Expected<Manifest> ParseManifest(const std::string& text) {
  if (text.size() > kMaxManifestBytes) {
    return Error{Code::kInvalidArgument, "MODEL_INVALID", "model.yaml: larger than the limit of 1 MiB", {}};
  }
  try {
    return Read(YAML::Load(text));
  } catch (const Refused& refused) {
    return refused.error;
  } catch (const YAML::Exception& exception) {
    return Error{Code::kInvalidArgument, "MODEL_INVALID", "model.yaml: " + Printable(exception.what()), {}};
  }
}

}  // namespace tandem
