// The golden vectors of a model (known inputs with their digests), run on its network for `tandem-engine check`.
#pragma once

#include <filesystem>
#include <string>

#include "base/status.h"
#include "engine/model.h"

namespace tandem {

// Runs the vectors of `golden.json` beside the NIR file, or else of the manifest's file in `manifest_folder`. A file
// for another version than the folder's is ignored. Returns the text to print. The error names the first vector that
// cannot be run or has another digest than in the file.
Expected<std::string> CheckGolden(const Model& model, const std::filesystem::path& nir_file,
                                  const std::filesystem::path& manifest_folder);

}  // namespace tandem
