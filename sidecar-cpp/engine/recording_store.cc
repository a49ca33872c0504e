#include "engine/recording_store.h"

#include <random>

namespace tandem {
namespace {

// What the heap, the deque and the control block of a shared_ptr add to a recording, at most.
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
  return Recording::BytesFor(network, steps) + sizeof(KeptRecording) + sizeof(Entry) + kOverhead;
}

std::size_t RecordingStore::Reserve(std::size_t count, std::size_t bytes) {
  if (bytes > max_bytes_ / kLargestShare) return 0;
  const std::lock_guard lock(mutex_);
  std::size_t fit = 0;
  while (fit < count) {
    while (bytes_ + bytes > max_bytes_ && !entries_.empty()) {
      bytes_ -= entries_.front().bytes;
      entries_.pop_front();
    }
    if (bytes_ + bytes > max_bytes_) break;
    bytes_ += bytes;
    ++fit;
  }
  return fit;
}

void RecordingStore::Release(std::size_t count, std::size_t bytes) {
  if (count == 0) return;
  const std::lock_guard lock(mutex_);
  bytes_ -= count * bytes;
}

std::uint64_t RecordingStore::Add(KeptRecording kept) {
  const std::size_t bytes = BytesFor(kept.recording.network(), kept.recording.capacity());
  auto shared = std::make_shared<const KeptRecording>(std::move(kept));
  const std::lock_guard lock(mutex_);
  entries_.push_back({std::move(shared), bytes});
  return next_id_++;
}

std::shared_ptr<const KeptRecording> RecordingStore::Find(std::uint64_t id) const {
  const std::lock_guard lock(mutex_);
  // The newest has next_id_ - 1. What lies outside comes out huge.
  const std::uint64_t age = next_id_ - 1 - id;
  if (age >= entries_.size()) return nullptr;
  return entries_[entries_.size() - 1 - age].kept;
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
      reserved_(store.Reserve(items, bytes_)),
      recorder_(*model_->network, steps, reserved_) {}

std::uint64_t BatchRecorder::Keep(std::size_t item, std::string ended) {
  if (!recorder_.records(item)) return 0;
  --reserved_;
  return store_.Add({model_, recorder_.Take(item), std::move(ended)});
}

}  // namespace tandem
