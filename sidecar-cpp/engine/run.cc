#include "engine/run.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/text.h"
#include "engine/digest.h"
#include "engine/fingerprints.h"
#include "engine/session_state.h"
#include "kernels/elementwise.h"

namespace tandem {

Run::Run(const Network& network, std::uint64_t model_id, std::uint32_t steps, std::span<const RunInput> inputs,
         Scratch& scratch, RunObserver& observer, BlockShape shape)
    : network_(network),
      model_id_(model_id),
      steps_(steps),
      inputs_(inputs),
      observer_(observer),
      shape_(shape),
      sums_(scratch.sums),
      state_(network, inputs.size(), shape, scratch),
      items_(inputs.size()),
      running_(inputs.size()) {
  BeginItems(0);
}

// The number of items from `first` on for the next blocks.
void Run::BeginItems(std::size_t first) {
  state_.BeginItems(first);
  for (std::size_t item = first; item < std::min(items_.size(), first + shape_.items); ++item) {
    if (!inputs_[item].state.empty()) RestoreSessionState(network_, inputs_[item].state, state_, item);
  }
}

void Run::Step() {
  if (step_ == 0) EvaluateConstantPart();
  EvaluateBlock({0, items_.size(), step_, step_ + 1});
  ++step_;
}

void Run::ToTheEnd() {
  if (step_ == 0) EvaluateConstantPart();
  for (std::size_t first = 0; first < items_.size(); first += shape_.items) {
    if (first > 0) BeginItems(first);
    EvaluateItems(first, std::min(items_.size(), first + shape_.items));
  }
}

void Run::EvaluateItems(std::size_t first, std::size_t end) {
  const auto run = [&] {
    return std::any_of(items_.begin() + static_cast<std::ptrdiff_t>(first),
                       items_.begin() + static_cast<std::ptrdiff_t>(end),
                       [](const Item& item) { return item.running; });
  };
  for (std::uint32_t step = step_; step < steps_ && run(); step += shape_.steps) {
    EvaluateBlock({first, end, step, std::min(steps_, step + shape_.steps)});
  }
  for (std::size_t item = first; item < end; ++item) {
    if (items_[item].running) Finish(item);
  }
}

// The constant part has separate blocks: it has one step, and many items can share one loading of its weights.
void Run::EvaluateConstantPart() {
  for (std::size_t first = 0; first < items_.size() && running_ > 0; first += state_.constant_items()) {
    const Block block{first, std::min(items_.size(), first + state_.constant_items()), 0, 1};
    for (std::uint32_t k = 0; k < network_.nodes.size(); ++k) {
      if (!network_.nodes[k].constant) continue;
      Evaluate(k, block);
      if (times_ != nullptr) times_->Evaluated(k);
    }
  }
  GoOnFromStates();
}

// Totals continue from a state. If the input has not changed since, its constant part does not count again.
void Run::GoOnFromStates() {
  for (std::size_t item = 0; item < items_.size(); ++item) {
    if (inputs_[item].state.empty()) continue;
    const SessionTotals before(inputs_[item].state);
    Item& to = items_[item];
    to.steps_before = before.steps;
    to.total_spikes += before.total_spikes;
    if (InputDigestOf(item) == before.input_digest) to.synaptic_operations = 0;
    to.synaptic_operations += before.synaptic_operations;
  }
}

// 0 for a series, which has no constant part.
std::uint64_t Run::InputDigestOf(std::size_t item) const {
  const std::span<const char> values = inputs_[item].values;
  return network_.input_kind == InputKind::kConstant ? DigestOf({values.data(), values.size()}) : 0;
}

void Run::EvaluateBlock(const Block& block) {
  for (std::uint32_t k = 0; k < network_.nodes.size() && running_ > 0; ++k) {
    const NetworkNode& node = network_.nodes[k];
    if (!node.constant) Evaluate(k, block);
    if (node.constant && (k == network_.readout || node.recorded)) {
      // Its row keeps the output of step 0 for every step.
      ForEachRow(k, block, [&](std::size_t item, std::uint32_t step) { AfterRow(k, item, step, block); });
    }
    if (times_ != nullptr) times_->Evaluated(k);
  }
  state_.EndBlock(block.steps() - 1);
  for (std::size_t item = block.first_item; item < block.end_item; ++item) {
    if (items_[item].running && items_[item].failure) ReportFailure(item);
  }
}

template <typename Do>
void Run::ForEachRunning(Do&& what) {
  for (std::size_t item = 0; item < items_.size(); ++item) {
    if (items_[item].running) what(item);
  }
}

// The first steps of a block that an item has for node k.
std::uint32_t Run::StepsToRun(std::size_t item, std::uint32_t k, const Block& block) const {
  std::uint32_t steps = 0;
  while (steps < block.steps() && Runs(item, k, block.first_step + steps)) ++steps;
  return steps;
}

void Run::CountWork(std::size_t elements) {
  if (!check_interval_.IsDue(elements)) return;
  ForEachRunning([&](std::size_t item) {
    if (observer_.Abandoned(item)) Stop(item);
  });
}

void Run::Stop(std::size_t item) {
  items_[item].running = false;
  --running_;
}

void Run::Fail(std::size_t item, std::uint32_t k, std::uint32_t step) { items_[item].failure = Failure{step, k}; }

void Run::ReportFailure(std::size_t item) {
  const std::string node = Printable(network_.nodes[items_[item].failure->node].name);
  const std::string step = std::to_string(items_[item].failure->step);
  if (recorder_ != nullptr) recorder_->End(first_recorded_ + item, items_[item].failure->step);
  Stop(item);
  observer_.Finished(item, Error{Code::kOutOfRange,
                                 "NON_FINITE",
                                 "node \"" + node + "\" became NaN or infinite at step " + step +
                                     "; check the model's weights, dt and the range of the input",
                                 {{"step", step}, {"node", node}}});
}

void Run::Evaluate(std::uint32_t k, const Block& block) {
  const NetworkNode& node = network_.nodes[k];
  if (node.type == NodeType::kOutput && node.only_lists && !shape_.keeps_all_rows) return;
  if (node.input_offset) return TakeInput(k, block);
  if (node.sources.size() > 1 || node.reads_itself) SumSources(k, block);
  if (node.weights) return EvaluateLinear(k, block);
  if (node.conv) return EvaluateConv(k, block);
  if (node.window) return EvaluatePool(k, block);
  if (node.type == NodeType::kDelay) return EvaluateDelay(k, block);
  if (ListsSpikes(node)) return EvaluateLif(k, block);
  const NodeState& state = state_.nodes[k];
  ForEachRow(k, block, [&](std::size_t item, std::uint32_t step) {
    const RowOfNode row{InputOf(node, item, step, block), state.out.At(item, step - block.first_step),
                        state.current.base == nullptr ? nullptr : state.current[item],
                        state.potential.base == nullptr ? nullptr : state.potential[item]};
    const StepOutcome outcome = EvaluateRow(node, row);
    if (IsSpikingNeuron(node.type)) items_[item].total_spikes += outcome.spikes;
    if (!outcome.finite) return Fail(item, k, step);
    if (!node.v_min.empty()) KeepAboveMin(node, row);
    if (!node.constant) AfterRow(k, item, step, block);
    CountWork(PaddedSize(node.out));
  });
}

void Run::TakeInput(std::uint32_t k, const Block& block) {
  const std::size_t size = network_.nodes[k].out;
  ForEachRow(k, block, [&](std::size_t item, std::uint32_t step) {
    const std::size_t before =
        network_.input_kind == InputKind::kSeries ? step * std::size_t{network_.input_size()} : 0;
    const std::size_t first = before + *network_.nodes[k].input_offset;
    float* const to = state_.nodes[k].out.At(item, step - block.first_step);
    std::memcpy(to, inputs_[item].values.data() + first * sizeof(float), size * sizeof(float));
    std::fill(to + size, to + PaddedSize(size), 0.0f);
    if (!network_.nodes[k].constant) AfterRow(k, item, step, block);
    CountWork(size);
  });
}

// A delayed source has not been evaluated in this step (it is later in the order), and a network with one has blocks of
// one step. So its row still has the previous step.
void Run::SumSources(std::uint32_t k, const Block& block) {
  const NetworkNode& node = network_.nodes[k];
  const std::size_t n = PaddedSize(node.in);
  ForEachRow(k, block, [&](std::size_t item, std::uint32_t step) {
    float* const sum = state_.sum(block.RowOf(item, step));
    const auto of = [&](const Source& source) {
      return state_.nodes[source.node].out.At(item, step - block.first_step);
    };
    bool finite = true;
    std::copy_n(of(node.sources[0]), n, sum);
    for (std::size_t s = 1; s < node.sources.size(); ++s) finite &= AddRows(n, sum, of(node.sources[s]), sum);
    if (!finite) Fail(item, k, step);
    CountWork(n * node.sources.size());
  });
}

// Called for each row of a node that is recorded or read out, while it is in the nearest cache.
void Run::AfterRow(std::uint32_t k, std::size_t item, std::uint32_t step, const Block& block) {
  const NodeState& state = state_.nodes[k];
  AfterRow(k, item, step,
           RecordedRow{state.out.At(item, step - block.first_step),
                       state.current.base == nullptr ? nullptr : state.current[item],
                       state.potential.base == nullptr ? nullptr : state.potential[item]});
}

void Run::AfterRow(std::uint32_t k, std::size_t item, std::uint32_t step, const RecordedRow& row) {
  const NetworkNode& node = network_.nodes[k];
  if (recorder_ != nullptr && node.recorded) {
    recorder_->Record(network_.recorded[*node.recorded], step, row, first_recorded_ + item);
  }
  if (k == network_.readout) ReadOut(item, step, row);
}

void Run::ReadOut(std::size_t item, std::uint32_t step, const RecordedRow& row) {
  const NetworkNode& node = network_.nodes[network_.readout];
  const std::size_t n = PaddedSize(node.out);
  const bool fires = IsSpikingNeuron(node.type) || node.type == NodeType::kThreshold;
  if (fires && !ListsSpikes(node)) CountSpikes(n, row.out, state_.counts(item));
  const float* const potential = row.potential != nullptr ? row.potential : row.out;
  float* const collected = state_.collected[item];
  switch (network_.readout_from) {
    case ReadoutFrom::kSpikeCount:
    case ReadoutFrom::kLastPotential:
      break;
    case ReadoutFrom::kMeanPotential:
      // A sum that is not finite never becomes finite again, so the check at the last step is enough.
      if (!AddRows(n, collected, potential, collected) && step + 1 == steps_) Fail(item, network_.readout, step);
      break;
    case ReadoutFrom::kMaxPotential:
      KeepLarger(n, potential, collected);
      break;
    case ReadoutFrom::kFirstSpike:
      if (fires) CountSinceFirst(n, row.out, collected);
      break;
  }
}

void Run::Finish(std::size_t item) {
  if (recorder_ != nullptr) recorder_->End(first_recorded_ + item, steps_);
  observer_.Finished(item, ResultOf(item));
}

RunResult Run::ResultOf(std::size_t item) {
  const std::size_t n = network_.output_size();
  RunResult result;
  result.steps = items_[item].steps_before + steps_;
  result.spike_counts.assign(state_.counts(item), state_.counts(item) + n);
  const NodeState& readout = state_.nodes[network_.readout];
  float* const collected = state_.collected[item];
  std::vector<float> sums;  // for the next run
  if (network_.readout_from == ReadoutFrom::kMeanPotential) {
    if (inputs_[item].return_state) sums.assign(collected, collected + n);
    DivideRow(PaddedSize(n), static_cast<float>(result.steps), collected, collected);
  }
  const float* const last = readout.potential.base != nullptr ? readout.potential[item] : readout.out[item];
  const float* const potential = ReadsLastPotential(network_.readout_from) ? last : collected;
  result.potentials.assign(potential, potential + n);
  result.total_spikes = items_[item].total_spikes;
  result.synaptic_operations = items_[item].synaptic_operations;
  result.readout_digest = ReadoutDigest(result);
  result.state_digest = StateDigest(network_, model_id_, result, state_, item, steps_);
  if (inputs_[item].return_state) {
    result.state = SaveSessionState(network_, model_id_, result, state_, item, steps_, InputDigestOf(item), sums);
  }
  return result;
}

}  // namespace tandem
