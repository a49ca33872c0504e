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
  const Window& window = *node.window;
  const std::size_t additions = window.kernel() * window.out_plane();  // of one channel
  const std::size_t channels = std::max<std::size_t>(1, kAdditionsPerCall / additions);
  const Rows y = state_.nodes[k].out;
  ForEachRunning([&](std::size_t item) {
    for (std::size_t first = 0; first < window.out_channels && items_[item].running; first += channels) {
      const std::size_t some = std::min(channels, window.out_channels - first);
      SumPool(window, first, some, x[item], y[item]);
      Worked(some * additions);
    }
    if (!items_[item].running) return;
    const std::size_t n = PaddedSize(node.out);
    if (node.type == NodeType::kAvgPool2d) DivideRow(n, static_cast<float>(window.kernel()), y[item], y[item]);
    if (!AllFinite(n, y[item])) FailNotFinite(item, k);
    Record(RecordedAs(node), item);
  });
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
