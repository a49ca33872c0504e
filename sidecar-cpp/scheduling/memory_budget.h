// A budget for the memory that callers use in the engine: waiting requests and unsent answers.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace tandem {

class MemoryAccount;

// Bytes of an account. The destructor returns them.
class MemoryHold {
 public:
  MemoryHold() = default;
  MemoryHold(MemoryHold&& other) noexcept;
  MemoryHold& operator=(MemoryHold&& other) noexcept;
  ~MemoryHold() { Resize(0); }

  // Always succeeds: existing memory is counted, even above the budget.
  void Resize(std::size_t bytes);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  friend class MemoryAccount;
  MemoryHold(std::shared_ptr<MemoryAccount> account, std::size_t bytes) : account_(std::move(account)), bytes_(bytes) {}

  std::shared_ptr<MemoryAccount> account_;
  std::size_t bytes_ = 0;
};

// Thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  [[nodiscard]] std::size_t max_bytes() const { return max_bytes_; }
  [[nodiscard]] std::size_t used() const { return used_; }
  [[nodiscard]] bool full() const { return used_ >= max_bytes_; }

 private:
  friend class MemoryAccount;
  friend class MemoryHold;
  const std::size_t max_bytes_;
  std::atomic<std::size_t> used_ = 0;
};

// The part of a budget of one caller: a stream or a call. It may hold as much as it leaves free, so the first caller
// gets half of the budget, and the next half of the rest. It may always hold `minimum` bytes. Thread-safe.
class MemoryAccount : public std::enable_shared_from_this<MemoryAccount> {
 public:
  // `budget` must outlive the account and its holds.
  static std::shared_ptr<MemoryAccount> Open(MemoryBudget& budget, std::size_t minimum = 0) {
    return std::shared_ptr<MemoryAccount>(new MemoryAccount(budget, minimum));
  }

  // Returns nullopt if the bytes do not fit. If the budget is unused, any number fits: even with a small budget, the
  // largest message must be served.
  std::optional<MemoryHold> Take(std::size_t bytes);
  // For memory that is needed in any case.
  MemoryHold Force(std::size_t bytes);

  [[nodiscard]] const MemoryBudget& budget() const { return budget_; }
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  friend class MemoryHold;
  MemoryAccount(MemoryBudget& budget, std::size_t minimum) : budget_(budget), minimum_(minimum) {}

  MemoryBudget& budget_;
  const std::size_t minimum_;
  std::atomic<std::size_t> used_ = 0;
};

}  // namespace tandem
