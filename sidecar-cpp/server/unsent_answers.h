// The unsent answers of one stream, encoded and counted in its memory.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "scheduling/memory_budget.h"

namespace tandem {

// A stream stops reading while this many bytes of answers wait for a peer that does not read.
inline constexpr std::size_t kMaxUnsentResults = 512;
inline constexpr std::size_t kMaxUnsentBytes = std::size_t{8} << 20;

// Largest message of collected answers (one answer is always sent, however large).
inline constexpr std::size_t kMaxResultsPerMessage = 256;
inline constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 20;

// Not thread-safe.
class UnsentAnswers {
 public:
  explicit UnsentAnswers(MemoryAccount& account) : budget_(account.budget()), memory_(account.Force(0)) {}

  // An InferStreamResponse of one result. Concatenated messages are one message.
  void Add(std::string answer);
  // The next message, with its checksum. There must be an answer. Its bytes count as memory until Sent().
  grpc::ByteBuffer NextMessage();
  void Sent();
  void Clear();

  [[nodiscard]] bool empty() const { return ready_.empty(); }
  // Returns true if the stream may read more, which leads to more answers. If the budget is full, a stream first sends
  // its answers. So a stream with a peer that does not read stops, and does not block others.
  [[nodiscard]] bool HasRoom() const;

 private:
  void Count();

  const MemoryBudget& budget_;
  MemoryHold memory_;
  std::deque<std::string> ready_;
  std::size_t ready_bytes_ = 0;
  std::size_t sending_bytes_ = 0;
  std::uint64_t sent_ = 0;  // messages
};

}  // namespace tandem
