// The memory of one batch: rows of output, current and potential for every node, and the sums of the readout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/block.h"
#include "engine/network.h"
#include "engine/simulator.h"

namespace tandem {

// Rows of one kind, of the items from `first` on. An item has one row (`step_stride` 0), or one for each step of a
// block.
struct Rows {
  float* base = nullptr;
  std::size_t stride = 0;  // floats from item to item
  std::size_t step_stride = 0;
  std::size_t first = 0;
  std::uint32_t newest = 0;  // the last evaluated step of the block

  [[nodiscard]] float* At(std::size_t item, std::uint32_t step_of_block) const {
    return base + (item - first) * stride + step_of_block * step_stride;
  }
  // Rows of the last evaluated step.
  [[nodiscard]] float* operator[](std::size_t item) const { return At(item, newest); }
};

struct NodeState {
  Rows out;
  Rows current;    // i; CubaLIF, CubaLI
  Rows potential;  // v
  Rows delayed;    // Delay: the inputs of its last steps, step t in row t modulo the number of rows
  // LIF: the elements that fired, a list and its length for each row of `out`.
  Rows spikes;
  std::vector<std::uint32_t> spike_counts;
};

// Divides `scratch` for a batch. Nodes of the constant part have a row for every item of the batch. All others have
// rows for one block, which the next block overwrites.
class BatchState {
 public:
  BatchState(const Network& network, std::size_t items, BlockShape shape, Scratch& scratch);

  // Starts the run of items from `first` on: all their state is +0.
  void BeginItems(std::size_t first);
  // Records that rows were evaluated up to this step of the block.
  void EndBlock(std::uint32_t newest);

  std::vector<NodeState> nodes;  // by index in the network
  Rows collected;                // the readout by readout.from over the steps so far (Run::ReadOut)
  [[nodiscard]] std::uint32_t* counts(std::size_t item) const { return As(counts_[item]); }

  // One for each row of a block.
  [[nodiscard]] float* sum(std::size_t row) const { return sum_.At(row, 0); }  // for a node with several sources
  [[nodiscard]] std::uint32_t* active(std::size_t row) const { return As(active_.At(row, 0)); }
  [[nodiscard]] std::uint32_t* spikes(std::uint32_t node, std::size_t item, std::uint32_t step_of_block) const {
    return As(nodes[node].spikes.At(item, step_of_block));
  }

  // For one item: its potential before the block, and after each of its steps.
  [[nodiscard]] float* before() const { return before_.base; }
  [[nodiscard]] float* trace() const { return trace_.base; }

  // Items that fit into one block of the constant part.
  [[nodiscard]] std::size_t constant_items() const { return rows_; }

 private:
  // Floats and 32-bit integers share the scratch; each row is used for only one of them.
  static std::uint32_t* As(float* row) { return reinterpret_cast<std::uint32_t*>(row); }

  const Network& network_;
  BlockShape shape_;
  std::size_t rows_;
  Rows counts_;
  Rows sum_;
  Rows active_;
  Rows before_;
  Rows trace_;
};

// Maximum floats of scratch for a batch.
std::size_t ScratchFloats(const Network& network, std::size_t items);

}  // namespace tandem
