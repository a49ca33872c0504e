#include "engine/batch_state.h"

#include <algorithm>

namespace tandem {

BatchState::BatchState(const Network& network, std::size_t items, Scratch& scratch) {
  const std::size_t needed = items * network.item_floats;
  if (scratch.floats.size() < needed) scratch.floats.resize(needed);
  std::fill_n(scratch.floats.begin(), needed, 0.0f);
  float* next = scratch.floats.data();
  const auto take = [&](std::size_t stride) {
    const Rows rows{next, stride};
    next += items * stride;
    return rows;
  };

  std::size_t widest = 0;
  for (const NetworkNode& node : network.nodes) {
    const std::size_t row = PaddedSize(node.out);
    NodeState& state = nodes.emplace_back();
    state.out = take(row);
    if (HasCurrent(node.type)) state.current = take(row);
    if (HasPotential(node.type)) state.potential = take(row);
    if (node.delay_rows > 0) state.delayed = take(node.delay_rows * row);
    widest = std::max<std::size_t>(widest, PaddedSize(node.in));
  }
  mean = take(PaddedSize(network.output_size()));
  counts_ = take(PaddedSize(network.output_size()));
  sum = take(widest);
  active_ = take(widest + kRowMultiple);
}

}  // namespace tandem
