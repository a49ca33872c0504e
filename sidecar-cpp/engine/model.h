// One version of a model: its network and its identity.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/status.h"
#include "engine/manifest.h"
#include "engine/network.h"

namespace tandem {

struct Model {
  std::string name;
  std::uint32_t version = 0;
  std::uint64_t model_id = 0;  // 0 where there is no network
  Manifest manifest;
  std::optional<Network> network;
  std::string error;  // why there is no network
};

// proto/NUMERICS.md, `model_id`.
std::uint64_t ModelId(std::string_view nir_bytes, const Manifest& manifest, std::string_view readout_node);

// The whole of a regular file of at most `max_bytes`.
Expected<std::string> ReadWholeFile(const std::filesystem::path& path, std::uintmax_t max_bytes);

// Reads and compiles one NIR file under its manifest. Name and version are the caller's to set. Reads in a child
// process (see nir/isolated_reader.h): not while other threads run.
Expected<Model> LoadModel(const std::filesystem::path& nir_file, const Manifest& manifest);

}  // namespace tandem
