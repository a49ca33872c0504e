// How a run evaluates one node in a block: element by element, and linear nodes.
#include <algorithm>

#include "engine/run.h"
#include "kernels/dense.h"
#include "kernels/elementwise.h"
#include "kernels/integrator.h"
#include "kernels/linear.h"

namespace tandem {
namespace {

// Sources that one kernel call goes through at most, so that a huge layer cannot hold up a deadline.
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

}  // namespace

StepOutcome Run::EvaluateRow(const NetworkNode& node, const RowOfNode& row) {
  const std::size_t n = PaddedSize(node.out);
  switch (node.type) {
    case NodeType::kScale:
      return {0, ScaleRow(n, node.scale.data(), row.x, row.y)};
    case NodeType::kThreshold:
      ThresholdRow(n, node.threshold.data(), row.x, row.y);
      return {};
    case NodeType::kLif:
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

void Run::EvaluateLinear(std::uint32_t k, const Block& block) {
  const NetworkNode& node = network_.nodes[k];
  dense_rows_.clear();
  active_rows_.clear();
  ForEachRow(k, block, [&](std::size_t item, std::uint32_t step) {
    const float* const x = InputOf(node, item, step, block);
    float* const y = state_.nodes[k].out.At(item, step - block.first_step);
    std::uint32_t* const index = state_.active(block.RowOf(item, step));
    const ActiveSources active = CollectActive(PaddedSize(node.in), x, index);
    items_[item].synaptic_operations += std::uint64_t{active.count} * node.out;
    std::copy(node.start.begin(), node.start.end(), y);
    // Skipping costs an index a source; where few are zero, and adding a zero's product is harmless, it does not pay.
    if (!active.all_one && !node.starts_at_minus_zero && active.count * 4 >= std::size_t{3} * node.in) {
      dense_rows_.push_back({x, y});
    } else {
      active_rows_.push_back({item, {index, active.count}, active.all_one, x, y});
    }
    Worked(node.in / 4);
  });
  for (std::size_t p = 0; p < node.weights->panel_count(); ++p) {
    AddDenseRows(node.weights->panel(p), node.in);
    AddActiveRows(node.weights->panel(p));
  }
  ForEachRow(k, block, [&](std::size_t item, std::uint32_t step) {
    if (!AllFinite(PaddedSize(node.out), state_.nodes[k].out.At(item, step - block.first_step))) {
      return Fail(item, k, step);
    }
    if (!node.constant) AfterRow(k, item, step, block);
  });
}

// Adds one panel's weights to all rows of the block, while they are in the cache.
void Run::AddDenseRows(const Panel& panel, std::size_t sources) {
  for (std::size_t begin = 0; begin < sources && !dense_rows_.empty() && running_ > 0; begin += kSourcesPerCall) {
    const std::size_t end = std::min(sources, begin + kSourcesPerCall);
    AddDense(panel, begin, end, dense_rows_);
    Worked((end - begin) * panel.width * dense_rows_.size() / 2);
  }
}

void Run::AddActiveRows(const Panel& panel) {
  for (const ActiveRow& row : active_rows_) {
    for (std::size_t begin = 0; begin < row.active.size() && items_[row.item].running; begin += kSourcesPerCall) {
      const auto some = row.active.subspan(begin, std::min(kSourcesPerCall, row.active.size() - begin));
      if (row.all_one) {
        AddSpikes(panel, some, row.y);
      } else {
        AddValues(panel, some, row.x, row.y);
      }
      Worked(some.size() * panel.width / 2);
    }
  }
}

}  // namespace tandem
