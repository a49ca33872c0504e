#include "engine/manifest.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <sstream>
#include <string_view>
#include <type_traits>

#include "base/text.h"

namespace tandem {
namespace {

constexpr std::size_t kMaxManifestBytes = std::size_t{1} << 20;

// The exception for an error while parsing; it never leaves this file.
struct Refused {
  Error error;
};

[[noreturn]] void Refuse(const std::string& key, const std::string& what) {
  throw Refused{{Code::kInvalidArgument,
                 "MODEL_INVALID",
                 "model.yaml: key \"" + Printable(key) + "\": " + what,
                 {{"field", Printable(key)}}}};
}

void CheckKeys(const YAML::Node& map, const std::string& path, std::span<const std::string_view> known) {
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

// The index of the word in `choices`, as the enum with these names.
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
  CheckKeys(input, "input.", std::array<std::string_view, 2>{"shape", "kind"});
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
  CheckKeys(readout, "readout.", std::array<std::string_view, 2>{"node", "from"});
  if (const YAML::Node node = readout["node"]) manifest.readout_node = Word(node, "readout.node");
  if (const YAML::Node from = readout["from"]) {
    manifest.readout_from =
        OneOf<ReadoutFrom>(from, "readout.from",
                           std::array<std::string_view, 5>{"spike_count", "mean_potential", "last_potential",
                                                           "max_potential", "first_spike"});
  }
}

// The keys of NeuronSettings, at the top of the file and in `nodes`.
constexpr std::array<std::string_view, 10> kNeuronKeys{
    "reset", "if_gain", "lif_gain", "synapse_gain", "decay", "spikes_per_step", "fire_at", "emit", "v_start", "v_min"};

double BinaryNumber(const YAML::Node& node, const std::string& key) {
  const std::string& word = Word(node, key);
  double value = 0;
  if (!YAML::convert<double>::decode(node, value) || !std::isfinite(static_cast<float>(value))) {
    Refuse(key, "must be a number that is finite in binary32, found \"" + Printable(word) + "\"");
  }
  return value + 0.0;  // -0 is 0
}

// Parses `map`; errors have `path` in front of its keys.
void ReadNeuronSettings(const YAML::Node& map, const std::string& path, NeuronSettings& to) {
  const std::array<std::string_view, 3> gains{"dt", "unit", "decayed"};
  const auto read = [&]<std::size_t kCount>(const char* key, const std::array<std::string_view, kCount>& words,
                                            auto& setting) {
    using Enum = std::remove_reference_t<decltype(setting)>;
    if (const YAML::Node word = map[key]) setting = OneOf<Enum>(word, path + key, words);
  };
  read("reset", std::array<std::string_view, 5>{"value", "subtract", "subtract_delayed", "value_delayed", "none"},
       to.reset);
  read("if_gain", std::array<std::string_view, 2>{"dt", "unit"}, to.if_gain);
  to.if_gain_given = to.if_gain_given || map["if_gain"];
  read("lif_gain", gains, to.lif_gain);
  read("synapse_gain", gains, to.synapse_gain);
  read("decay", std::array<std::string_view, 2>{"euler", "exponential"}, to.decay);
  read("spikes_per_step", std::array<std::string_view, 2>{"single", "multiple"}, to.spikes_per_step);
  read("fire_at", std::array<std::string_view, 2>{"above", "reached"}, to.fire_at);
  read("emit", std::array<std::string_view, 2>{"same_step", "next_step"}, to.emit);
  read("v_start", std::array<std::string_view, 3>{"zero", "leak", "reset"}, to.v_start);
  if (const YAML::Node v_min = map["v_min"]) to.v_min = BinaryNumber(v_min, path + "v_min");
}

void ReadNodes(const YAML::Node& nodes, Manifest& manifest) {
  if (!nodes.IsMap()) Refuse("nodes", "must be a map from names of nodes to settings");
  for (const auto& entry : nodes) {
    if (!entry.first.IsScalar()) Refuse("nodes", "its keys must be names of nodes");
    const std::string& name = entry.first.Scalar();
    const std::string path = "nodes." + name;
    if (!entry.second.IsMap()) Refuse(path, "must be a map of settings");
    CheckKeys(entry.second, path + ".", kNeuronKeys);
    NeuronSettings settings = manifest.neurons;
    ReadNeuronSettings(entry.second, path + ".", settings);
    if (!manifest.nodes.emplace(name, settings).second) Refuse(path, "is given twice");
  }
}

Manifest Read(const YAML::Node& root) {
  Manifest manifest;
  if (root.IsNull()) return manifest;
  if (!root.IsMap()) Refuse("", "the file must be a map of keys");
  constexpr std::array<std::string_view, 13> kOthers{"name",    "dt",      "steps",       "nodes",  "input",
                                                     "readout", "labels",  "temperature", "golden", "tokenizer",
                                                     "vote",    "encoder", "events"};
  std::vector<std::string_view> known(kNeuronKeys.begin(), kNeuronKeys.end());
  known.insert(known.end(), kOthers.begin(), kOthers.end());
  CheckKeys(root, "", known);
  if (const YAML::Node name = root["name"]) {
    manifest.name = Word(name, "name");
    if (manifest.name.empty() || manifest.name.size() > 128 || Printable(manifest.name) != manifest.name) {
      Refuse("name", "must be 1 to 128 bytes of UTF-8 text");
    }
  }
  if (const YAML::Node dt = root["dt"]) manifest.dt = PositiveNumber(dt, "dt");
  if (const YAML::Node steps = root["steps"]) manifest.steps = WholeNumber(steps, "steps", kMaxSteps);
  ReadNeuronSettings(root, "", manifest.neurons);
  if (const YAML::Node nodes = root["nodes"]) ReadNodes(nodes, manifest);
  const auto file_beside = [&](const char* key) {
    const YAML::Node file = root[key];
    const bool is_name = file && file.IsScalar() && file.Scalar().find('/') == std::string::npos;
    return is_name ? file.Scalar() : std::string();
  };
  if (const YAML::Node labels = root["labels"]; labels && labels.IsSequence()) {
    manifest.labels = static_cast<std::uint32_t>(labels.size());
  }
  manifest.labels_file = file_beside("labels");
  manifest.tokenizer_file = file_beside("tokenizer");
  manifest.golden_file = file_beside("golden");
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
         "emit same_step, v_start zero, input.kind constant, readout.from spike_count, temperature 1";
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
