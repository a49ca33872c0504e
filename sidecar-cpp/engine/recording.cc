#include "engine/recording.h"

#include <utility>

#include "kernels/recording.h"

namespace tandem {

std::size_t Recording::BytesFor(const Network& network, std::uint32_t capacity) {
  // Whole words, of which the memory is made.
  const std::size_t spikes = (network.recorded_spike_bytes * capacity + 3) / sizeof(std::uint32_t);
  return (network.recorded.size() * capacity + spikes) * sizeof(std::uint32_t);
}

Recording::Recording(const Network& network, std::uint32_t capacity)
    : network_(&network),
      capacity_(capacity),
      memory_(std::make_unique_for_overwrite<std::uint32_t[]>(BytesFor(network, capacity) / sizeof(std::uint32_t))) {}

void Recording::Record(std::size_t index, std::uint32_t step, const NodeState& state, std::size_t item) {
  const RecordedNode& recorded = network_->recorded[index];
  const float* const out = state.out[item];
  // A node with a current has a potential, too.
  const float* const last = state.potential.base != nullptr ? state.potential[item] : out;
  const bool two = state.current.base != nullptr;
  const RecordedRows rows{two ? state.current[item] : last, two ? last : nullptr,
                          recorded.spike_bytes > 0 ? out : nullptr};
  ChecksumsOf(index)[step] = RecordRow(recorded.elements, rows, SpikesOf(index) + step * recorded.spike_bytes);
}

std::uint32_t* Recording::ChecksumsOf(std::size_t index) const { return memory_.get() + index * capacity_; }

std::uint8_t* Recording::SpikesOf(std::size_t index) const {
  return reinterpret_cast<std::uint8_t*>(memory_.get() + network_->recorded.size() * capacity_) +
         network_->recorded[index].spike_bytes_before * capacity_;
}

std::span<const std::uint32_t> Recording::checksums(std::size_t index) const { return {ChecksumsOf(index), steps}; }

std::span<const std::uint8_t> Recording::spikes(std::size_t index) const {
  return {SpikesOf(index), network_->recorded[index].spike_bytes * std::size_t{steps}};
}

RunRecorder::RunRecorder(const Network& network, std::uint32_t steps, std::size_t items) {
  items_.reserve(items);
  for (std::size_t k = 0; k < items; ++k) items_.emplace_back(network, steps);
}

Recording RunRecorder::Take(std::size_t item) {
  items_[item].steps = steps_;
  return std::exchange(items_[item], {});
}

}  // namespace tandem
