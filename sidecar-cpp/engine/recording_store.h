// The newest recordings of an engine, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/model.h"
#include "engine/recording.h"

namespace tandem {

struct KeptRecording {
  std::shared_ptr<const Model> model;
  Recording recording;
  std::string ended;  // the reason why the run ended before its last step; empty: it did not
};

// Thread-safe.
class RecordingStore {
 public:
  static constexpr std::size_t kDefaultBytes = std::size_t{4} << 20;

  // `max_bytes` 0: nothing is recorded. `first_id`: of the first recording; ids count up. By default it is random, so
  // that processes do not share ids.
  explicit RecordingStore(std::size_t max_bytes, std::uint64_t first_id = RandomId());

  // A number other than 0 that is far from overflow.
  static std::uint64_t RandomId();

  // The total memory of one recording.
  static std::size_t BytesFor(const Network& network, std::uint32_t steps);

  // Reserves memory for `count` runs, and drops the oldest recordings for it. Returns a recording for each run that
  // fits; none if one would take more than a quarter of the memory. Recordings of running inputs count, too, so the
  // memory is always bounded.
  std::vector<Recording> Reserve(const Network& network, std::uint32_t steps, std::size_t count);
  // Returns memory that was reserved and not used.
  void Release(std::size_t count, std::size_t bytes);
  // Stores a recording with reserved memory, and returns its id.
  std::uint64_t Add(KeptRecording kept);

  // Returns a copy; nullopt if it was never stored, or newer ones have replaced it.
  [[nodiscard]] std::optional<KeptRecording> Find(std::uint64_t id) const;

  [[nodiscard]] std::size_t max_bytes() const { return max_bytes_; }
  // Bytes stored or reserved.
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] std::size_t count() const;

 private:
  // All in one place, since the oldest is no longer in the cache.
  struct Entry {
    KeptRecording kept;
    std::size_t bytes = 0;
  };

  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;  // oldest first
  std::uint64_t next_id_;
  std::size_t bytes_ = 0;
};

// Records one batch, and puts recordings into a store.
class BatchRecorder {
 public:
  // Records the first items of the batch, as many as fit.
  BatchRecorder(RecordingStore& store, std::shared_ptr<const Model> model, std::uint32_t steps, std::size_t items);
  ~BatchRecorder() { store_.Release(reserved_, bytes_); }
  BatchRecorder(const BatchRecorder&) = delete;
  BatchRecorder& operator=(const BatchRecorder&) = delete;

  // For RunBatch; nullptr: nothing is recorded.
  RunRecorder* recorder() { return recorder_.records(0) ? &recorder_ : nullptr; }

  // Stores the recording of an item; returns its id, or 0 if it was not recorded. Call it once for each item.
  std::uint64_t Keep(std::size_t item, std::string ended);

 private:
  RecordingStore& store_;
  std::shared_ptr<const Model> model_;
  std::size_t bytes_;  // of one item
  RunRecorder recorder_;
  std::size_t reserved_;  // items
};

}  // namespace tandem
