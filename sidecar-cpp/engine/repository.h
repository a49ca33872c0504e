// Every model version in a repository folder laid out `<model>/model.yaml`, `<model>/<version>/model.nir`. A version
// may have a model.yaml of its own, beside its model.nir, which then takes the place of the model's; without either,
// all settings have their defaults. A version with a file `.unloaded` beside its model.nir is left out: a router has
// unloaded it.
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
  // Loads what is there. A broken model is kept with its `error` and logged; it does not stop the others. A missing
  // folder is an empty repository, logged. Ends early, without the rest, where `stop` is requested.
  static Repository Load(const std::filesystem::path& folder, const std::stop_token& stop = {});

  // One version of the folder. Errors: UNKNOWN_MODEL (NOT_FOUND), and MODEL_INVALID: what is wrong with it.
  static Expected<Model> LoadOne(const std::filesystem::path& folder, const std::string& name, std::uint32_t version,
                                 const std::stop_token& stop = {});

  explicit Repository(std::vector<std::shared_ptr<const Model>> models);

  // The same models and this one, which takes the place of one with its name and version.
  [[nodiscard]] Repository With(std::shared_ptr<const Model> model) const;
  // The same models but this one.
  [[nodiscard]] Repository Without(const std::string& name, std::uint32_t version) const;

  // Sorted by name, then version, usable or not.
  [[nodiscard]] const std::vector<std::shared_ptr<const Model>>& models() const { return models_; }

  [[nodiscard]] bool HasUsableModel() const;

  // A usable model; version 0 is the highest usable one. Errors: UNKNOWN_MODEL, and MODEL_INVALID with what is wrong
  // where the version, or every version, is broken. Both NOT_FOUND.
  [[nodiscard]] Expected<std::shared_ptr<const Model>> Find(const std::string& name, std::uint32_t version) const;

 private:
  std::vector<std::shared_ptr<const Model>> models_;
};

}  // namespace tandem
