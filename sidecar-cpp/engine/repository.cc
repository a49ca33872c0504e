#include "engine/repository.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <system_error>
#include <tuple>

#include "base/text.h"
#include "engine/doubts.h"
#include "engine/manifest_file.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

// Folders in `folder`, by name, without hidden ones (a Kubernetes volume has some).
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

// A version of the folder, with its manifest or the manifest's error.
struct VersionFolder {
  fs::path path;
  std::string name;
  std::uint32_t version = 0;
  ManifestFile manifest_file;
  Expected<Manifest> manifest = Manifest{};
};

VersionFolder ReadVersionFolder(const fs::path& path, const std::string& folder_name, std::uint32_t version) {
  VersionFolder to{path, folder_name, version, FindManifest(path), Manifest{}};
  to.manifest = ReadManifest(to.manifest_file);
  if (to.manifest.ok() && !to.manifest.value().name.empty()) to.name = to.manifest.value().name;
  return to;
}

// The versions of a model's folder, by name. Logs folders that are not versions.
std::vector<VersionFolder> VersionsOf(const fs::path& model_folder, bool log_problems) {
  std::vector<VersionFolder> found;
  const std::string name = Printable(model_folder.filename().string());
  for (const fs::path& path : Folders(model_folder)) {
    const auto version = VersionOf(path);
    std::error_code ignored;
    if (version && !fs::exists(path / ".unloaded", ignored)) {
      found.push_back(ReadVersionFolder(path, name, *version));
    } else if (!version && log_problems) {
      spdlog::warn("model {}: folder \"{}\" is not a version (1, 2, …) and is left out", name,
                   Printable(path.filename().string()));
    }
  }
  return found;
}

void LogLoaded(const Model& model, const fs::path& labels_folder) {
  if (!model.warning.empty()) spdlog::warn("model {}/{}: {}", model.name, model.version, model.warning);
  for (const std::string& doubt : DoubtsOf(*model.network, model.manifest, labels_folder)) {
    spdlog::warn("model {}/{}: {}", model.name, model.version, doubt);
  }
  spdlog::info("model {}/{}: loaded, id {:016x}, {} -> {} elements, {} nodes, {} parameters", model.name, model.version,
               model.model_id, model.network->input_size(), model.network->output_size(), model.network->graph_nodes,
               model.network->parameter_elements);
}

Model LoadVersion(const VersionFolder& folder, const std::stop_token& stop) {
  const auto& [path, name, version, manifest_file, manifest] = folder;
  Model model;
  if (manifest.ok()) {
    auto loaded = LoadModel(path / "model.nir", manifest.value(), stop);
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
  if (model.network) {
    if (!manifest_file.exists) {
      spdlog::warn("model {}/{}: there is no model.yaml, so all settings have their defaults: {}", name, version,
                   DefaultSettings());
    }
    LogLoaded(model, manifest_file.folder);
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
    for (const VersionFolder& version : VersionsOf(model_folder, true)) {
      if (stop.stop_requested()) return Repository(std::move(models));
      models.push_back(std::make_shared<const Model>(LoadVersion(version, stop)));
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

Expected<Model> Repository::LoadOne(const fs::path& folder, const std::string& name, std::uint32_t version,
                                    const std::stop_token& stop) {
  for (const fs::path& model_folder : Folders(folder)) {
    for (const VersionFolder& found : VersionsOf(model_folder, false)) {
      if (found.name != name || found.version != version) continue;
      Model model = LoadVersion(found, stop);
      if (model.network) return model;
      return Error{Code::kInvalidArgument, "MODEL_INVALID", model.error, {{"model", Printable(name)}}};
    }
  }
  return NotFound("UNKNOWN_MODEL",
                  "there is no model \"" + Printable(name) + "\" version " + std::to_string(version) +
                      " in this engine's repository; send its bytes, or put it there",
                  name, version);
}

Repository Repository::With(std::shared_ptr<const Model> model) const {
  std::vector<std::shared_ptr<const Model>> models = Without(model->name, model->version).models_;
  models.push_back(std::move(model));
  return Repository(std::move(models));
}

Repository Repository::Without(const std::string& name, std::uint32_t version) const {
  std::vector<std::shared_ptr<const Model>> models;
  std::ranges::copy_if(models_, std::back_inserter(models),
                       [&](const auto& model) { return model->name != name || model->version != version; });
  return Repository(std::move(models));
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
      best = model;  // versions ascend, so the last one is the highest
    } else {
      broken = model.get();
    }
  }
  if (best) return best;
  const std::string wanted =
      "model \"" + Printable(name) + "\"" + (version == 0 ? "" : " version " + std::to_string(version));
  if (broken != nullptr) {
    return NotFound("MODEL_INVALID", wanted + " cannot be used: " + broken->error, name, broken->version);
  }
  return NotFound("UNKNOWN_MODEL", wanted + " is not in this engine's repository; Describe lists what is", name,
                  version);
}

}  // namespace tandem
