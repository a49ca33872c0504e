#include "engine/doubts.h"

#include <algorithm>
#include <optional>
#include <sstream>

#include "base/regular_file.h"
#include "base/text.h"
#include "engine/layers.h"

namespace tandem {
namespace {

constexpr std::uintmax_t kMaxLabelsBytes = std::uintmax_t{16} << 20;

std::string Text(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

std::string Named(const NetworkNode& node) { return "node \"" + Printable(node.name) + "\": "; }

// A leaky state that loses more than its value in a step oscillates instead of decaying.
std::optional<std::string> DtAboveTau(const Network& network, const Manifest& manifest) {
  for (const NetworkNode& node : network.nodes) {
    if (manifest.SettingsOf(node.name).decay != Decay::kEuler) continue;
    for (const FloatRow* row : {&node.a, &node.b}) {
      const auto found = std::ranges::find_if(*row, [](float share) { return share > 1.0f; });
      if (found == row->end()) continue;
      const std::string field = row == &node.b ? "tau_syn" : HasCurrent(node.type) ? "tau_mem" : "tau";
      return Named(node) + field + " is " + Text(manifest.dt / *found) + ", shorter than dt, " + Text(manifest.dt) +
             ", at index " + std::to_string(found - row->begin()) +
             "; set dt in model.yaml to the time step that the exporter used";
    }
  }
  return std::nullopt;
}

std::optional<std::string> UnstatedGain(const Network& network, const Manifest& manifest) {
  const auto found = std::ranges::find_if(network.nodes, [&](const NetworkNode& node) {
    return node.type == NodeType::kIf && !manifest.SettingsOf(node.name).if_gain_given;
  });
  if (found == network.nodes.end()) return std::nullopt;
  return Named(*found) +
         "is an IF, whose gain NIR leaves open; state if_gain in model.yaml: dt (v += dt*r*x, used now) or unit (v += "
         "r*x)";
}

std::optional<std::string> ReadoutDoesNotFire(const Network& network, const Manifest& manifest) {
  const NetworkNode& node = network.nodes[network.readout];
  if (!ReadsSpikes(manifest.readout_from) || IsSpikingNeuron(node.type) || node.type == NodeType::kThreshold)
    return std::nullopt;
  return Named(node) + "is the readout and a " + std::string(NameOf(node.type)) +
         ", which does not fire, so that every spike count is 0; set readout.from in model.yaml to last_potential, "
         "mean_potential or max_potential";
}

std::optional<std::uint32_t> CountLabels(const Manifest& manifest, const std::filesystem::path& folder) {
  if (manifest.labels_file.empty()) return manifest.labels;
  const auto text = ReadWholeFile(folder / manifest.labels_file, kMaxLabelsBytes);
  if (!text.ok()) return std::nullopt;  // MissingFile says so
  std::uint32_t labels = 0;
  std::istringstream lines(text.value());
  for (std::string line; std::getline(lines, line);) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) ++labels;
  }
  return labels;
}

std::optional<std::string> LabelsDoNotFit(const Network& network, const Manifest& manifest,
                                          const std::filesystem::path& folder) {
  const auto labels = CountLabels(manifest, folder);
  if (!labels || *labels == network.output_size()) return std::nullopt;
  return "model.yaml: key \"labels\": there are " + std::to_string(*labels) + " labels, but the readout has " +
         std::to_string(network.output_size()) + " elements; the router does not serve the model";
}

// Files that the router needs beside model.yaml.
std::optional<std::string> MissingFile(const std::string& key, const std::string& file,
                                       const std::filesystem::path& folder) {
  std::error_code failed;
  if (file.empty() || std::filesystem::is_regular_file(folder / file, failed)) return std::nullopt;
  return "model.yaml: key \"" + key + "\": there is no file " + Printable(file) +
         " beside it; the router does not serve the model";
}

}  // namespace

std::vector<std::string> DoubtsOf(const Network& network, const Manifest& manifest,
                                  const std::filesystem::path& folder) {
  std::vector<std::string> doubts;
  for (auto& doubt :
       {DtAboveTau(network, manifest), UnstatedGain(network, manifest), ReadoutDoesNotFire(network, manifest),
        LabelsDoNotFit(network, manifest, folder), MissingFile("labels", manifest.labels_file, folder),
        MissingFile("tokenizer", manifest.tokenizer_file, folder)}) {
    if (doubt) doubts.push_back(*doubt);
  }
  return doubts;
}

}  // namespace tandem
