#include "bench/subject.h"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <optional>

#include "base/regular_file.h"
#include "kernels/simd_target.h"
#include "loader/load.h"
#include "loader/sealed_file.h"

namespace tandem::bench {
namespace {

constexpr std::size_t kMaxInputBytes = std::size_t{1} << 30;

std::filesystem::path HighestVersion(const std::filesystem::path& folder) {
  std::filesystem::path highest;
  int version = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const int found = std::atoi(entry.path().filename().c_str());
    if (found > version) {
      version = found;
      highest = entry.path();
    }
  }
  return highest;
}

class Results final : public RunObserver {
 public:
  Results(std::size_t count, BatchRecorder* recorder) : results(count), recorder_(recorder) {}
  bool Abandoned(std::size_t) override { return false; }
  void Finished(std::size_t item, Expected<RunResult> result) override {
    results[item] = OrStop(std::move(result));
    if (recorder_ != nullptr) recorder_->Keep(item, "");
  }
  std::vector<RunResult> results;

 private:
  BatchRecorder* recorder_;
};

double SecondsOf(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + (1e-9 * static_cast<double>(now.tv_nsec));
}

}  // namespace

void Stop(const std::string& why) {
  std::fprintf(stderr, "tandem-bench: %s\n", why.c_str());
  std::exit(1);
}

std::size_t Subject::item_floats() const {
  return network().input_size() * (manifest.input_kind == InputKind::kSeries ? manifest.steps : std::size_t{1});
}

Subject LoadSubject(const std::filesystem::path& folder) {
  const Manifest manifest = OrStop(ParseManifest(OrStop(ReadWholeFile(folder / "model.yaml", 1 << 20))));
  const SealedFile file = OrStop(SealedFile::CopyOf(HighestVersion(folder) / "model.nir", kMaxFileBytes));
  return MakeSubject(OrStop(tandem::Load(file.descriptor(), {}, {})).graph, manifest);
}

Subject MakeSubject(Graph graph, const Manifest& manifest) {
  Subject subject{manifest, std::move(graph), nullptr, {}};
  Model model;
  model.network = OrStop(CompileNetwork(subject.graph, manifest));
  subject.model = std::make_shared<const Model>(std::move(model));
  return subject;
}

void ReadInputs(Subject& subject, const std::filesystem::path& file) {
  const std::string bytes = OrStop(ReadWholeFile(file, kMaxInputBytes));
  const std::size_t item = subject.item_floats() * sizeof(float);
  if (bytes.empty() || bytes.size() % item != 0) {
    Stop(file.string() + ": " + std::to_string(bytes.size()) + " bytes; one input takes " + std::to_string(item));
  }
  for (std::size_t at = 0; at < bytes.size(); at += item) {
    std::memcpy(subject.inputs.emplace_back(subject.item_floats()).data(), bytes.data() + at, item);
  }
}

void UseSimd(const std::string& target) {
  if (ForceSimdTarget(target)) return;
  std::string known;
  for (const std::string& name : SupportedSimdTargets()) known += " " + name;
  Stop("--simd " + target + ": this machine has" + known);
}

std::vector<RunResult> RunInputs(const Subject& subject, std::size_t first, std::size_t count, Scratch& scratch,
                                 RecordingStore* store, NodeTimes* times) {
  std::vector<RunInput> inputs;
  for (std::size_t k = 0; k < count; ++k) {
    const std::vector<float>& input = subject.inputs[(first + k) % subject.inputs.size()];
    inputs.push_back({.values = {reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float)}});
  }
  const std::uint32_t steps = subject.manifest.steps;
  std::optional<BatchRecorder> recorder;
  if (store != nullptr) recorder.emplace(*store, subject.model, steps, count);
  Results results(count, recorder ? &*recorder : nullptr);
  RunBatch(subject.network(), 1, steps, inputs, scratch, results, times, recorder ? recorder->recorder() : nullptr);
  return std::move(results.results);
}

void Stopwatch::Restart() {
  wall_ = SecondsOf(CLOCK_MONOTONIC);
  cpu_ = SecondsOf(CLOCK_PROCESS_CPUTIME_ID);
}

double Stopwatch::Seconds() const {
  return std::min(SecondsOf(CLOCK_MONOTONIC) - wall_, SecondsOf(CLOCK_PROCESS_CPUTIME_ID) - cpu_);
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

}  // namespace tandem::bench
