// Where a file and its manifest cannot both be meant, though each of them is in order: what a load warns of.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/manifest.h"
#include "engine/network.h"

namespace tandem {

// One text for each doubt, with what to do; of each kind only the first node is named. `folder` is that of model.yaml.
std::vector<std::string> DoubtsOf(const Network& network, const Manifest& manifest,
                                  const std::filesystem::path& folder);

}  // namespace tandem
