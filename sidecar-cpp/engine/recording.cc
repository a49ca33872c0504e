#include "engine/recording.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tandem {
Recording::Recording(const Network& network, std::uint32_t capacity)
    : network_(&network),
      capacity_(capacity),
      memory_(std::make_unique_for_overwrite<std::uint8_t[]>(BytesFor(network, capacity))) {}

Recording Recording::Copy() const {
  Recording copy(*network_, capacity_);
  copy.steps = steps;
  std::copy_n(memory_.get(), steps * network_->recorded_bytes, copy.memory_.get());
  return copy;
}

std::vector<std::uint32_t> Recording::checksums(std::size_t index) const {
  std::vector<std::uint32_t> all(steps);
  for (std::uint32_t step = 0; step < steps; ++step) {
    std::memcpy(&all[step], At(network_->recorded[index], step), sizeof(all[step]));
  }
  return all;
}

std::vector<std::uint8_t> Recording::spikes(std::size_t index) const {
  const RecordedNode& node = network_->recorded[index];
  std::vector<std::uint8_t> all(std::size_t{steps} * node.spike_bytes);
  for (std::uint32_t step = 0; step < steps; ++step) {
    const std::uint8_t* const from = At(node, step) + sizeof(std::uint32_t);
    std::copy_n(from, node.spike_bytes, all.data() + std::size_t{step} * node.spike_bytes);
  }
  return all;
}

RunRecorder::RunRecorder(const Network& network, std::uint32_t steps, std::size_t items) {
  items_.reserve(items);
  for (std::size_t k = 0; k < items; ++k) items_.emplace_back(network, steps);
}

void RunRecorder::Start() {
  for (const Recording& item : items_) {
    if (item.empty()) continue;
    for (const RecordedNode& node : item.network().recorded) item.Fetch(node, 0);
  }
}

Recording RunRecorder::Take(std::size_t item) { return std::exchange(items_[item], {}); }

}  // namespace tandem
