// Every model version in a repository folder laid out `<model>/model.yaml`, `<model>/<version>/model.nir`. A version
// may have its own model.yaml beside its model.nir, which replaces the model's. Without either, all settings have their
// defaults. A version with a file `.unloaded` beside its model.nir is left out: a router has unloaded it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/model.h"

namespace tandem {

// Immutable once loaded: safe from any thread.
class Repository {
 public:
  // Loads all models. An invalid model is kept with its `error` and logged; it does not stop the others. A missing
  // folder is an empty repository, and is logged. If `stop` is requested, it ends early, without the rest.
  static Repository Load(const std::filesystem::path& folder, const std::stop_token& stop = {});

  // One version of the folder. Errors: UNKNOWN_MODEL (NOT_FOUND), and MODEL_INVALID with its error.
  static Expected<Model> LoadOne(const std::filesystem::path& folder, const std::string& name, std::uint32_t version,
                                 const std::stop_token& stop = {});

  explicit Repository(std::vector<std::shared_ptr<const Model>> models);

  // The same models with this one, which replaces a model with its name and version.
  [[nodiscard]] Repository With(std::shared_ptr<const Model> model) const;
  // The same models without this one.
  [[nodiscard]] Repository Without(const std::string& name, std::uint32_t version) const;

  // Sorted by name, then version, usable or not.
  [[nodiscard]] const std::vector<std::shared_ptr<const Model>>& models() const { return models_; }

  [[nodiscard]] bool HasUsableModel() const;

  // A usable model; version 0 is the highest usable one. Errors: UNKNOWN_MODEL, and MODEL_INVALID with the error if the
  // version, or every version, is invalid. Both are NOT_FOUND.
  [[nodiscard]] Expected<std::shared_ptr<const Model>> Find(const std::string& name, std::uint32_t version) const;

 private:
  std::vector<std::shared_ptr<const Model>> models_;
};

}  // namespace tandem
