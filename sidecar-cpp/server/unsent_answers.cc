#include "server/unsent_answers.h"

#include <utility>
#include <vector>

#include "server/message_checksum.h"

namespace tandem {
namespace {

// Bytes that the string and the heap add to an answer.
constexpr std::size_t kOverhead = 64;

std::size_t BytesOf(const std::string& answer) { return answer.size() + kOverhead; }

}  // namespace

void UnsentAnswers::Add(std::string answer) {
  const std::size_t bytes = BytesOf(answer);
  ready_.push_back(std::move(answer));
  ready_bytes_ += bytes;
  Count();
}

grpc::ByteBuffer UnsentAnswers::NextMessage() {
  std::vector<std::string> parts;
  std::size_t bytes = 0;
  while (!ready_.empty() && parts.size() < kMaxResultsPerMessage) {
    const std::size_t size = BytesOf(ready_.front());
    if (!parts.empty() && bytes + size > kMaxMessageBytes) break;
    bytes += size;
    parts.push_back(std::move(ready_.front()));
    ready_.pop_front();
  }
  ready_bytes_ -= bytes;
  sending_bytes_ = bytes;
  Count();
  return WithChecksum(parts, sent_++);
}

void UnsentAnswers::Sent() {
  sending_bytes_ = 0;
  Count();
}

void UnsentAnswers::Clear() {
  ready_.clear();
  ready_bytes_ = 0;
  Count();
}

bool UnsentAnswers::HasRoom() const {
  if (ready_.size() >= kMaxUnsentResults || ready_bytes_ >= kMaxUnsentBytes) return false;
  return !budget_.full() || (ready_.empty() && sending_bytes_ == 0);
}

void UnsentAnswers::Count() { memory_.Resize(ready_bytes_ + sending_bytes_); }

}  // namespace tandem
