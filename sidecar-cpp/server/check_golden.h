// The golden vectors of a model (known inputs with their digests), run on its network for `tandem-engine check`.
#pragma once

#include <filesystem>
#include <string>

#include "base/status.h"
#include "engine/model.h"

namespace tandem {

// Runs those of `golden.json` beside the NIR file, or else of the file that the manifest names, which lies in
// `manifest_folder`; files for another version than the folder's are left alone. Returns what to print. The error names
// the first vector that cannot be run, or has another digest than the file says.
Expected<std::string> CheckGolden(const Model& model, const std::filesystem::path& nir_file,
                                  const std::filesystem::path& manifest_folder);

}  // namespace tandem
