// What a run did, kept while it runs: running the input again does not show a fault that has passed.
// proto/NUMERICS.md, "Recording".
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/batch_state.h"
#include "engine/network.h"

namespace tandem {

// One run's spikes and state checksums, in one piece of memory: first the checksums, node by node, then the spikes,
// node by node. Empty until it is given memory.
class Recording {
 public:
  Recording() = default;
  // Room for `capacity` steps. The network must outlive this.
  Recording(const Network& network, std::uint32_t capacity);

  static std::size_t BytesFor(const Network& network, std::uint32_t capacity);

  [[nodiscard]] bool empty() const { return memory_ == nullptr; }
  // `index` is that of the node in Network::recorded.
  void Record(std::size_t index, std::uint32_t step, const NodeState& state, std::size_t item);

  // Steps that ended well.
  std::uint32_t steps = 0;

  [[nodiscard]] std::span<const std::uint32_t> checksums(std::size_t index) const;
  [[nodiscard]] std::span<const std::uint8_t> spikes(std::size_t index) const;
  [[nodiscard]] const Network& network() const { return *network_; }
  [[nodiscard]] std::uint32_t capacity() const { return capacity_; }

 private:
  [[nodiscard]] std::uint32_t* ChecksumsOf(std::size_t index) const;
  [[nodiscard]] std::uint8_t* SpikesOf(std::size_t index) const;

  const Network* network_ = nullptr;
  std::uint32_t capacity_ = 0;
  std::unique_ptr<std::uint32_t[]> memory_;
};

// Records the first items of one batch. Not thread-safe. Allocates nothing after its construction.
class RunRecorder {
 public:
  // Of a batch, its first `items` are recorded.
  RunRecorder(const Network& network, std::uint32_t steps, std::size_t items);

  [[nodiscard]] bool records(std::size_t item) const { return item < items_.size() && !items_[item].empty(); }

  // A run begins.
  void Start() { steps_ = 0; }

  // The node `index` of Network::recorded, for an item that still runs, after its evaluation in `step`.
  void Record(std::size_t index, std::uint32_t step, const NodeState& state, std::size_t row, std::size_t item) {
    if (records(item)) items_[item].Record(index, step, state, row);
  }
  // A step has ended well for every item that still runs.
  void EndStep() { ++steps_; }

  // What was recorded of `item`, which must be recorded; nothing is left of it.
  Recording Take(std::size_t item);

 private:
  std::uint32_t steps_ = 0;
  std::vector<Recording> items_;
};

}  // namespace tandem
