// RunBatch of the faulty build. The linker prefers an object file to a static library: with this one it leaves out
// engine/simulator.cc. Everything else is the same code as in the ordinary engine.
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <mutex>
#include <thread>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engine/digest.h"
#include "engine/fingerprints.h"
#include "engine/run.h"
#include "engine/session_state_layout.h"
#include "engine/simulator.h"
#include "faults/faults.h"
#include "faults/harm.h"
#include "faults/one_shot.h"

namespace tandem {
namespace {

// How often a delayed batch checks whether it was abandoned.
constexpr std::chrono::milliseconds kLook{10};

// The first run changes the weights, after they were loaded and checked.
void HarmWeightsOnce(const Network& network, const Faults& faults) {
  static std::mutex mutex;
  static std::unordered_set<const Network*> flipped;
  const std::lock_guard lock(mutex);
  if (!flipped.insert(&network).second) return;
  const auto tell = [](const FlippedWeight& was) {
    std::fprintf(stderr, "fault: node %s: weight from %u to %u: bit %u flipped, %.9g became %.9g\n", was.node.c_str(),
                 was.source, was.target, was.bit, static_cast<double>(was.before), static_cast<double>(was.after));
  };
  for (std::uint32_t k = 0; k < faults.weights; ++k) tell(FlipWeightBit(network, Draw(faults.seed, k)));
  const std::uint64_t other = Draw(faults.seed, faults.weights);
  if (faults.exponent_bit) tell(FlipBitOfWeight(network, other, *faults.exponent_bit));
  if (!faults.nan_weight) return;
  const FlippedWeight was = MakeWeightNan(network, other);
  std::fprintf(stderr, "fault: node %s: weight from %u to %u: %.9g became NaN\n", was.node.c_str(), was.source,
               was.target, static_cast<double>(was.before));
}

// Puts the wrong readout into the state, too, so that it matches the digest.
void TakeReadout(const RunResult& result, std::string& state) {
  const std::size_t bytes = result.spike_counts.size() * sizeof(float);
  std::memcpy(state.data() + kCountsAt, result.spike_counts.data(), bytes);
  std::memcpy(state.data() + kCountsAt + bytes, result.potentials.data(), bytes);
  const std::size_t checked = state.size() - kChecksumBytes;
  const std::uint64_t checksum = DigestOf(std::string_view(state).substr(0, checked));
  std::memcpy(state.data() + checked, &checksum, sizeof(checksum));
}

// Changes the results of a run before its observer gets them.
class Liar final : public RunObserver {
 public:
  Liar(const Network& network, std::uint64_t model_id, std::uint32_t steps, const Faults& faults, std::size_t items,
       RunObserver& to)
      : network_(network), model_id_(model_id), steps_(steps), faults_(faults), abandoned_(items, false), to_(to) {}

  bool Abandoned(std::size_t item) override {
    if (!abandoned_[item]) abandoned_[item] = to_.Abandoned(item);
    return abandoned_[item];
  }

  void Finished(std::size_t item, Expected<RunResult> result) override {
    // The item was abandoned before the run, and has its answer already.
    if (abandoned_[item]) return;
    if (Refuses()) {
      result = RefusalFor(network_, faults_.refuse);
    } else if (result.ok() && run_ != nullptr) {
      Falsify(item, result.value());
    }
    to_.Finished(item, std::move(result));
  }

  // Waits for the delay. Returns false if all items were abandoned.
  bool Delay() {
    const TimePoint end = Clock::now() + faults_.delay;
    while (Clock::now() < end) {
      std::size_t waiting = 0;
      for (std::size_t item = 0; item < abandoned_.size(); ++item) waiting += Abandoned(item) ? 0 : 1;
      if (waiting == 0) return false;
      std::this_thread::sleep_for(kLook);
    }
    return true;
  }

  void set_run(const Run& run) { run_ = &run; }

 private:
  [[nodiscard]] bool Refuses() const {
    static std::atomic<std::uint64_t> answers = 0;
    return faults_.refusals > 0 && Happens(faults_.refusals, Draw(faults_.seed, answers++));
  }

  void Falsify(std::size_t item, RunResult& result) {
    static std::atomic<std::uint64_t> answers = 0;
    const std::uint64_t drawn = Draw(faults_.seed, answers++);
    // It depends on the run, not on its time: two engines with one seed give the same result.
    const std::uint64_t which = Draw(faults_.seed, result.state_digest);
    if (Happens(faults_.answers, drawn)) {
      FlipReadoutBit(network_.readout_from, which, result);
    } else if (Happens(faults_.runs, drawn)) {
      FlipReadoutBit(network_.readout_from, which, result);
      TakeDigests(item, result);
    } else if (Happens(faults_.nans, drawn)) {
      result.potentials.assign(result.potentials.size(), std::numeric_limits<float>::quiet_NaN());
      TakeDigests(item, result);
    }
  }

  void TakeDigests(std::size_t item, RunResult& result) const {
    result.readout_digest = ReadoutDigest(result);
    result.state_digest = StateDigest(network_, model_id_, result, run_->state(), item, steps_);
    if (!result.state.empty()) TakeReadout(result, result.state);
  }

  const Network& network_;
  const std::uint64_t model_id_;
  const std::uint32_t steps_;
  const Faults& faults_;
  std::vector<bool> abandoned_;
  RunObserver& to_;
  const Run* run_ = nullptr;  // of the whole batch; none where items run one by one
};

// One item of a batch as a separate batch.
class OneItem final : public RunObserver {
 public:
  OneItem(RunObserver& to, std::size_t item) : to_(to), item_(item) {}
  bool Abandoned(std::size_t) override { return to_.Abandoned(item_); }
  void Finished(std::size_t, Expected<RunResult> result) override { to_.Finished(item_, std::move(result)); }

 private:
  RunObserver& to_;
  const std::size_t item_;
};

void AppendLine(const std::string& file, const std::string& line) {
  static std::mutex mutex;
  if (file.empty()) return;
  const std::lock_guard lock(mutex);
  std::ofstream(file, std::ios::app) << line << '\n';
}

// Runs a batch item by item, and a share of the items with a one-shot fault. The log line is written before the answer
// is sent.
void RunWithOneShots(const Network& network, std::uint64_t model_id, std::uint32_t steps,
                     std::span<const RunInput> inputs, Scratch& scratch, RunObserver& observer, NodeTimes* times,
                     RunRecorder* recorder, const Faults& faults) {
  static std::atomic<std::uint64_t> runs = 0;
  for (std::size_t item = 0; item < inputs.size(); ++item) {
    if (observer.Abandoned(item)) continue;
    const std::uint64_t drawn = Draw(faults.seed, runs++);
    if (!Happens(faults.oneshot, drawn)) {
      OneItem alone(observer, item);
      Run run(network, model_id, steps, inputs.subspan(item, 1), scratch, alone, BlockFor(network, 1, steps));
      if (times != nullptr) run.Measure(*times);
      if (recorder != nullptr) run.Record(*recorder, item);
      run.ToTheEnd();
      continue;
    }
    OneShotReport report = RunOneShot(
        network, model_id, steps, inputs[item], DrawOneShot(network, steps, drawn),
        [&observer, item] { return observer.Abandoned(item); }, recorder, item);
    if (!report.result) continue;
    AppendLine(faults.log_file, ToJson(network, report));
    observer.Finished(item, *std::move(report.result));
  }
}

}  // namespace
}  // namespace tandem

// The name is qualified, so that a changed declaration in engine/simulator.h is a compile error, not another function.
void tandem::RunBatch(const Network& network, std::uint64_t model_id, std::uint32_t steps,
                      std::span<const RunInput> inputs, Scratch& scratch, RunObserver& observer, NodeTimes* times,
                      RunRecorder* recorder) {
  const Faults faults = FaultsNow();
  if (faults.weights > 0 || faults.nan_weight || faults.exponent_bit) HarmWeightsOnce(network, faults);
  Liar liar(network, model_id, steps, faults, inputs.size(), observer);
  if (!liar.Delay()) return;
  if (faults.oneshot > 0) {
    RunWithOneShots(network, model_id, steps, inputs, scratch, liar, times, recorder, faults);
    return;
  }
  Run run(network, model_id, steps, inputs, scratch, liar, BlockFor(network, inputs.size(), steps));
  if (times != nullptr) run.Measure(*times);
  if (recorder != nullptr) run.Record(*recorder);
  liar.set_run(run);
  run.ToTheEnd();
}
