// What Run does with nodes that look at more than one element or step: convolutions, pools and delays.
#include <algorithm>

#include "engine/run.h"
#include "kernels/conv.h"
#include "kernels/delay.h"
#include "kernels/pool.h"

namespace tandem {
namespace {

// Additions between two looks at the clock, about.
constexpr std::size_t kAdditionsPerCall = std::size_t{1} << 18;

// A pool goes by its active elements where not more than one in so many is.
constexpr std::size_t kFewActive = 2;

}  // namespace

void Run::EvaluateConv(std::uint32_t k, const Rows& x) {
  const NetworkNode& node = network_.nodes[k];
  const ConvWeights& weights = *node.conv;
  if (sums_.size() < weights.sum_floats()) sums_.resize(weights.sum_floats());
  const std::size_t additions = weights.window().kernel() * weights.sum_stride();  // of one source
  const std::size_t sources = std::max<std::size_t>(1, kAdditionsPerCall / additions);
  const Rows y = state_.nodes[k].out;
  ForEachRunning([&](std::size_t item) {
    const ActiveSources found = CollectActive(PaddedSize(node.in), x[item], state_.active(item));
    const std::span<const std::uint32_t> active(state_.active(item), found.count);
    items_[item].synaptic_operations += weights.CountTaps(active);
    StartConv(weights, node.start.data(), sums_.data(), y[item]);
    Worked(node.in / 4 + node.out);
    for (std::size_t begin = 0; begin < active.size() && items_[item].running; begin += sources) {
      const auto some = active.subspan(begin, std::min(sources, active.size() - begin));
      if (found.all_one) {
        AddConvSpikes(weights, some, sums_.data(), y[item]);
      } else {
        AddConvValues(weights, some, x[item], sums_.data(), y[item]);
      }
      Worked(some.size() * additions);
    }
    if (!items_[item].running) return;
    FinishConv(weights, sums_.data(), y[item]);
    if (!AllFinite(PaddedSize(node.out), y[item])) FailNotFinite(item, k);
    Record(RecordedAs(node), item);
  });
}

void Run::EvaluatePool(std::uint32_t k, const Rows& x) {
  const NetworkNode& node = network_.nodes[k];
  const Rows y = state_.nodes[k].out;
  ForEachRunning([&](std::size_t item) {
    if (!PoolActive(node, item, x[item], y[item])) PoolAll(node, item, x[item], y[item]);
    if (!items_[item].running) return;
    const std::size_t n = PaddedSize(node.out);
    if (node.type == NodeType::kAvgPool2d) DivideRow(n, static_cast<float>(node.window->kernel()), y[item], y[item]);
    if (!AllFinite(n, y[item])) FailNotFinite(item, k);
    Record(RecordedAs(node), item);
  });
}

// Adds the elements that are not 0 alone, where they are few enough for that to be quicker; else false.
bool Run::PoolActive(const NetworkNode& node, std::size_t item, const float* x, float* y) {
  if (node.pool->empty()) return false;
  const ActiveSources found = CollectActive(PaddedSize(node.in), x, state_.active(item));
  Worked(node.in / 4);
  if (found.count > node.in / kFewActive) return false;
  SumPoolActive(*node.pool, {state_.active(item), found.count}, x, {y, node.out});
  Worked(found.count);
  return true;
}

void Run::PoolAll(const NetworkNode& node, std::size_t item, const float* x, float* y) {
  const Window& window = *node.window;
  const std::size_t additions = window.kernel() * window.out_plane();  // of one channel
  const std::size_t channels = std::max<std::size_t>(1, kAdditionsPerCall / additions);
  for (std::size_t first = 0; first < window.out_channels && items_[item].running; first += channels) {
    const std::size_t some = std::min(channels, window.out_channels - first);
    SumPool(window, first, some, x, y);
    Worked(some * additions);
  }
}

void Run::EvaluateDelay(std::uint32_t k, const Rows& x) {
  const NetworkNode& node = network_.nodes[k];
  const NodeState& state = state_.nodes[k];
  ForEachRunning([&](std::size_t item) {
    float* const ring = node.delay_rows > 0 ? state.delayed[item] : nullptr;
    StepDelay(node.delays, step_, node.delay_rows, PaddedSize(node.out), x[item], ring, state.out[item]);
    Record(RecordedAs(node), item);
    Worked(2 * node.out);
  });
}

}  // namespace tandem
