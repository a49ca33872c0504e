#include "engine/model.h"

#include <new>
#include <utility>

#include "engine/digest.h"
#include "loader/load.h"

namespace tandem {
namespace {

// Returns true if all settings of AddConventions have their defaults.
bool HasFirstDefaults(const NeuronSettings& s) {
  const NeuronSettings d;
  return s.decay == d.decay && s.lif_gain == d.lif_gain && s.synapse_gain == d.synapse_gain &&
         s.spikes_per_step == d.spikes_per_step && s.fire_at == d.fire_at && s.emit == d.emit;
}

void AddConventions(const NeuronSettings& s, Digest& to) {
  to.Add(static_cast<std::uint8_t>(s.decay));
  to.Add(static_cast<std::uint8_t>(s.lif_gain));
  to.Add(static_cast<std::uint8_t>(s.synapse_gain));
  to.Add(static_cast<std::uint8_t>(s.spikes_per_step));
  to.Add(static_cast<std::uint8_t>(s.fire_at));
  to.Add(static_cast<std::uint8_t>(s.emit));
}

void AddPotential(const NeuronSettings& s, Digest& to) {
  to.Add(static_cast<std::uint8_t>(s.v_start));
  to.Add(s.v_min);
}

}  // namespace

std::uint64_t ModelId(std::uint64_t file_digest, const Manifest& manifest, std::string_view readout_node) {
  Digest digest;
  digest.Add(file_digest);
  digest.Add(manifest.dt);
  const NeuronSettings& neurons = manifest.neurons;
  digest.Add(static_cast<std::uint8_t>(neurons.reset));
  digest.Add(static_cast<std::uint8_t>(neurons.if_gain));
  digest.Add(static_cast<std::uint8_t>(manifest.input_kind));
  digest.Add(static_cast<std::uint8_t>(manifest.readout_from));
  digest.AddText(readout_node);
  // A model without the later settings keeps its identity from before them. No name contains a zero byte.
  const bool has_latest = neurons.v_start != VStart::kZero || neurons.v_min != kNoVMin || !manifest.nodes.empty();
  if (has_latest || !HasFirstDefaults(neurons)) {
    digest.Add(std::uint8_t{0});
    AddConventions(neurons, digest);
  }
  if (!has_latest) return digest.Value();
  AddPotential(neurons, digest);
  for (const auto& [node, settings] : manifest.nodes) {
    digest.AddText(node);
    digest.Add(std::uint8_t{0});
    digest.Add(static_cast<std::uint8_t>(settings.reset));
    digest.Add(static_cast<std::uint8_t>(settings.if_gain));
    AddConventions(settings, digest);
    AddPotential(settings, digest);
  }
  return digest.Value();
}

Expected<Model> LoadModel(const std::filesystem::path& nir_file, const Manifest& manifest,
                          const std::stop_token& stop) {
  const auto file = SealedFile::CopyOf(nir_file, kMaxFileBytes, stop);
  if (!file.ok()) return file.error();
  return LoadModel(file.value(), nir_file, manifest, stop);
}

Expected<Model> LoadModel(const SealedFile& file, const std::filesystem::path& shown, const Manifest& manifest,
                          const std::stop_token& stop) {
  try {
    const std::uint64_t file_digest = DigestOf(file.Map().bytes());
    auto loaded = Load(file.descriptor(), {}, stop);
    if (!loaded.ok()) return loaded.error();
    auto network = CompileNetwork(std::move(loaded.value().graph), manifest);
    if (!network.ok()) return network.error();
    Model model;
    model.manifest = manifest;
    model.model_id = ModelId(file_digest, manifest, network.value().readout_name);
    model.network = std::move(network).value();
    model.warning = std::move(loaded.value().warning);
    return model;
  } catch (const std::bad_alloc&) {
    return UnusableFile(shown, "there is not enough memory for this model");
  }
}

}  // namespace tandem
