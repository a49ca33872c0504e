#include "engine/run.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/text.h"
#include "engine/fingerprints.h"
#include "kernels/linear.h"

namespace tandem {
namespace {

// Sources that one kernel call goes through at most, so that a huge layer cannot hold up a deadline.
constexpr std::size_t kSourcesPerCall = 4096;

constexpr std::size_t kMaxDenseRows = 8;

FireParams FireOf(const NetworkNode& node) {
  return {node.threshold.data(), node.reset.empty() ? nullptr : node.reset.data(), node.rule};
}
LifParams MembraneOf(const NetworkNode& node) {
  return {node.a.data(), node.v_leak.data(), node.r.data(), FireOf(node), node.lif_gain};
}
CubaParams CubaOf(const NetworkNode& node) {
  return {node.b.data(), node.w_in.data(), MembraneOf(node), node.synapse_gain};
}

}  // namespace

Run::Run(const Network& network, std::uint64_t model_id, std::uint32_t steps,
         std::span<const std::span<const char>> inputs, Scratch& scratch, RunObserver& observer)
    : network_(network),
      model_id_(model_id),
      steps_(steps),
      inputs_(inputs),
      observer_(observer),
      state_(network, inputs.size(), scratch),
      items_(inputs.size()),
      running_(inputs.size()) {}

void Run::Step() {
  for (std::uint32_t k = 0; k < network_.nodes.size() && running_ > 0; ++k) {
    if (step_ == 0 || !network_.nodes[k].constant) {
      Evaluate(k);
    } else if (const RecordedNode* recorded = RecordedAs(network_.nodes[k])) {
      // It keeps the output of step 0 in its row, and so has it at every step.
      ForEachRunning([&](std::size_t item) { Record(recorded, item); });
    }
    if (k == network_.readout) ReadOut(k);
    if (times_ != nullptr) times_->Evaluated(k);
  }
  ++step_;
  if (recorder_ != nullptr && running_ > 0) recorder_->EndStep();
}

void Run::ToTheEnd() {
  while (step_ < steps_ && running_ > 0) Step();
  for (std::size_t item = 0; item < items_.size(); ++item) {
    if (items_[item].running) observer_.Finished(item, ResultOf(item));
  }
}

template <typename Do>
void Run::ForEachRunning(Do&& what) {
  for (std::size_t item = 0; item < items_.size(); ++item) {
    if (items_[item].running) what(item);
  }
}

void Run::Worked(std::size_t elements) {
  if (!pace_.Worked(elements)) return;
  ForEachRunning([&](std::size_t item) {
    if (observer_.Abandoned(item)) Stop(item);
  });
}

void Run::Stop(std::size_t item) {
  items_[item].running = false;
  --running_;
}

void Run::FailNotFinite(std::size_t item, std::uint32_t k) {
  const std::string node = Printable(network_.nodes[k].name);
  const std::string step = std::to_string(step_);
  Stop(item);
  observer_.Finished(item, Error{Code::kOutOfRange,
                                 "NON_FINITE",
                                 "node \"" + node + "\" became NaN or infinite at step " + step +
                                     "; check the model's weights, dt and the range of the input",
                                 {{"step", step}, {"node", node}}});
}

void Run::Evaluate(std::uint32_t k) {
  const NetworkNode& node = network_.nodes[k];
  if (k == network_.input) return TakeInput(k);
  const Rows x = Gather(k);
  if (node.weights) return EvaluateLinear(k, x);
  const RecordedNode* const recorded = RecordedAs(node);
  ForEachRunning([&](std::size_t item) {
    const StepOutcome outcome = EvaluateElements(node, state_.nodes[k], item, x[item]);
    if (IsSpikingNeuron(node.type)) items_[item].total_spikes += outcome.spikes;
    if (!outcome.finite) FailNotFinite(item, k);
    Record(recorded, item);  // while the rows are in the nearest cache
    Worked(PaddedSize(node.out));
  });
}

void Run::TakeInput(std::uint32_t k) {
  const std::size_t bytes = network_.input_size() * sizeof(float);
  const std::size_t offset = network_.input_kind == InputKind::kSeries ? step_ * bytes : 0;
  ForEachRunning([&](std::size_t item) {
    std::memcpy(state_.nodes[k].out[item], inputs_[item].data() + offset, bytes);
    Record(RecordedAs(network_.nodes[k]), item);
    Worked(network_.input_size());
  });
}

// The node's input: its one source's rows as they lie, or the sum of several. A delayed source was not evaluated yet
// in this step (it comes later in the order), so its rows still hold the previous step.
Rows Run::Gather(std::uint32_t k) {
  const NetworkNode& node = network_.nodes[k];
  const Rows first = state_.nodes[node.sources[0].node].out;
  if (node.sources.size() == 1 && !node.reads_itself) return first;
  const std::size_t n = PaddedSize(node.in);
  const Rows sum{state_.sum.base, n};
  ForEachRunning([&](std::size_t item) {
    bool finite = true;
    std::copy_n(first[item], n, sum[item]);
    for (std::size_t s = 1; s < node.sources.size(); ++s) {
      finite &= AddRows(n, sum[item], state_.nodes[node.sources[s].node].out[item], sum[item]);
    }
    if (!finite) FailNotFinite(item, k);
    Worked(n * node.sources.size());
  });
  return sum;
}

StepOutcome Run::EvaluateElements(const NetworkNode& node, const NodeState& state, std::size_t item, const float* x) {
  const std::size_t n = PaddedSize(node.out);
  float* y = state.out[item];
  switch (node.type) {
    case NodeType::kScale:
      return {0, ScaleRow(n, node.scale.data(), x, y)};
    case NodeType::kThreshold:
      ThresholdRow(n, node.threshold.data(), x, y);
      return {};
    case NodeType::kLif:
      return StepLif(MembraneOf(node), n, x, state.potential[item], y);
    case NodeType::kLi:
      return StepLi(MembraneOf(node), n, x, state.potential[item], y);
    case NodeType::kIf:
      return StepIf({node.scale.data(), FireOf(node)}, n, x, state.potential[item], y);
    case NodeType::kCubaLif:
      return StepCubaLif(CubaOf(node), n, x, state.current[item], state.potential[item], y);
    case NodeType::kCubaLi:
      return StepCubaLi(CubaOf(node), n, x, state.current[item], state.potential[item], y);
    case NodeType::kInput:
    case NodeType::kOutput:
    case NodeType::kFlatten:
    case NodeType::kLinear:
    case NodeType::kAffine:
      break;
  }
  std::copy_n(x, n, y);
  return {};
}

void Run::EvaluateLinear(std::uint32_t k, const Rows& x) {
  const NetworkNode& node = network_.nodes[k];
  const Rows y = state_.nodes[k].out;
  ForEachRunning([&](std::size_t item) {
    Item& it = items_[item];
    it.active = CollectActive(PaddedSize(node.in), x[item], state_.active(item));
    it.synaptic_operations += std::uint64_t{it.active.count} * node.out;
    // Skipping costs an index a source; where few are zero, and adding a zero's product is harmless, it does not pay.
    it.dense = !it.active.all_one && !node.starts_at_minus_zero && it.active.count * 4 >= std::size_t{3} * node.in;
    std::copy(node.start.begin(), node.start.end(), y[item]);
    Worked(node.in / 4);
  });
  for (std::size_t p = 0; p < node.weights->panel_count(); ++p) AddPanel(node.weights->panel(p), node.in, x, y);
  ForEachRunning([&](std::size_t item) {
    if (!AllFinite(PaddedSize(node.out), y[item])) FailNotFinite(item, k);
    Record(RecordedAs(node), item);
  });
}

// Adds one panel's weights for the whole batch, while they are in the cache. Neighbouring dense items go together.
void Run::AddPanel(const Panel& panel, std::size_t sources, const Rows& x, const Rows& y) {
  std::size_t item = 0;
  while (item < items_.size()) {
    std::size_t end = item;
    while (end < items_.size() && items_[end].running && items_[end].dense) ++end;
    if (end == item) {
      if (items_[item].running) AddActive(panel, item, x[item], y[item]);
      ++item;
      continue;
    }
    const std::size_t rows = std::min<std::size_t>(end - item, kMaxDenseRows);
    for (std::size_t begin = 0; begin < sources; begin += kSourcesPerCall) {
      const std::size_t stop = std::min(sources, begin + kSourcesPerCall);
      AddDense(panel, begin, stop, rows, x[item], x.stride, y[item], y.stride);
      Worked((stop - begin) * panel.width * rows / 2);
    }
    item += rows;
  }
}

void Run::AddActive(const Panel& panel, std::size_t item, const float* x, float* y) {
  const std::span<const std::uint32_t> active(state_.active(item), items_[item].active.count);
  for (std::size_t begin = 0; begin < active.size() && items_[item].running; begin += kSourcesPerCall) {
    const auto some = active.subspan(begin, std::min(kSourcesPerCall, active.size() - begin));
    if (items_[item].active.all_one) {
      AddSpikes(panel, some, y);
    } else {
      AddValues(panel, some, x, y);
    }
    Worked(some.size() * panel.width / 2);
  }
}

void Run::ReadOut(std::uint32_t k) {
  const NetworkNode& node = network_.nodes[k];
  const std::size_t n = PaddedSize(node.out);
  const bool spikes = IsSpikingNeuron(node.type) || node.type == NodeType::kThreshold;
  const bool mean = network_.readout_from == ReadoutFrom::kMeanPotential;
  ForEachRunning([&](std::size_t item) {
    if (spikes) CountSpikes(n, state_.nodes[k].out[item], state_.counts(item));
    if (!mean) return;
    const bool finite = AddRows(n, state_.mean[item], Potential(item), state_.mean[item]);
    // A sum that left the finite range does not come back, so the last step's answer holds for all.
    if (!finite && step_ + 1 == steps_) FailNotFinite(item, k);
  });
}

const float* Run::Potential(std::size_t item) const {
  const NodeState& readout = state_.nodes[network_.readout];
  return HasPotential(network_.nodes[network_.readout].type) ? readout.potential[item] : readout.out[item];
}

RunResult Run::ResultOf(std::size_t item) {
  const std::size_t n = network_.output_size();
  RunResult result;
  result.steps = steps_;
  result.spike_counts.assign(state_.counts(item), state_.counts(item) + n);
  const float* potential = Potential(item);
  if (network_.readout_from == ReadoutFrom::kMeanPotential) {
    DivideRow(PaddedSize(n), static_cast<float>(steps_), state_.mean[item], state_.mean[item]);
    potential = state_.mean[item];
  }
  result.potentials.assign(potential, potential + n);
  result.total_spikes = items_[item].total_spikes;
  result.synaptic_operations = items_[item].synaptic_operations;
  result.readout_digest = ReadoutDigest(result);
  result.state_digest = StateDigest(network_, model_id_, result, state_, item);
  return result;
}

}  // namespace tandem
