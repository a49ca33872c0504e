#include "engine/recording_store.h"

#include <random>

namespace tandem {
namespace {

// Maximum bytes that the heap and the deque add to a recording.
constexpr std::size_t kOverhead = 128;
constexpr std::size_t kLargestShare = 4;

}  // namespace

std::uint64_t RecordingStore::RandomId() {
  std::random_device random;
  return ((std::uint64_t{random()} << 32 | random()) >> 1) + 1;
}

RecordingStore::RecordingStore(std::size_t max_bytes, std::uint64_t first_id)
    : max_bytes_(max_bytes), next_id_(first_id) {}

std::size_t RecordingStore::BytesFor(const Network& network, std::uint32_t steps) {
  return Recording::BytesFor(network, steps) + sizeof(Entry) + kOverhead;
}

std::vector<Recording> RecordingStore::Reserve(const Network& network, std::uint32_t steps, std::size_t count) {
  std::vector<Recording> reserved;
  const std::size_t bytes = BytesFor(network, steps);
  if (bytes > max_bytes_ / kLargestShare) return reserved;
  reserved.reserve(count);
  {
    const std::lock_guard lock(mutex_);
    while (reserved.size() < count) {
      Recording recording;
      while (bytes_ + bytes > max_bytes_ && !entries_.empty()) {
        Entry& oldest = entries_.front();
        // Most runs are of one model, so the next one can reuse the memory.
        if (oldest.kept.recording.Fits(network, steps)) recording = std::move(oldest.kept.recording);
        bytes_ -= oldest.bytes;
        entries_.pop_front();
      }
      if (bytes_ + bytes > max_bytes_) break;
      bytes_ += bytes;
      reserved.push_back(std::move(recording));
    }
  }
  for (Recording& recording : reserved) {
    if (recording.empty()) recording = Recording(network, steps);
  }
  return reserved;
}

void RecordingStore::Release(std::size_t count, std::size_t bytes) {
  if (count == 0) return;
  const std::lock_guard lock(mutex_);
  bytes_ -= count * bytes;
}

std::uint64_t RecordingStore::Add(KeptRecording kept) {
  const std::size_t bytes = BytesFor(kept.recording.network(), kept.recording.capacity());
  const std::lock_guard lock(mutex_);
  entries_.push_back({std::move(kept), bytes});
  return next_id_++;
}

std::optional<KeptRecording> RecordingStore::Find(std::uint64_t id) const {
  const std::lock_guard lock(mutex_);
  // The newest has next_id_ - 1. Other ids give a very large index.
  const std::uint64_t age = next_id_ - 1 - id;
  if (age >= entries_.size()) return std::nullopt;
  const KeptRecording& kept = entries_[entries_.size() - 1 - age].kept;
  return KeptRecording{kept.model, kept.recording.Copy(), kept.ended};
}

std::size_t RecordingStore::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::size_t RecordingStore::count() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

BatchRecorder::BatchRecorder(RecordingStore& store, std::shared_ptr<const Model> model, std::uint32_t steps,
                             std::size_t items)
    : store_(store),
      model_(std::move(model)),
      bytes_(RecordingStore::BytesFor(*model_->network, steps)),
      recorder_(store.Reserve(*model_->network, steps, items)),
      reserved_(recorder_.size()) {}

std::uint64_t BatchRecorder::Keep(std::size_t item, std::string ended) {
  if (!recorder_.records(item)) return 0;
  --reserved_;
  return store_.Add({model_, recorder_.Take(item), std::move(ended)});
}

}  // namespace tandem
