// Loading the models at the start, which a stop signal ends.
#pragma once

#include <csignal>
#include <filesystem>
#include <optional>

#include "engine/repository.h"

namespace tandem {

// The models in `folder`; nullopt: one of `stop_signals`, which every thread must have blocked, came meanwhile.
std::optional<Repository> LoadModels(const std::filesystem::path& folder, const sigset_t& stop_signals);

}  // namespace tandem
