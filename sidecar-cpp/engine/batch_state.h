// The memory of one batch: for every node and item a row of output, current and potential; and what the readout sums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/network.h"
#include "engine/simulator.h"

namespace tandem {

// Rows of one kind, one for each item, `stride` floats apart.
struct Rows {
  float* base = nullptr;
  std::size_t stride = 0;
  [[nodiscard]] float* operator[](std::size_t item) const { return base + item * stride; }
};

struct NodeState {
  Rows out;
  Rows current;    // i; CubaLIF, CubaLI
  Rows potential;  // v
  Rows delayed;    // Delay: the inputs of its last steps, step t in row t modulo the number of rows
};

// Carves a batch out of `scratch`, all +0.
class BatchState {
 public:
  BatchState(const Network& network, std::size_t items, Scratch& scratch);

  std::vector<NodeState> nodes;  // by index in the network
  Rows sum;                      // of a node with several sources
  Rows mean;                     // running sum of the readout's potential
  [[nodiscard]] std::uint32_t* counts(std::size_t item) const { return As(counts_[item]); }
  [[nodiscard]] std::uint32_t* active(std::size_t item) const { return As(active_[item]); }

 private:
  // Floats and 32-bit integers share the scratch; a row holds only one of them for its whole life.
  static std::uint32_t* As(float* row) { return reinterpret_cast<std::uint32_t*>(row); }

  Rows counts_;
  Rows active_;
};

}  // namespace tandem
