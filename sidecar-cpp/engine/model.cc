#include "engine/model.h"

#include <fstream>
#include <new>
#include <system_error>
#include <utility>

#include "engine/digest.h"
#include "nir/flatten.h"
#include "nir/isolated_reader.h"

namespace tandem {
namespace {

Error Unreadable(const std::filesystem::path& path, const std::string& why) {
  return {Code::kInvalidArgument, "MODEL_INVALID", path.filename().string() + ": " + why, {}};
}

}  // namespace

std::uint64_t ModelId(std::string_view nir_bytes, const Manifest& manifest, std::string_view readout_node) {
  Digest digest;
  digest.Add(DigestOf(nir_bytes));
  digest.Add(manifest.dt);
  digest.Add(static_cast<std::uint8_t>(manifest.reset));
  digest.Add(static_cast<std::uint8_t>(manifest.if_gain));
  digest.Add(static_cast<std::uint8_t>(manifest.input_kind));
  digest.Add(static_cast<std::uint8_t>(manifest.readout_from));
  digest.AddText(readout_node);
  return digest.Value();
}

Expected<std::string> ReadWholeFile(const std::filesystem::path& path, std::uintmax_t max_bytes) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed)) return Unreadable(path, "no such file");
  const std::uintmax_t size = std::filesystem::file_size(path, failed);
  if (failed) return Unreadable(path, failed.message());
  if (size > max_bytes) {
    return Unreadable(path, "has " + std::to_string(size) + " bytes, above the limit of " + std::to_string(max_bytes));
  }
  std::string bytes(size, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  if (!file || static_cast<std::uintmax_t>(file.gcount()) != size) return Unreadable(path, "cannot be read");
  return bytes;
}

Expected<Model> LoadModel(const std::filesystem::path& nir_file, const Manifest& manifest) {
  const auto bytes = ReadWholeFile(nir_file, kMaxFileBytes);
  if (!bytes.ok()) return bytes.error();
  try {
    auto tree = ReadNirIsolated(bytes.value());
    if (!tree.ok()) return tree.error();
    auto graph = Flatten(std::move(tree).value());
    if (!graph.ok()) return graph.error();
    auto network = CompileNetwork(std::move(graph).value(), manifest);
    if (!network.ok()) return network.error();
    Model model;
    model.manifest = manifest;
    model.model_id = ModelId(bytes.value(), manifest, network.value().readout_name);
    model.network = std::move(network).value();
    return model;
  } catch (const std::bad_alloc&) {
    return Unreadable(nir_file, "there is not enough memory for this model");
  }
}

}  // namespace tandem
