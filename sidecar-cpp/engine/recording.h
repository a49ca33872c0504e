// Records a run while it runs, since a second run of the input would not show a fault that has passed. See
// proto/NUMERICS.md, "Recording".
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "engine/network.h"
#include "kernels/recording.h"

namespace tandem {

// A node's rows after its evaluation in a step; null if it has none.
struct RecordedRow {
  const float* out;
  const float* current;
  const float* potential;
};

// The spikes and state checksums of one run, in one piece of memory, in the order of writing: step by step, in a step
// node by node, and for a node its checksum and then its spikes. Empty until it gets memory.
class Recording {
 public:
  Recording() = default;
  // Room for `capacity` steps. The network must outlive this.
  Recording(const Network& network, std::uint32_t capacity);
  [[nodiscard]] Recording Copy() const;

  static std::size_t BytesFor(const Network& network, std::uint32_t capacity) {
    return network.recorded_bytes * capacity;
  }

  // Reuses the memory for another run.
  [[nodiscard]] bool Fits(const Network& network, std::uint32_t capacity) const {
    return network_ == &network && capacity_ == capacity;
  }

  [[nodiscard]] bool empty() const { return memory_ == nullptr; }
  void Record(const RecordedNode& node, std::uint32_t step, const RecordedRow& row, RecordRow* kernel) {
    // A node with a current has a potential, too.
    const float* const last = row.potential != nullptr ? row.potential : row.out;
    std::uint8_t* const to = At(node, step);
    const std::uint32_t checksum =
        kernel(node.elements, row.current != nullptr ? row.current : last, row.current != nullptr ? last : nullptr,
               node.spike_bytes > 0 ? row.out : nullptr, to + sizeof(checksum));
    std::memcpy(to, &checksum, sizeof(checksum));
    Fetch(node, step + 1);
  }
  // Prefetches the memory of a node's record, which is no longer in the cache: a store that misses delays all later
  // ones.
  void Fetch(const RecordedNode& node, std::uint32_t step) const {
    if (step == capacity_) return;
    const std::uint8_t* const from = At(node, step);
    const std::size_t bytes = sizeof(std::uint32_t) + node.spike_bytes;
    for (std::size_t k = 0; k < bytes; k += kCacheLine) __builtin_prefetch(from + k, 1);
  }

  // Number of steps that ended without an error.
  std::uint32_t steps = 0;

  // `index`: of the node in Network::recorded.
  [[nodiscard]] std::vector<std::uint32_t> checksums(std::size_t index) const;
  [[nodiscard]] std::vector<std::uint8_t> spikes(std::size_t index) const;
  [[nodiscard]] const Network& network() const { return *network_; }
  [[nodiscard]] std::uint32_t capacity() const { return capacity_; }

 private:
  static constexpr std::size_t kCacheLine = 64;

  [[nodiscard]] std::uint8_t* At(const RecordedNode& node, std::uint32_t step) const {
    return memory_.get() + step * network_->recorded_bytes + node.at;
  }

  const Network* network_ = nullptr;
  std::uint32_t capacity_ = 0;
  std::unique_ptr<std::uint8_t[]> memory_;
};

// Records the first items of one batch. Not thread-safe. Allocates nothing after its construction.
class RunRecorder {
 public:
  // Records the first `items` of a batch.
  RunRecorder(const Network& network, std::uint32_t steps, std::size_t items);
  // In these.
  explicit RunRecorder(std::vector<Recording> items) : items_(std::move(items)) {}

  [[nodiscard]] bool records(std::size_t item) const { return item < items_.size() && !items_[item].empty(); }

  [[nodiscard]] std::size_t size() const { return items_.size(); }

  // Call this when a run begins.
  void Start();

  // Call this for a node of an item that still runs, after its evaluation in `step`. The steps of a node must be in
  // order.
  void Record(const RecordedNode& node, std::uint32_t step, const RecordedRow& row, std::size_t item) {
    if (records(item)) items_[item].Record(node, step, row, kernel_);
  }
  // Call this when the item's run has ended; its first `steps` ended without an error.
  void End(std::size_t item, std::uint32_t steps) {
    if (records(item)) items_[item].steps = steps;
  }

  // Returns and removes the recording of `item`, which must have one.
  Recording Take(std::size_t item);

 private:
  RecordRow* const kernel_ = RecordRowKernel();
  std::vector<Recording> items_;
};

}  // namespace tandem
