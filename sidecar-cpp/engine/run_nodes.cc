// Evaluates one node in a block: elementwise and linear nodes.
#include <algorithm>

#include "engine/run.h"
#include "kernels/dense.h"
#include "kernels/elementwise.h"
#include "kernels/integrator.h"
#include "kernels/lif_steps.h"
#include "kernels/linear.h"

namespace tandem {
namespace {

// Maximum sources in one kernel call, so that a very large layer cannot delay a deadline.
constexpr std::size_t kSourcesPerCall = 1024;

FireParams FireOf(const NetworkNode& node) {
  return {node.threshold.data(), node.reset.empty() ? nullptr : node.reset.data(), node.rule};
}
LifParams MembraneOf(const NetworkNode& node) {
  return {node.a.data(), node.v_leak.data(), node.r.data(), FireOf(node), node.lif_gain};
}
CubaParams CubaOf(const NetworkNode& node) {
  return {node.b.data(), node.w_in.data(), MembraneOf(node), node.synapse_gain};
}

void CountListed(std::span<const std::uint32_t> spikes, std::uint32_t* counts) {
  for (const std::uint32_t neuron : spikes) ++counts[neuron];
}

}  // namespace

StepOutcome Run::EvaluateRow(const NetworkNode& node, const RowOfNode& row) {
  const std::size_t n = PaddedSize(node.out);
  switch (node.type) {
    case NodeType::kScale:
      return {0, ScaleRow(n, node.scale.data(), row.x, row.y)};
    case NodeType::kThreshold:
      ThresholdRow(n, node.threshold.data(), row.x, row.y);
      return {};
    case NodeType::kLif:  // a node without spike lists
      return StepLif(MembraneOf(node), n, row.x, row.potential, row.y);
    case NodeType::kLi:
      return StepLi(MembraneOf(node), n, row.x, row.potential, row.y);
    case NodeType::kIf:
      return StepIf({node.scale.data(), FireOf(node)}, n, row.x, row.potential, row.y);
    case NodeType::kCubaLif:
      return StepCubaLif(CubaOf(node), n, row.x, row.current, row.potential, row.y);
    case NodeType::kCubaLi:
      return StepCubaLi(CubaOf(node), n, row.x, row.current, row.potential, row.y);
    case NodeType::kI:
      return {0, StepIntegrator(n, node.scale.data(), row.x, row.potential, row.y)};
    default:
      break;
  }
  std::copy_n(row.x, n, row.y);
  return {};
}

// An output that is the potential changes with it.
void Run::KeepAboveMin(const NetworkNode& node, const RowOfNode& row) {
  const std::size_t n = PaddedSize(node.out);
  KeepLarger(n, node.v_min.data(), row.potential);
  if (!IsSpikingNeuron(node.type)) std::copy_n(row.potential, n, row.y);
}

// All steps of an item in one call.
void Run::EvaluateLif(std::uint32_t k, const Block& block) {
  const std::size_t n = PaddedSize(network_.nodes[k].out);
  float* const before = state_.before();
  for (std::size_t item = block.first_item; item < block.end_item; ++item) {
    const std::uint32_t steps = StepsToRun(item, k, block);
    if (steps == 0) continue;
    float* const v = state_.nodes[k].potential[item];
    std::copy_n(v, n, before);
    if (!StepLifs(k, block, item, block.first_step, steps)) {
      // Again step by step, to find the failing one.
      std::copy_n(before, n, v);
      for (std::uint32_t step = block.first_step; StepLifs(k, block, item, step, 1); ++step) continue;
    }
    CountWork(n * steps);
  }
}

// Runs steps [first, first + steps) of one item. Returns false if a value was not finite: for one step it records the
// failure; for several steps the failing one is not known.
bool Run::StepLifs(std::uint32_t k, const Block& block, std::size_t item, std::uint32_t first, std::uint32_t steps) {
  const NetworkNode& node = network_.nodes[k];
  NodeState& state = state_.nodes[k];
  const std::size_t n = PaddedSize(node.out);
  const bool reads_out = k == network_.readout;
  const bool watched =
      (recorder_ != nullptr && node.recorded) || (reads_out && !ReadsLastPotential(network_.readout_from));
  const std::uint32_t offset = first - block.first_step;
  const float* const x = InputOf(node, item, first, block);
  LifSteps run;
  run.steps = steps;
  run.x = x;
  run.x_stride = steps > 1 ? static_cast<std::size_t>(InputOf(node, item, first + 1, block) - x) : 0;
  run.v = state.potential[item];
  run.v_trace = watched ? state_.trace() : nullptr;
  const bool needs_rows = !node.only_lists || watched || shape_.keeps_all_rows;
  run.y = needs_rows ? state.out.At(item, offset) : nullptr;
  run.spikes = state_.spikes(k, item, offset);
  run.spikes_stride = state.spikes.step_stride;
  run.counts = state.spike_counts.data() + block.RowOf(item, first);
  if (!StepsLif(MembraneOf(node), n, run)) {
    if (steps == 1) Fail(item, k, first);
    return false;
  }
  for (std::uint32_t step = 0; step < steps; ++step) {
    items_[item].total_spikes += run.counts[step];
    if (reads_out) CountListed({run.spikes + step * run.spikes_stride, run.counts[step]}, state_.counts(item));
    if (watched) AfterRow(k, item, first + step, {run.y + step * n, nullptr, run.v_trace + step * n});
  }
  return true;
}

// The elements of the input that are not 0: the list of its source, or a list that is made here.
ActiveSources Run::ActiveOf(const NetworkNode& node, std::size_t item, std::uint32_t step, const Block& block,
                            const std::uint32_t*& index) {
  const std::uint32_t source = node.sources[0].node;
  const std::size_t row = block.RowOf(item, step);
  if (node.sources.size() == 1 && ListsSpikes(network_.nodes[source])) {
    index = state_.spikes(source, item, step - block.first_step);
    return {state_.nodes[source].spike_counts[row], true};
  }
  index = state_.active(row);
  return CollectActive(PaddedSize(node.in), InputOf(node, item, step, block), state_.active(row));
}

void Run::EvaluateLinear(std::uint32_t k, const Block& block) {
  const NetworkNode& node = network_.nodes[k];
  dense_rows_.clear();
  spike_rows_.clear();
  value_rows_.clear();
  ForEachRow(k, block, [&](std::size_t item, std::uint32_t step) {
    const float* const x = InputOf(node, item, step, block);
    float* const y = state_.nodes[k].out.At(item, step - block.first_step);
    const std::uint32_t* index = nullptr;
    const ActiveSources active = ActiveOf(node, item, step, block, index);
    items_[item].synaptic_operations += std::uint64_t{active.count} * node.out;
    CountWork(node.in / 4);
    if (active.all_one) return spike_rows_.push_back({{index, active.count}, y});
    std::copy(node.start.begin(), node.start.end(), y);
    // Skipping zeros costs an index for each source. It is slower if few are zero, and adding the product of a zero
    // does not change the sum.
    if (!node.starts_at_minus_zero && active.count * 4 >= std::size_t{3} * node.in) {
      dense_rows_.push_back({x, y});
    } else {
      value_rows_.push_back({item, {index, active.count}, x, y});
    }
  });
  for (std::size_t p = 0; p < node.weights->panel_count(); ++p) {
    AddDenseRows(node.weights->panel(p), node.in);
    AddSpikeRows(node.weights->panel(p), node.start.data());
    AddValueRows(node.weights->panel(p));
  }
  for (std::size_t item = block.first_item; item < block.end_item; ++item) CheckSums(k, item, block);
  if (node.constant || k != network_.readout) return;
  ForEachRow(k, block, [&](std::size_t item, std::uint32_t step) { AfterRow(k, item, step, block); });
}

// All rows of an item at once, since nearly always all of them are finite.
void Run::CheckSums(std::uint32_t k, std::size_t item, const Block& block) {
  const std::size_t n = PaddedSize(network_.nodes[k].out);
  const float* const y = state_.nodes[k].out.At(item, 0);
  const std::uint32_t steps = StepsToRun(item, k, block);
  if (AllFinite(steps * n, y)) return;
  std::uint32_t step = 0;
  while (AllFinite(n, y + step * n)) ++step;
  Fail(item, k, block.first_step + step);
}

// Adds the weights of one panel to all rows of the block, while they are in the cache.
void Run::AddDenseRows(const Panel& panel, std::size_t sources) {
  for (std::size_t begin = 0; begin < sources && !dense_rows_.empty() && running_ > 0; begin += kSourcesPerCall) {
    const std::size_t end = std::min(sources, begin + kSourcesPerCall);
    AddDense(panel, begin, end, dense_rows_);
    CountWork((end - begin) * panel.width * dense_rows_.size() / 2);
  }
}

void Run::AddSpikeRows(const Panel& panel, const float* start) {
  std::size_t longest = 0;
  std::size_t sources = 0;
  for (const SpikeRow& row : spike_rows_) {
    longest = std::max(longest, row.active.size());
    sources += row.active.size();
  }
  for (std::size_t begin = 0; begin == 0 || (begin < longest && running_ > 0); begin += kSourcesPerCall) {
    AddSpikes(panel, start, begin, begin + kSourcesPerCall, spike_rows_);
    CountWork(std::min(sources, kSourcesPerCall * spike_rows_.size()) * panel.width / 2);
  }
}

void Run::AddValueRows(const Panel& panel) {
  for (const ValueRow& row : value_rows_) {
    for (std::size_t begin = 0; begin < row.active.size() && items_[row.item].running; begin += kSourcesPerCall) {
      const auto some = row.active.subspan(begin, std::min(kSourcesPerCall, row.active.size() - begin));
      AddValues(panel, some, row.x, row.y);
      CountWork(some.size() * panel.width / 2);
    }
  }
}

}  // namespace tandem
