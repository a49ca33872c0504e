// The open streams, so that a draining server can close them.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace tandem {

class DrainableStream {
 public:
  virtual ~DrainableStream() = default;
  // Answers the open items of the stream, then closes it. Any thread.
  virtual void Drain() = 0;
};

// Thread-safe.
class StreamRegistry {
 public:
  // Returns false, and adds nothing, if `max` streams are open.
  bool Add(const std::shared_ptr<DrainableStream>& stream, std::size_t max) {
    const std::lock_guard lock(mutex_);
    if (streams_.size() >= max) return false;
    streams_[stream.get()] = stream;
    return true;
  }
  void Remove(const DrainableStream* stream) {
    const std::lock_guard lock(mutex_);
    streams_.erase(stream);
  }
  [[nodiscard]] bool empty() const {
    const std::lock_guard lock(mutex_);
    return streams_.empty();
  }
  void DrainAll() {
    std::vector<std::shared_ptr<DrainableStream>> open;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [key, stream] : streams_) open.push_back(stream.lock());
    }
    for (const auto& stream : open) {
      if (stream) stream->Drain();
    }
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<const DrainableStream*, std::weak_ptr<DrainableStream>> streams_;
};

}  // namespace tandem
