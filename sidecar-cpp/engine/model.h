// One version of a model: its network and its identity.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/regular_file.h"
#include "base/status.h"
#include "engine/manifest.h"
#include "engine/network.h"
#include "loader/sealed_file.h"

namespace tandem {

struct Model {
  std::string name;
  std::uint32_t version = 0;
  std::uint64_t model_id = 0;  // 0 if there is no network
  Manifest manifest;
  std::optional<Network> network;
  std::string error;    // why there is no network
  std::string warning;  // warnings of its load for the log
  // Recent time of a step, nanoseconds; below 0: not known. See server/recent_cost.h.
  std::shared_ptr<std::atomic<double>> ns_a_step = std::make_shared<std::atomic<double>>(-1);
};

// proto/NUMERICS.md, `model_id`; `file_digest` is that of the NIR file's bytes.
std::uint64_t ModelId(std::uint64_t file_digest, const Manifest& manifest, std::string_view readout_node);

// Reads (loader/load.h) and compiles one NIR file with its manifest. The caller sets name and version.
Expected<Model> LoadModel(const std::filesystem::path& nir_file, const Manifest& manifest,
                          const std::stop_token& stop = {});

// The same for a file in memory. `shown` is its name in errors.
Expected<Model> LoadModel(const SealedFile& file, const std::filesystem::path& shown, const Manifest& manifest,
                          const std::stop_token& stop = {});

}  // namespace tandem
