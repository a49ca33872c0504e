#include "engine/model.h"

#include <new>
#include <utility>

#include "engine/digest.h"
#include "loader/load.h"

namespace tandem {

std::uint64_t ModelId(std::uint64_t file_digest, const Manifest& manifest, std::string_view readout_node) {
  Digest digest;
  digest.Add(file_digest);
  digest.Add(manifest.dt);
  digest.Add(static_cast<std::uint8_t>(manifest.reset));
  digest.Add(static_cast<std::uint8_t>(manifest.if_gain));
  digest.Add(static_cast<std::uint8_t>(manifest.input_kind));
  digest.Add(static_cast<std::uint8_t>(manifest.readout_from));
  digest.AddText(readout_node);
  // A model with none of the later settings keeps the identity that it had before them; no name holds a zero byte.
  if (const Conventions& c = manifest.conventions; c != Conventions{}) {
    digest.Add(std::uint8_t{0});
    digest.Add(static_cast<std::uint8_t>(c.decay));
    digest.Add(static_cast<std::uint8_t>(c.lif_gain));
    digest.Add(static_cast<std::uint8_t>(c.synapse_gain));
    digest.Add(static_cast<std::uint8_t>(c.spikes_per_step));
    digest.Add(static_cast<std::uint8_t>(c.fire_at));
    digest.Add(static_cast<std::uint8_t>(c.emit));
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
