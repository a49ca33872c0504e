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

  // 0: nothing is recorded. `first_id` is that of the first recording; ids count up. By default it is random, so that
  // processes do not share ids.
  explicit RecordingStore(std::size_t max_bytes, std::uint64_t first_id = RandomId());

  // A number other than 0 that is far from overflow.
  static std::uint64_t RandomId();

  // What one recording takes, all told.
  static std::size_t BytesFor(const Network& network, std::uint32_t steps);

  // Makes room for `count` runs, and drops the oldest recordings for it. Returns a recording for each run that has
  // room, none where one would take more than a quarter of the memory. Recordings of runs under way count, too, so the
  // memory is bounded at all times.
  std::vector<Recording> Reserve(const Network& network, std::uint32_t steps, std::size_t count);
  // Gives back room that was reserved and not used.
  void Release(std::size_t count, std::size_t bytes);
  // Keeps a recording, for which room was reserved, and returns its id.
  std::uint64_t Add(KeptRecording kept);

  // A copy. Nothing: it was never kept, or newer ones have taken its place.
  [[nodiscard]] std::optional<KeptRecording> Find(std::uint64_t id) const;

  [[nodiscard]] std::size_t max_bytes() const { return max_bytes_; }
  // Kept or reserved.
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] std::size_t count() const;

 private:
  // All in one place: the oldest has long left the cache.
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

// Records one batch, and puts what is to be kept into a store.
class BatchRecorder {
 public:
  // Records as many of the batch's items as have room, the first ones.
  BatchRecorder(RecordingStore& store, std::shared_ptr<const Model> model, std::uint32_t steps, std::size_t items);
  ~BatchRecorder() { store_.Release(reserved_, bytes_); }
  BatchRecorder(const BatchRecorder&) = delete;
  BatchRecorder& operator=(const BatchRecorder&) = delete;

  // For RunBatch; nullptr: nothing is recorded.
  RunRecorder* recorder() { return recorder_.records(0) ? &recorder_ : nullptr; }

  // Keeps what was recorded of an item; returns its id, or 0 where it was not recorded. Once for each item.
  std::uint64_t Keep(std::size_t item, std::string ended);

 private:
  RecordingStore& store_;
  std::shared_ptr<const Model> model_;
  std::size_t bytes_;  // of one item
  RunRecorder recorder_;
  std::size_t reserved_;  // items
};

}  // namespace tandem
