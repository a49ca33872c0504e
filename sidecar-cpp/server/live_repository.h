// The present models of the engine. They are replaced as a whole: a call keeps the repository with which it began.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "engine/repository.h"

namespace tandem {

// Thread-safe.
class LiveRepository {
 public:
  explicit LiveRepository(Repository repository)
      : repository_(std::make_shared<const Repository>(std::move(repository))) {}

  [[nodiscard]] std::shared_ptr<const Repository> Now() const {
    const std::lock_guard lock(mutex_);
    return repository_;
  }
  // Only one thread at a time may call it.
  void Replace(Repository repository) {
    auto next = std::make_shared<const Repository>(std::move(repository));
    const std::lock_guard lock(mutex_);
    repository_.swap(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Repository> repository_;
};

}  // namespace tandem
