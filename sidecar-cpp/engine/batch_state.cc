#include "engine/batch_state.h"

#include <algorithm>
#include <limits>

namespace tandem {
namespace {

// Number of rows of a block of the constant part, which has one step.
constexpr std::size_t kConstantRows = 64;

void Clear(const Rows& rows, std::size_t items) {
  if (rows.base != nullptr) std::fill_n(rows.base, items * rows.stride, 0.0f);
}

void Fill(const Rows& rows, std::size_t items, const FloatRow& row) {
  for (std::size_t k = 0; k < items; ++k) std::ranges::copy(row, rows.base + k * rows.stride);
}

}  // namespace

BatchState::BatchState(const Network& network, std::size_t items, BlockShape shape, Scratch& scratch)
    : network_(network), shape_(shape), rows_(std::max(shape.items * shape.steps, std::min(items, kConstantRows))) {
  std::size_t needed = 0;
  float* next = nullptr;
  const auto take = [&](std::size_t count, std::size_t row, std::uint32_t steps) {
    const Rows rows{next, row * steps, steps > 1 ? row : 0};
    needed += count * row * steps;
    if (next != nullptr) next += count * row * steps;
    return rows;
  };
  const auto carve = [&] {
    nodes.clear();
    for (const NetworkNode& node : network.nodes) {
      const std::size_t row = PaddedSize(node.out);
      NodeState& state = nodes.emplace_back();
      state.out = node.constant ? take(items, row, 1) : take(shape.items, row, shape.steps);
      if (HasCurrent(node.type)) state.current = take(shape.items, row, 1);
      if (HasPotential(node.type)) state.potential = take(shape.items, row, 1);
      if (node.delay_rows > 0) state.delayed = take(shape.items, row * node.delay_rows, 1);
      if (ListsSpikes(node)) {
        state.spikes = take(shape.items, row + kRowMultiple, shape.steps);
        state.spike_counts.assign(shape.items * shape.steps, 0);
      }
    }
    collected = take(shape.items, PaddedSize(network.output_size()), 1);
    counts_ = take(shape.items, PaddedSize(network.output_size()), 1);
    sum_ = take(network.sums_sources ? rows_ : 0, network.widest, 1);
    active_ = take(rows_, network.widest + kRowMultiple, 1);
    before_ = take(1, network.widest, 1);
    trace_ = take(1, network.widest, shape.steps);
  };
  carve();  // measures
  if (scratch.floats.size() < needed) scratch.floats.resize(needed);
  next = scratch.floats.data();
  carve();
}

void BatchState::BeginItems(std::size_t first) {
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    NodeState& state = nodes[k];
    for (Rows* rows : {&state.out, &state.current, &state.potential, &state.delayed, &state.spikes}) {
      if (!network_.nodes[k].constant) rows->first = first;
    }
    Clear(state.current, shape_.items);
    Clear(state.potential, shape_.items);
    if (!network_.nodes[k].v_start.empty()) Fill(state.potential, shape_.items, network_.nodes[k].v_start);
    Clear(state.delayed, shape_.items);
    if (network_.nodes[k].feeds_delayed) Clear(state.out, shape_.items);
    std::ranges::fill(state.spike_counts, 0u);
  }
  collected.first = first;
  counts_.first = first;
  // Below every potential.
  const bool is_maximum = network_.readout_from == ReadoutFrom::kMaxPotential;
  std::fill_n(collected.base, shape_.items * collected.stride,
              is_maximum ? -std::numeric_limits<float>::infinity() : 0.0f);
  Clear(counts_, shape_.items);
}

void BatchState::EndBlock(std::uint32_t newest) {
  for (NodeState& state : nodes) state.out.newest = newest;
}

std::size_t ScratchFloats(const Network& network, std::size_t items) {
  return items * network.item_floats + kMaxBlockFloats;
}

}  // namespace tandem
