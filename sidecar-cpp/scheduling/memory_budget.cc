#include "scheduling/memory_budget.h"

#include <utility>

namespace tandem {

MemoryHold::MemoryHold(MemoryHold&& other) noexcept
    : account_(std::move(other.account_)), bytes_(std::exchange(other.bytes_, 0)) {}

MemoryHold& MemoryHold::operator=(MemoryHold&& other) noexcept {
  if (this == &other) return *this;
  Resize(0);
  account_ = std::move(other.account_);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void MemoryHold::Resize(std::size_t bytes) {
  if (account_ == nullptr) return;
  // Unsigned numbers wrap, so adding the difference can also subtract.
  account_->used_ += bytes - bytes_;
  account_->budget_.used_ += bytes - bytes_;
  bytes_ = bytes;
}

std::optional<MemoryHold> MemoryAccount::Take(std::size_t bytes) {
  // Counted first: if two callers see the last free bytes, only one gets them.
  const std::size_t used = budget_.used_ += bytes;
  const std::size_t own = used_ += bytes;
  const bool is_alone = used == bytes;
  const bool fits = used <= budget_.max_bytes_ && own <= budget_.max_bytes_ - (used - bytes);
  if (is_alone || fits || own <= minimum_) {
    return MemoryHold(shared_from_this(), bytes);
  }
  used_ -= bytes;
  budget_.used_ -= bytes;
  return std::nullopt;
}

MemoryHold MemoryAccount::Force(std::size_t bytes) {
  budget_.used_ += bytes;
  used_ += bytes;
  return MemoryHold(shared_from_this(), bytes);
}

}  // namespace tandem
