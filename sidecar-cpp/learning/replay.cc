#include "learning/replay.h"

#include <xxhash.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/little_endian.h"
#include "base/regular_file.h"
#include "base/text.h"
#include "learning/learner.h"

namespace tandem {
namespace {

constexpr std::string_view kMagic = "TLEARN01";
constexpr std::size_t kHeadBytes = 5;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{4} << 30;
constexpr std::size_t kMaxTeachers = 16;
constexpr std::size_t kMaxWeights = std::size_t{64} << 20;
// Number of commits with a kept state, for rollbacks.
constexpr std::size_t kMaxStates = 8;

enum Kind : std::uint8_t { kStart = 1, kExample, kHeldOut, kCommit, kOutcome, kRollBack };

// Reads numbers from the front of bytes; `ok` becomes false if there are too few.
struct Bytes {
  std::string_view left;
  bool ok = true;

  template <typename Number>
  Number Take() {
    Number value{};
    if (left.size() < sizeof(value)) {
      ok = false;
      return value;
    }
    std::memcpy(&value, left.data(), sizeof(value));
    left.remove_prefix(sizeof(value));
    return value;
  }

  std::vector<float> Floats(std::size_t count) {
    if (left.size() / sizeof(float) < count) {
      ok = false;
      return {};
    }
    std::vector<float> values(count);
    std::memcpy(values.data(), left.data(), count * sizeof(float));
    left.remove_prefix(count * sizeof(float));
    return values;
  }
};

std::optional<StudentSpec> ReadSpec(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto teachers = json.find("teachers");
  const auto labels = json.find("labels");
  const auto features = json.find("features");
  const auto rate = json.find("rate");
  for (const auto& field : {teachers, labels, features, rate}) {
    if (field == json.end()) return std::nullopt;
  }
  if (!teachers->is_array() || !labels->is_array() || !features->is_number_unsigned() || !rate->is_number())
    return std::nullopt;
  StudentSpec spec{teachers->size(), labels->size(), features->get<std::size_t>(),
                   static_cast<float>(rate->get<double>())};
  if (spec.teachers > kMaxTeachers || spec.labels == 0 || spec.features == 0) return std::nullopt;
  if (spec.features > kMaxWeights / spec.labels) return std::nullopt;
  return spec;
}

std::optional<Example> ReadExample(std::string_view payload, const StudentSpec& spec) {
  Bytes bytes{payload};
  const auto label = bytes.Take<std::uint32_t>();
  const auto present = bytes.Take<std::uint32_t>();
  Example example;
  example.features = bytes.Floats(spec.features);
  example.scores.resize(spec.teachers);
  for (std::size_t k = 0; k < spec.teachers; ++k) {
    if (((present >> k) & 1U) != 0) example.scores[k] = bytes.Floats(spec.labels);
  }
  if (!bytes.ok || !bytes.left.empty() || label > spec.labels) return std::nullopt;
  if (label > 0) example.label = label - 1;
  return example;
}

class Replay {
 public:
  // The reason why it cannot continue; empty: it can.
  std::string Apply(std::uint8_t kind, std::string_view payload) {
    if (kind == kStart) {
      const auto spec = ReadSpec(payload);
      if (!spec || learner_) return "cannot be read";
      spec_ = *spec;
      learner_.emplace(spec_);
      return "";
    }
    if (!learner_) return "comes before the first one";
    switch (kind) {
      case kExample: {
        const auto example = ReadExample(payload, spec_);
        if (!example) return "cannot be read";
        learner_->Learn(*example);
        result.examples += 1;
        return "";
      }
      case kCommit:
        return Commit(payload);
      case kRollBack: {
        Bytes bytes{payload};
        const auto state = states_.find(bytes.Take<std::uint32_t>());
        return state != states_.end() && learner_->Restore(state->second) ? ""
                                                                          : "goes back to a version that is not kept";
      }
      case kHeldOut:
      case kOutcome:
        return "";
      default:
        return "is of an unknown kind";
    }
  }

  void Finish() {
    if (!learner_) return;
    const std::string state = learner_->State();
    result.digest = XXH64(state.data(), state.size(), 0);
  }

  ReplayResult result;

 private:
  std::string Commit(std::string_view payload) {
    Bytes bytes{payload};
    const auto length = bytes.Take<std::uint32_t>();
    if (!bytes.ok || length > bytes.left.size()) return "cannot be read";
    const auto json = nlohmann::json::parse(bytes.left.substr(0, length), nullptr, false);
    const auto version = json.is_object() ? json.find("version") : json.end();
    if (version == json.end() || !version->is_number_unsigned()) return "cannot be read";
    const std::string_view state = bytes.left.substr(length);
    const auto number = version->get<std::uint32_t>();
    if (state != learner_->State()) {
      return "commits version " + std::to_string(number) + ", but the examples before it give another state";
    }
    states_[number] = std::string(state);
    if (states_.size() > kMaxStates) states_.erase(states_.begin());  // versions ascend
    result.commits += 1;
    return "";
  }

  StudentSpec spec_;
  std::optional<Learner> learner_;
  std::map<std::uint32_t, std::string> states_;
};

}  // namespace

Expected<ReplayResult> ReplayLog(const std::string& file) {
  auto whole = ReadWholeFile(file, kMaxFileBytes);
  if (!whole.ok()) return whole.error();
  const std::string_view log = whole.value();
  if (!log.starts_with(kMagic)) return UnusableFile(file, "is not a learning log");
  Replay replay;
  std::uint64_t seed = 0;
  std::size_t at = kMagic.size();
  while (log.size() - at >= kHeadBytes + kChecksumBytes) {
    std::uint32_t length = 0;
    std::memcpy(&length, log.data() + at, sizeof(length));
    const std::size_t bytes = kHeadBytes + length + kChecksumBytes;
    if (bytes > log.size() - at) break;
    const std::string_view hashed = log.substr(at + sizeof(length), 1 + length);
    std::uint64_t checksum = 0;
    std::memcpy(&checksum, hashed.data() + hashed.size(), sizeof(checksum));
    seed = XXH64(hashed.data(), hashed.size(), seed);
    if (seed != checksum) {
      if (at + bytes == log.size()) break;
      return UnusableFile(file, "is damaged at byte " + std::to_string(at));
    }
    const std::string why = replay.Apply(static_cast<std::uint8_t>(hashed[0]), hashed.substr(1));
    if (!why.empty()) return UnusableFile(file, "has a record at byte " + std::to_string(at) + " that " + why);
    at += bytes;
  }
  replay.Finish();
  return replay.result;
}

int PrintReplay(const std::string& file) {
  const auto result = ReplayLog(file);
  if (!result.ok()) {
    std::fprintf(stderr, "tandem-engine: %s\n", Printable(result.error().message).c_str());
    return 1;
  }
  const auto& [examples, commits, digest] = result.value();
  std::printf("examples %" PRIu64 "\ncommits %" PRIu64 "\nstate %016" PRIx64 "\n", examples, commits, digest);
  return 0;
}

}  // namespace tandem
