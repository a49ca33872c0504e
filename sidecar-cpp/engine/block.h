// A block is some neighbouring items of a batch through some steps. It is evaluated node by node, before the next
// block. So a node reads its weights once for many rows, and the rows of a block stay in the nearer caches from node to
// node.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/network.h"

namespace tandem {

// Sizes of a run's blocks. The last ones may be smaller.
struct BlockShape {
  std::size_t items = 1;
  std::uint32_t steps = 1;
  bool keeps_all_rows = false;  // also writes rows of output that no node reads
};

// The whole batch, one step: for callers that observe every step.
constexpr BlockShape StepByStep(std::size_t items) { return {items, 1, true}; }

// For a run to its end. If an edge carries the previous step's output, a block has one step.
BlockShape BlockFor(const Network& network, std::size_t items, std::uint32_t steps);

// Items [first_item, end_item) at steps [first_step, end_step).
struct Block {
  std::size_t first_item = 0;
  std::size_t end_item = 0;
  std::uint32_t first_step = 0;
  std::uint32_t end_step = 0;

  [[nodiscard]] std::uint32_t steps() const { return end_step - first_step; }
  [[nodiscard]] std::size_t rows() const { return (end_item - first_item) * steps(); }
  // Rows of one item are adjacent, in the order of the steps.
  [[nodiscard]] std::size_t RowOf(std::size_t item, std::uint32_t step) const {
    return (item - first_item) * steps() + (step - first_step);
  }
};

}  // namespace tandem
