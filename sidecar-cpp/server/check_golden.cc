#include "server/check_golden.h"

#include <absl/strings/escaping.h>

#include <charconv>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/regular_file.h"
#include "base/text.h"
#include "engine/simulator.h"
#include "nir/invalid.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uintmax_t kMaxGoldenBytes = std::uintmax_t{64} << 20;
constexpr const char* kOwnFile = "golden.json";

class OneResult : public RunObserver {
 public:
  bool Abandoned(std::size_t) override { return false; }
  void Finished(std::size_t, Expected<RunResult> outcome) override { result.emplace(std::move(outcome)); }
  std::optional<Expected<RunResult>> result;
};

std::string Hex(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(number));
  return text;
}

Expected<std::uint64_t> DigestFrom(const Json& vector, const char* key) {
  const std::string& text = vector.at(key).get_ref<const std::string&>();
  std::uint64_t digest = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), digest, 16);
  if (failed == std::errc() && end == text.data() + text.size() && text.size() == 16) return digest;
  return InvalidFile(std::string(key) + " must have 16 hexadecimal digits, found \"" + Printable(text) + "\"");
}

// The number of steps of the input; an error if it does not fit the network.
Expected<std::uint32_t> StepsOf(const Network& network, std::size_t floats) {
  const std::size_t size = network.input_size();
  if (network.input_kind == InputKind::kConstant && floats == size) return network.steps;
  const std::size_t steps = floats / size;
  const bool is_series = network.input_kind == InputKind::kSeries && floats % size == 0;
  if (is_series && steps >= 1 && steps <= kMaxSteps) return static_cast<std::uint32_t>(steps);
  return InvalidFile("its input has " + std::to_string(floats) + " numbers; the model takes " + std::to_string(size) +
                     (network.input_kind == InputKind::kSeries ? " a step" : ""));
}

Expected<std::vector<float>> InputOf(const Json& vector) {
  std::string bytes;
  const std::string& text = vector.at("encoding_f32_base64").get_ref<const std::string&>();
  if (!absl::Base64Unescape(text, &bytes) || bytes.size() % sizeof(float) != 0) {
    return InvalidFile("encoding_f32_base64 must be base64 of whole binary32 numbers");
  }
  std::vector<float> input(bytes.size() / sizeof(float));
  std::memcpy(input.data(), bytes.data(), bytes.size());
  for (const float value : input) {
    if (!std::isfinite(value)) return InvalidFile("its input has a number that is NaN or infinite");
  }
  return input;
}

MaybeError CompareDigest(const Json& vector, const char* key, const std::string& name, std::uint64_t got) {
  const auto want = DigestFrom(vector, key);
  if (!want.ok()) return want.error();
  if (want.value() == got) return std::nullopt;
  return InvalidFile("expected " + name + " " + Hex(want.value()) + ", got " + Hex(got));
}

MaybeError RunOne(const Model& model, const Json& vector) {
  const auto input = InputOf(vector);
  if (!input.ok()) return input.error();
  const auto steps = StepsOf(*model.network, input.value().size());
  if (!steps.ok()) return steps.error();
  const RunInput bytes{
      .values = {reinterpret_cast<const char*>(input.value().data()), input.value().size() * sizeof(float)}};
  Scratch scratch;
  OneResult run;
  RunBatch(*model.network, model.model_id, steps.value(), {&bytes, 1}, scratch, run);
  if (!run.result->ok()) return run.result->error();
  const RunResult& result = run.result->value();
  if (auto error = CompareDigest(vector, "state_digest", "state digest", result.state_digest)) return error;
  if (!vector.contains("readout_digest")) return std::nullopt;
  return CompareDigest(vector, "readout_digest", "readout digest", result.readout_digest);
}

Expected<std::string> RunAll(const Model& model, const Json& golden, const fs::path& file, const std::string& folder) {
  const auto version = std::to_string(golden.at("model_version").get<std::uint32_t>());
  const std::string shown = Printable(file.string());
  const bool is_version = !folder.empty() && folder.find_first_not_of("0123456789") == std::string::npos;
  if (is_version && version != folder) {
    return "golden vectors: none of this version; those in " + shown + " are of version " + version;
  }
  const Json& vectors = golden.at("cases");
  for (std::size_t k = 0; k < vectors.size(); ++k) {
    const auto error = RunOne(model, vectors.at(k));
    if (!error) continue;
    const std::string name = vectors.at(k).value("name", "");
    return InvalidFile("golden vector " + (name.empty() ? "" : "\"" + Printable(name) + "\" ") + "(" +
                       std::to_string(k + 1) + " of " + std::to_string(vectors.size()) + ", in " + shown +
                       "): " + error->message + "; put the right file back, or remove it");
  }
  const std::string count = std::to_string(vectors.size());
  return "golden vectors: " + count + " of " + count + " as expected (" + shown + ")";
}

}  // namespace

Expected<std::string> CheckGolden(const Model& model, const fs::path& nir_file, const fs::path& manifest_folder) {
  const fs::path version_folder = fs::absolute(nir_file).parent_path();
  std::error_code failed;
  fs::path file = version_folder / kOwnFile;
  if (!fs::exists(file, failed)) {
    if (model.manifest.golden_file.empty()) return std::string("golden vectors: none");
    file = manifest_folder / model.manifest.golden_file;
  }
  const auto text = ReadWholeFile(file, kMaxGoldenBytes);
  if (!text.ok()) return text.error();
  try {
    return RunAll(model, Json::parse(text.value()), file, version_folder.filename().string());
  } catch (const Json::exception& exception) {
    return InvalidFile(Printable(file.string()) + ": " + Printable(exception.what()));
  }
}

}  // namespace tandem
