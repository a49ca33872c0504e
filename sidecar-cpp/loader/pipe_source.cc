#include "loader/pipe_source.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

namespace tandem {
namespace {

constexpr std::size_t kBufferBytes = 65536;

// Rounded up for poll(), so that it does not return just before the deadline.
int MillisecondsUntil(TimePoint deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
}

}  // namespace

PipeSource::PipeSource(int pipe, int writer_ended, TimePoint deadline, const std::stop_token& stop)
    : pipe_(pipe),
      writer_ended_(writer_ended),
      deadline_(deadline),
      stopped_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      on_stop_(stop, Wake{stopped_.get()}) {
  buffer_.reserve(kBufferBytes);
}

void PipeSource::Wake::operator()() const { eventfd_write(event, 1); }

bool PipeSource::Read(void* to, std::size_t size) {
  auto* out = static_cast<char*>(to);
  while (size > 0) {
    if (at_ == buffer_.size() && size < kBufferBytes) {
      buffer_.resize(kBufferBytes);
      buffer_.resize(Receive(buffer_.data(), kBufferBytes));
      at_ = 0;
      if (buffer_.empty()) return false;
    }
    const std::size_t ready = std::min(size, buffer_.size() - at_);
    std::copy_n(buffer_.data() + at_, ready, out);
    at_ += ready;
    out += ready;
    size -= ready;
    if (size < kBufferBytes) continue;
    const std::size_t received = Receive(out, size);  // a long read does not need the buffer
    if (received == 0) return false;
    out += received;
    size -= received;
  }
  return true;
}

std::size_t PipeSource::Receive(char* to, std::size_t size) {
  while (end_ == End::kNone) {
    std::array<pollfd, 3> wait = {{{pipe_, POLLIN, 0}, {stopped_.get(), POLLIN, 0}, {writer_ended_, POLLIN, 0}}};
    const int ready = poll(wait.data(), wait.size(), MillisecondsUntil(deadline_));
    if (ready < 0 && errno == EINTR) continue;
    // The writer's last bytes may have arrived after the last read of the pipe.
    if (wait[2].revents != 0) poll(wait.data(), 1, 0);
    if (wait[1].revents != 0) {
      end_ = End::kStopped;
    } else if (Clock::now() >= deadline_) {
      end_ = End::kTimeout;
    } else if (wait[0].revents != 0) {
      const ssize_t got = read(pipe_, to, size);
      if (got > 0) return static_cast<std::size_t>(got);
      if (got == 0 || errno != EINTR) end_ = End::kClosed;
    } else if (wait[2].revents != 0) {
      end_ = End::kClosed;
    }
  }
  return 0;
}

}  // namespace tandem
