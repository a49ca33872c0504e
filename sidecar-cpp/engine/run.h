// The run of one batch. All simulations use it: RunBatch runs to the end without a pause, and a trace observes every
// step.
//
// A run goes over its batch in blocks (engine/block.h): the constant part first, for all items; then some items through
// some steps, node by node. In a block, a node evaluates its rows, one for each item and step. Rows depend on each
// other only through the item's own state, and steps of an item come in order. So a type of node is one function of one
// row (EvaluateRow), and does not depend on blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/batch_state.h"
#include "engine/block.h"
#include "engine/network.h"
#include "engine/node_times.h"
#include "engine/check_interval.h"
#include "engine/recording.h"
#include "engine/simulator.h"
#include "kernels/dense.h"
#include "kernels/elementwise.h"
#include "kernels/linear.h"
#include "kernels/neuron.h"
#include "kernels/weights.h"

namespace tandem {

// Whether the readout has the potentials of the last step. All others collect something at every step.
inline bool ReadsLastPotential(ReadoutFrom from) {
  return from == ReadoutFrom::kSpikeCount || from == ReadoutFrom::kLastPotential;
}

// Not thread-safe. Its arguments must outlive it; see RunBatch.
class Run {
 public:
  // The shape for a run without observation is that of BlockFor.
  Run(const Network& network, std::uint64_t model_id, std::uint32_t steps, std::span<const RunInput> inputs,
      Scratch& scratch, RunObserver& observer, BlockShape shape);

  // Measures the time of every node from the next step on; `times` must outlive this.
  void Measure(NodeTimes& times) {
    times_ = &times;
    times.Start();
  }

  // Records item k as item `first` + k of `recorder`, from the next step on, which must be the first. `recorder` must
  // outlive this.
  void Record(RunRecorder& recorder, std::size_t first = 0) {
    recorder_ = &recorder;
    first_recorded_ = first;
    recorder.Start();
  }

  // Evaluates every node once, in order. There must be another step and a running item, and the shape must be
  // StepByStep.
  void Step();

  // Runs all remaining steps, and then gives the result of every item that still runs.
  void ToTheEnd();

  // The number of items that have neither failed nor been abandoned.
  [[nodiscard]] std::size_t running() const { return running_; }
  [[nodiscard]] bool running(std::size_t item) const { return items_[item].running; }
  [[nodiscard]] const BatchState& state() const { return state_; }

 private:
  // The place at which a run became NaN or infinite.
  struct Failure {
    std::uint32_t step;
    std::uint32_t node;
  };
  // One item of the batch.
  struct Item {
    bool running = true;
    std::optional<Failure> failure;  // the first one found so far
    std::uint32_t steps_before = 0;  // from its session's state
    std::uint64_t total_spikes = 0;
    std::uint64_t synaptic_operations = 0;
  };
  // A row of the present linear node, added source by source.
  struct ValueRow {
    std::size_t item;
    std::span<const std::uint32_t> active;
    const float* x;
    float* y;
  };
  // The inputs and outputs of one row of a node.
  struct RowOfNode {
    const float* x;
    float* y;
    float* current;
    float* potential;
  };

  template <typename Do>
  void ForEachRunning(Do&& what);
  template <typename Do>
  void ForEachRow(std::uint32_t k, const Block& block, Do&& what);
  [[nodiscard]] bool Runs(std::size_t item, std::uint32_t k, std::uint32_t step) const;
  [[nodiscard]] std::uint32_t StepsToRun(std::size_t item, std::uint32_t k, const Block& block) const;
  void CountWork(std::size_t elements);
  void Stop(std::size_t item);
  void Fail(std::size_t item, std::uint32_t k, std::uint32_t step);
  void ReportFailure(std::size_t item);

  void BeginItems(std::size_t first);
  void EvaluateConstantPart();
  void GoOnFromStates();
  void EvaluateBlock(const Block& block);
  void EvaluateItems(std::size_t first, std::size_t end);
  void Evaluate(std::uint32_t k, const Block& block);
  void TakeInput(std::uint32_t k, const Block& block);
  void SumSources(std::uint32_t k, const Block& block);
  [[nodiscard]] const float* InputOf(const NetworkNode& node, std::size_t item, std::uint32_t step,
                                     const Block& block) const;
  static StepOutcome EvaluateRow(const NetworkNode& node, const RowOfNode& row);
  static void KeepAboveMin(const NetworkNode& node, const RowOfNode& row);
  void EvaluateLif(std::uint32_t k, const Block& block);
  bool StepLifs(std::uint32_t k, const Block& block, std::size_t item, std::uint32_t first, std::uint32_t steps);
  void EvaluateLinear(std::uint32_t k, const Block& block);
  void EvaluateConv(std::uint32_t k, const Block& block);
  void AddSources(const ConvWeights& weights, std::size_t item, std::span<const std::uint32_t> active, bool all_one,
                  const float* x, float* y);
  void EvaluatePool(std::uint32_t k, const Block& block);
  bool PoolActive(std::uint32_t k, std::size_t item, std::uint32_t step, const Block& block);
  void PoolAll(const NetworkNode& node, std::size_t item, const float* x, float* y);
  void EvaluateDelay(std::uint32_t k, const Block& block);
  void EndRow(std::uint32_t k, std::size_t item, std::uint32_t step, const Block& block);
  [[nodiscard]] ActiveSources ActiveOf(const NetworkNode& node, std::size_t item, std::uint32_t step,
                                       const Block& block, const std::uint32_t*& index);
  void AddDenseRows(const Panel& panel, std::size_t sources);
  void AddSpikeRows(const Panel& panel, const float* start);
  void AddValueRows(const Panel& panel);
  void CheckSums(std::uint32_t k, std::size_t item, const Block& block);
  void ReadOut(std::size_t item, std::uint32_t step, const RecordedRow& row);
  void AfterRow(std::uint32_t k, std::size_t item, std::uint32_t step, const Block& block);
  void AfterRow(std::uint32_t k, std::size_t item, std::uint32_t step, const RecordedRow& row);
  void Finish(std::size_t item);
  RunResult ResultOf(std::size_t item);
  [[nodiscard]] std::uint64_t InputDigestOf(std::size_t item) const;

  const Network& network_;
  std::uint64_t model_id_;
  std::uint32_t steps_;
  std::span<const RunInput> inputs_;
  RunObserver& observer_;
  BlockShape shape_;
  FloatRow& sums_;  // of one row of a convolution
  BatchState state_;
  std::vector<Item> items_;
  std::vector<DenseRow> dense_rows_;  // of the present linear node
  std::vector<SpikeRow> spike_rows_;
  std::vector<ValueRow> value_rows_;
  std::size_t running_;
  std::uint32_t step_ = 0;  // of Step
  CheckInterval check_interval_;
  NodeTimes* times_ = nullptr;       // not requested
  RunRecorder* recorder_ = nullptr;  // nothing is recorded
  std::size_t first_recorded_ = 0;
};

// Returns true if node k must be evaluated for this row. A later node of a block may fail at an earlier step than the
// known failure. Rows after that failure are not needed.
inline bool Run::Runs(std::size_t item, std::uint32_t k, std::uint32_t step) const {
  const Item& it = items_[item];
  if (!it.running) return false;
  if (!it.failure) return true;
  return step < it.failure->step || (step == it.failure->step && k < it.failure->node);
}

// The node's input: the row of its only source, or the result of SumSources.
inline const float* Run::InputOf(const NetworkNode& node, std::size_t item, std::uint32_t step,
                                 const Block& block) const {
  if (node.sources.size() > 1 || node.reads_itself) return state_.sum(block.RowOf(item, step));
  return state_.nodes[node.sources[0].node].out.At(item, step - block.first_step);
}

template <typename Do>
void Run::ForEachRow(std::uint32_t k, const Block& block, Do&& what) {
  for (std::size_t item = block.first_item; item < block.end_item; ++item) {
    for (std::uint32_t step = block.first_step; step < block.end_step && Runs(item, k, step); ++step) what(item, step);
  }
}

}  // namespace tandem
