#include "engine/repository.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <tuple>

#include "base/text.h"
#include "engine/doubts.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxManifestBytes = std::uintmax_t{1} << 20;

// Folders in `folder`, by name; hidden ones (a Kubernetes volume has some) are left out.
std::vector<fs::path> Folders(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    std::error_code ignored;
    if (it->is_directory(ignored) && it->path().filename().string()[0] != '.') found.push_back(it->path());
  }
  if (failed) spdlog::warn("model repository {}: {}", Printable(folder.string()), failed.message());
  std::ranges::sort(found);
  return found;
}

std::optional<std::uint32_t> VersionOf(const fs::path& folder) {
  const std::string name = folder.filename().string();
  std::uint32_t version = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), version);
  if (failed != std::errc() || end != name.data() + name.size() || version == 0 || name[0] == '0') return std::nullopt;
  return version;
}

Expected<Manifest> LoadManifest(const fs::path& folder) {
  const auto text = ReadWholeFile(folder / "model.yaml", kMaxManifestBytes);
  if (!text.ok()) return text.error();
  return ParseManifest(text.value());
}

Model LoadVersion(const fs::path& folder, const std::string& name, std::uint32_t version,
                  const Expected<Manifest>& manifest, const std::stop_token& stop) {
  Model model;
  if (manifest.ok()) {
    auto loaded = LoadModel(folder / "model.nir", manifest.value(), stop);
    if (loaded.ok()) {
      model = std::move(loaded).value();
    } else {
      model.error = loaded.error().message;
    }
  } else {
    model.error = manifest.error().message;
  }
  model.name = name;
  model.version = version;
  if (!model.warning.empty()) spdlog::warn("model {}/{}: {}", name, version, model.warning);
  if (model.network) {
    for (const std::string& doubt : DoubtsOf(*model.network, model.manifest, folder.parent_path())) {
      spdlog::warn("model {}/{}: {}", name, version, doubt);
    }
    spdlog::info("model {}/{}: loaded, id {:016x}, {} -> {} elements, {} nodes, {} parameters", name, version,
                 model.model_id, model.network->input_size(), model.network->output_size(), model.network->graph_nodes,
                 model.network->parameter_elements);
  } else if (!stop.stop_requested()) {
    spdlog::error("model {}/{}: cannot be used: {}", name, version, model.error);
  }
  return model;
}

Error NotFound(const char* reason, const std::string& message, const std::string& name, std::uint32_t version) {
  return {Code::kNotFound, reason, message, {{"model", Printable(name)}, {"version", std::to_string(version)}}};
}

}  // namespace

Repository::Repository(std::vector<std::shared_ptr<const Model>> models) {
  std::ranges::stable_sort(models, {}, [](const auto& model) { return std::tie(model->name, model->version); });
  for (auto& model : models) {
    const bool repeated =
        !models_.empty() && models_.back()->name == model->name && models_.back()->version == model->version;
    if (repeated) {
      spdlog::error("model {}/{}: two folders give it this name; the first one serves", model->name, model->version);
    } else {
      models_.push_back(std::move(model));
    }
  }
}

Repository Repository::Load(const fs::path& folder, const std::stop_token& stop) {
  std::vector<std::shared_ptr<const Model>> models;
  for (const fs::path& model_folder : Folders(folder)) {
    const auto manifest = LoadManifest(model_folder);
    const bool named = manifest.ok() && !manifest.value().name.empty();
    const std::string name = named ? manifest.value().name : Printable(model_folder.filename().string());
    for (const fs::path& version_folder : Folders(model_folder)) {
      const auto version = VersionOf(version_folder);
      if (!version) {
        spdlog::warn("model {}: folder \"{}\" is not a version (1, 2, …) and is left out", name,
                     Printable(version_folder.filename().string()));
        continue;
      }
      if (stop.stop_requested()) return Repository(std::move(models));
      models.push_back(std::make_shared<const Model>(LoadVersion(version_folder, name, *version, manifest, stop)));
    }
  }
  Repository repository(std::move(models));
  if (!repository.HasUsableModel()) {
    const char* todo = repository.models().empty()
                           ? "put one there as <model>/model.yaml and <model>/<version>/model.nir"
                           : "what is wrong with each is said above";
    spdlog::warn("no usable model in {}: this engine is not ready; {}, then restart", Printable(folder.string()), todo);
  }
  return repository;
}

bool Repository::HasUsableModel() const {
  return std::ranges::any_of(models_, [](const auto& model) { return model->network.has_value(); });
}

Expected<std::shared_ptr<const Model>> Repository::Find(const std::string& name, std::uint32_t version) const {
  std::shared_ptr<const Model> best;
  const Model* broken = nullptr;
  for (const auto& model : models_) {
    if (model->name != name || (version != 0 && model->version != version)) continue;
    if (model->network) {
      best = model;  // ascending versions: the last one is the highest
    } else {
      broken = model.get();
    }
  }
  if (best) return best;
  const std::string asked =
      "model \"" + Printable(name) + "\"" + (version == 0 ? "" : " version " + std::to_string(version));
  if (broken != nullptr) {
    return NotFound("MODEL_INVALID", asked + " cannot be used: " + broken->error, name, broken->version);
  }
  return NotFound("UNKNOWN_MODEL", asked + " is not in this engine's repository; Describe lists what is", name,
                  version);
}

}  // namespace tandem
