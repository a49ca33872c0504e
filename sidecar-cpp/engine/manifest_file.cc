#include "engine/manifest_file.h"

#include <cstdint>
#include <system_error>

#include "base/regular_file.h"

namespace tandem {
namespace {

constexpr const char* kName = "model.yaml";
constexpr std::uintmax_t kMaxManifestBytes = std::uintmax_t{1} << 20;

// Also a file that cannot be read: that is an error, not a reason for defaults.
bool IsThere(const std::filesystem::path& file) {
  std::error_code failed;
  return std::filesystem::symlink_status(file, failed).type() != std::filesystem::file_type::not_found;
}

}  // namespace

ManifestFile FindManifest(const std::filesystem::path& version_folder) {
  if (IsThere(version_folder / kName)) return {version_folder, true};
  const std::filesystem::path above = version_folder.parent_path();
  return {above, IsThere(above / kName)};
}

Expected<Manifest> ReadManifest(const ManifestFile& file) {
  if (!file.exists) return Manifest{};
  return ReadManifest(file.folder / kName);
}

Expected<Manifest> ReadManifest(const std::filesystem::path& file) {
  const auto text = ReadWholeFile(file, kMaxManifestBytes);
  if (!text.ok()) return text.error();
  return ParseManifest(text.value());
}

}  // namespace tandem
