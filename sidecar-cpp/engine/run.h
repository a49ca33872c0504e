// One batch under way, step by step. Everything that simulates goes through it: RunBatch to the end without a pause,
// a trace with a look at every step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/batch_state.h"
#include "engine/network.h"
#include "engine/node_times.h"
#include "engine/pace.h"
#include "engine/recording.h"
#include "engine/simulator.h"
#include "kernels/elementwise.h"
#include "kernels/neuron.h"
#include "kernels/weights.h"

namespace tandem {

// Not thread-safe. What it is given must outlive it; see RunBatch.
class Run {
 public:
  Run(const Network& network, std::uint64_t model_id, std::uint32_t steps,
      std::span<const std::span<const char>> inputs, Scratch& scratch, RunObserver& observer);

  // From the next step on, notes the time of every node; `times` must outlive this.
  void Measure(NodeTimes& times) {
    times_ = &times;
    times.Start();
  }

  // From the next step on, which must be the first, records item k as item `first` + k of `recorder`; it must outlive
  // this.
  void Record(RunRecorder& recorder, std::size_t first = 0) {
    recorder_ = &recorder;
    first_recorded_ = first;
    recorder.Start();
  }

  // Evaluates every node once, in order. There must be a step left, and an item that runs.
  void Step();

  // All steps that are left; then gives the result of every item that still runs.
  void ToTheEnd();

  // Items that neither failed nor were abandoned.
  [[nodiscard]] std::size_t running() const { return running_; }
  [[nodiscard]] bool running(std::size_t item) const { return items_[item].running; }
  [[nodiscard]] const BatchState& state() const { return state_; }

 private:
  // One item of the batch.
  struct Item {
    bool running = true;
    std::uint64_t total_spikes = 0;
    std::uint64_t synaptic_operations = 0;
    ActiveSources active;  // of the linear node at hand
    bool dense = false;    // the linear node at hand is cheaper without skipping zeros
  };

  template <typename Do>
  void ForEachRunning(Do&& what) {
    for (std::size_t item = 0; item < items_.size(); ++item) {
      if (items_[item].running) what(item);
    }
  }
  void Worked(std::size_t elements);
  void Stop(std::size_t item);
  void FailNotFinite(std::size_t item, std::uint32_t k);

  void Evaluate(std::uint32_t k);
  void TakeInput(std::uint32_t k);
  Rows Gather(std::uint32_t k);
  static StepOutcome EvaluateElements(const NetworkNode& node, const NodeState& state, std::size_t item,
                                      const float* x);
  void EvaluateLinear(std::uint32_t k, const Rows& x);
  void EvaluateConv(std::uint32_t k, const Rows& x);
  void EvaluatePool(std::uint32_t k, const Rows& x);
  bool PoolActive(const NetworkNode& node, std::size_t item, const float* x, float* y);
  void PoolAll(const NetworkNode& node, std::size_t item, const float* x, float* y);
  void EvaluateDelay(std::uint32_t k, const Rows& x);
  void AddPanel(const Panel& panel, std::size_t sources, const Rows& x, const Rows& y);
  void AddActive(const Panel& panel, std::size_t item, const float* x, float* y);
  void ReadOut(std::uint32_t k);
  void Record(const RecordedNode* recorded, std::size_t item) {
    if (recorded == nullptr) return;
    recorder_->Record(*recorded, step_, state_.nodes[recorded->node], item, first_recorded_ + item);
  }
  [[nodiscard]] const RecordedNode* RecordedAs(const NetworkNode& node) const {
    return recorder_ != nullptr && node.recorded ? &network_.recorded[*node.recorded] : nullptr;
  }
  [[nodiscard]] const float* Potential(std::size_t item) const;
  RunResult ResultOf(std::size_t item);

  const Network& network_;
  std::uint64_t model_id_;
  std::uint32_t steps_;
  std::span<const std::span<const char>> inputs_;
  RunObserver& observer_;
  FloatRow& sums_;
  BatchState state_;
  std::vector<Item> items_;
  std::size_t running_;
  std::uint32_t step_ = 0;
  Pace pace_;
  NodeTimes* times_ = nullptr;       // nobody asks
  RunRecorder* recorder_ = nullptr;  // nothing is recorded
  std::size_t first_recorded_ = 0;
};

}  // namespace tandem
