#include "server/check_file.h"

#include <algorithm>
#include <cstdio>

#include "base/text.h"
#include "engine/doubts.h"
#include "engine/manifest_file.h"
#include "engine/model.h"
#include "server/check_golden.h"

namespace tandem {
namespace {

struct Manifests {
  Expected<Manifest> manifest;
  std::filesystem::path folder;  // of labels and golden vectors
  std::string shown;
};

// The given manifest, else the one that the server would use.
Manifests ManifestOf(const std::string& nir_file, const std::string& given) {
  if (!given.empty()) {
    const std::filesystem::path file(given);
    return {ReadManifest(file), file.parent_path(), Printable(given)};
  }
  const auto found = FindManifest(std::filesystem::absolute(nir_file).parent_path());
  const auto file = found.folder / "model.yaml";
  return {ReadManifest(found), found.folder,
          found.exists ? Printable(file.string()) : "all defaults (there is no model.yaml): " + DefaultSettings()};
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
  const Manifests found = ManifestOf(nir_file, manifest_file);
  const auto model = found.manifest.ok() ? LoadModel(nir_file, found.manifest.value()) : found.manifest.error();
  if (!model.ok()) {
    std::fprintf(stderr, "%s: %s\n", Printable(nir_file).c_str(), model.error().message.c_str());
    return 1;
  }
  if (!model.value().warning.empty()) std::fprintf(stderr, "warning: %s\n", model.value().warning.c_str());
  const Network& network = *model.value().network;
  for (const std::string& doubt : DoubtsOf(network, model.value().manifest, found.folder)) {
    std::fprintf(stderr, "warning: %s\n", doubt.c_str());
  }
  std::size_t width = 4;
  for (const NetworkNode& node : network.nodes) width = std::max(width, Printable(node.name).size());
  std::printf("%-*s  %-9s  %9s  %9s  %s\n", static_cast<int>(width), "node", "type", "in", "out", "sources");
  for (const NetworkNode& node : network.nodes) {
    std::printf("%-*s  %-9s  %9u  %9u  %s\n", static_cast<int>(width), Printable(node.name).c_str(),
                std::string(NameOf(node.type)).c_str(), node.in, node.out, SourcesOf(network, node).c_str());
  }
  std::printf("settings: %s\n", found.shown.c_str());
  std::printf("readout \"%s\", %u nodes, %llu parameters, model_id %016llx\n",
              Printable(network.nodes[network.readout].name).c_str(), network.graph_nodes,
              static_cast<unsigned long long>(network.parameter_elements),
              static_cast<unsigned long long>(model.value().model_id));
  const auto golden = CheckGolden(model.value(), nir_file, found.folder);
  if (!golden.ok()) {
    std::fprintf(stderr, "%s: %s\n", Printable(nir_file).c_str(), golden.error().message.c_str());
    return 1;
  }
  std::printf("%s\n", golden.value().c_str());
  return 0;
}

}  // namespace tandem
