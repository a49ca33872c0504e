#include "server/check_file.h"

#include <algorithm>
#include <cstdio>

#include "base/text.h"
#include "engine/doubts.h"
#include "engine/model.h"

namespace tandem {
namespace {

Expected<Model> Load(const std::string& nir_file, const std::string& manifest_file) {
  Manifest manifest;
  if (!manifest_file.empty()) {
    const auto text = ReadWholeFile(manifest_file, std::uintmax_t{1} << 20);
    if (!text.ok()) return text.error();
    auto parsed = ParseManifest(text.value());
    if (!parsed.ok()) return parsed.error();
    manifest = std::move(parsed).value();
  }
  return LoadModel(nir_file, manifest);
}

std::string SourcesOf(const Network& network, const NetworkNode& node) {
  std::string text;
  for (const Source& source : node.sources) {
    text +=
        (text.empty() ? "" : ", ") + Printable(network.nodes[source.node].name) + (source.delayed ? " (delayed)" : "");
  }
  return text;
}

}  // namespace

int CheckFile(const std::string& nir_file, const std::string& manifest_file) {
  const auto model = Load(nir_file, manifest_file);
  if (!model.ok()) {
    std::fprintf(stderr, "%s: %s\n", Printable(nir_file).c_str(), model.error().message.c_str());
    return 1;
  }
  if (!model.value().warning.empty()) std::fprintf(stderr, "warning: %s\n", model.value().warning.c_str());
  const Network& network = *model.value().network;
  const auto folder = std::filesystem::path(manifest_file).parent_path();
  for (const std::string& doubt : DoubtsOf(network, model.value().manifest, folder)) {
    std::fprintf(stderr, "warning: %s\n", doubt.c_str());
  }
  std::size_t width = 4;
  for (const NetworkNode& node : network.nodes) width = std::max(width, Printable(node.name).size());
  std::printf("%-*s  %-9s  %9s  %9s  %s\n", static_cast<int>(width), "node", "type", "in", "out", "sources");
  for (const NetworkNode& node : network.nodes) {
    std::printf("%-*s  %-9s  %9u  %9u  %s\n", static_cast<int>(width), Printable(node.name).c_str(),
                std::string(NameOf(node.type)).c_str(), node.in, node.out, SourcesOf(network, node).c_str());
  }
  std::printf("readout \"%s\", %u nodes, %llu parameters, model_id %016llx\n",
              Printable(network.nodes[network.readout].name).c_str(), network.graph_nodes,
              static_cast<unsigned long long>(network.parameter_elements),
              static_cast<unsigned long long>(model.value().model_id));
  return 0;
}

}  // namespace tandem
