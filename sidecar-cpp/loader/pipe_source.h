// Reads bytes from a pipe until a deadline, or until a stop is requested.
#pragma once

#include <stop_token>
#include <vector>

#include "base/clock.h"
#include "base/descriptor.h"
#include "nir/byte_stream.h"

namespace tandem {

class PipeSource final : public ByteSource {
 public:
  enum class End { kNone, kClosed, kTimeout, kStopped };

  // `writer_ended`: a descriptor that is readable when the writing process has ended, even if another process keeps the
  // pipe open; -1 if there is none.
  PipeSource(int pipe, int writer_ended, TimePoint deadline, const std::stop_token& stop);

  bool Read(void* to, std::size_t size) override;
  // Why Read failed.
  [[nodiscard]] End end() const { return end_; }

 private:
  // Number of bytes received, at least one; 0: see end().
  std::size_t Receive(char* to, std::size_t size);

  struct Wake {
    int event;
    void operator()() const;
  };

  const int pipe_;
  const int writer_ended_;
  const TimePoint deadline_;
  const Descriptor stopped_;
  std::stop_callback<Wake> on_stop_;
  End end_ = End::kNone;
  std::vector<char> buffer_;  // received, not read yet, from `at_` on
  std::size_t at_ = 0;
};

}  // namespace tandem
