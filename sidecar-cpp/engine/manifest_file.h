// Finds the model.yaml of a version, for the server and for `tandem-engine check`.
#pragma once

#include <filesystem>

#include "base/status.h"
#include "engine/manifest.h"

namespace tandem {

struct ManifestFile {
  std::filesystem::path folder;  // of the manifest and its labels
  bool exists = false;           // if false, all settings have their defaults
};

// The model.yaml in `version_folder`, else that of the folder above it, which is the model's.
ManifestFile FindManifest(const std::filesystem::path& version_folder);

// All defaults if there is none.
Expected<Manifest> ReadManifest(const ManifestFile& file);
Expected<Manifest> ReadManifest(const std::filesystem::path& file);

}  // namespace tandem
