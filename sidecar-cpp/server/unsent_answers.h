// Answers of one stream on their way out, as bytes of the wire, all of them counted.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "scheduling/memory_budget.h"

namespace tandem {

// A stream stops reading while this much waits for a peer that does not read its answers.
inline constexpr std::size_t kMaxUnsentResults = 512;
inline constexpr std::size_t kMaxUnsentBytes = std::size_t{8} << 20;

// Answers gathered into one message, at most (one answer is always sent, however large).
inline constexpr std::size_t kMaxResultsPerMessage = 256;
inline constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 20;

// Not thread-safe.
class UnsentAnswers {
 public:
  explicit UnsentAnswers(MemoryAccount& account) : budget_(account.budget()), memory_(account.Force(0)) {}

  // An InferStreamResponse of one result. Messages are joined by writing one behind the other.
  void Add(std::string answer);
  // The next message, with its checksum. There must be an answer. Its bytes count until Sent().
  grpc::ByteBuffer NextMessage();
  void Sent();
  void Clear();

  [[nodiscard]] bool empty() const { return ready_.empty(); }
  // Whether the stream may read more, which makes more answers. Where the budget is full, a stream first sends what it
  // has: one whose peer does not read then stops, and holds up no other.
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
