// Evaluates nodes that read more than one element or step: convolutions, pools and delays.
#include <algorithm>

#include "engine/run.h"
#include "kernels/conv.h"
#include "kernels/delay.h"
#include "kernels/elementwise.h"
#include "kernels/pool.h"

namespace tandem {
namespace {

// Approximate number of additions between two reads of the clock.
constexpr std::size_t kAdditionsPerCall = std::size_t{1} << 18;

// A pool uses the list of its active elements if at most one in this many is active.
constexpr std::size_t kFewActive = 2;

}  // namespace

void Run::EvaluateConv(std::uint32_t k, const Block& block) {
  const NetworkNode& node = network_.nodes[k];
  const ConvWeights& weights = *node.conv;
  if (sums_.size() < weights.sum_floats()) sums_.resize(weights.sum_floats());
  ForEachRow(k, block, [&](std::size_t item, std::uint32_t step) {
    const float* const x = InputOf(node, item, step, block);
    float* const y = state_.nodes[k].out.At(item, step - block.first_step);
    const std::uint32_t* index = nullptr;
    const ActiveSources found = ActiveOf(node, item, step, block, index);
    StartConv(weights, node.start.data(), sums_.data(), y);
    CountWork(node.in / 4 + node.out);
    AddSources(weights, item, {index, found.count}, found.all_one, x, y);
    FinishConv(weights, sums_.data(), y);
    EndRow(k, item, step, block);
  });
}

void Run::AddSources(const ConvWeights& weights, std::size_t item, std::span<const std::uint32_t> active, bool all_one,
                     const float* x, float* y) {
  const std::size_t additions = weights.window().kernel() * weights.sum_stride();  // for one source
  const std::size_t sources = std::max<std::size_t>(1, kAdditionsPerCall / additions);
  for (std::size_t begin = 0; begin < active.size() && items_[item].running; begin += sources) {
    const auto some = active.subspan(begin, std::min(sources, active.size() - begin));
    items_[item].synaptic_operations +=
        all_one ? AddConvSpikes(weights, some, sums_.data(), y) : AddConvValues(weights, some, x, sums_.data(), y);
    CountWork(some.size() * additions);
  }
}

void Run::EvaluatePool(std::uint32_t k, const Block& block) {
  const NetworkNode& node = network_.nodes[k];
  ForEachRow(k, block, [&](std::size_t item, std::uint32_t step) {
    float* const y = state_.nodes[k].out.At(item, step - block.first_step);
    if (!PoolActive(k, item, step, block)) PoolAll(node, item, InputOf(node, item, step, block), y);
    if (node.type == NodeType::kAvgPool2d) {
      const std::size_t whole = PaddedSize(node.out);
      std::fill(y + node.out, y + whole, 0.0f);
      DivideRow(whole, static_cast<float>(node.window->kernel()), y, y);
    }
    EndRow(k, item, step, block);
  });
}

// Adds only the elements that are not 0, if their list exists or is short enough; else returns false.
bool Run::PoolActive(std::uint32_t k, std::size_t item, std::uint32_t step, const Block& block) {
  const NetworkNode& node = network_.nodes[k];
  if (node.pool->empty()) return false;
  const std::uint32_t* index = nullptr;
  const ActiveSources found = ActiveOf(node, item, step, block, index);
  CountWork(found.count);
  float* const y = state_.nodes[k].out.At(item, step - block.first_step);
  if (found.all_one) {
    PoolSpikes(*node.pool, {index, found.count}, {y, node.out});
  } else if (found.count <= node.in / kFewActive) {
    PoolValues(*node.pool, {index, found.count}, InputOf(node, item, step, block), {y, node.out});
  } else {
    return false;
  }
  return true;
}

void Run::PoolAll(const NetworkNode& node, std::size_t item, const float* x, float* y) {
  const Window& window = *node.window;
  const std::size_t additions = window.kernel() * window.out_plane();  // for one channel
  const std::size_t channels = std::max<std::size_t>(1, kAdditionsPerCall / additions);
  for (std::size_t first = 0; first < window.out_channels && items_[item].running; first += channels) {
    const std::size_t some = std::min(channels, window.out_channels - first);
    SumPool(window, first, some, x, y);
    CountWork(some * additions);
  }
}

void Run::EvaluateDelay(std::uint32_t k, const Block& block) {
  const NetworkNode& node = network_.nodes[k];
  const NodeState& state = state_.nodes[k];
  ForEachRow(k, block, [&](std::size_t item, std::uint32_t step) {
    float* const ring = node.delay_rows > 0 ? state.delayed[item] : nullptr;
    StepDelay(node.delays, step, node.delay_rows, PaddedSize(node.out), InputOf(node, item, step, block), ring,
              state.out.At(item, step - block.first_step));
    CountWork(2 * node.out);
    EndRow(k, item, step, block);
  });
}

// Clears the row's padding, checks the row, and does the common work for each row.
void Run::EndRow(std::uint32_t k, std::size_t item, std::uint32_t step, const Block& block) {
  const NetworkNode& node = network_.nodes[k];
  float* const y = state_.nodes[k].out.At(item, step - block.first_step);
  std::fill(y + node.out, y + PaddedSize(node.out), 0.0f);
  if (!AllFinite(PaddedSize(node.out), y)) return Fail(item, k, step);
  if (!node.constant) AfterRow(k, item, step, block);
}

}  // namespace tandem
