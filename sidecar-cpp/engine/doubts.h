// Warnings at a load: the file and its manifest are both valid, but probably do not belong together.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/manifest.h"
#include "engine/network.h"

namespace tandem {

// One text for each warning, with what to do; each kind names only its first node. `folder` is that of model.yaml.
std::vector<std::string> DoubtsOf(const Network& network, const Manifest& manifest,
                                  const std::filesystem::path& folder);

}  // namespace tandem
