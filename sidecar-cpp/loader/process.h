// One run of tandem-loader, as the engine sees it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>

#include "base/descriptor.h"
#include "base/status.h"
#include "loader/limits.h"

namespace tandem {

// How it ended.
struct LoaderEnd {
  std::optional<int> status;  // status of waitpid; nullopt: unknown
  bool was_killed = false;    // by us
};

// The destructor kills the process if it still runs, and reaps it.
class LoaderProcess {
 public:
  // Starts `program` with `file`. It gets no other descriptor, no signal handler, and only a few variables of our
  // environment.
  static Expected<LoaderProcess> Start(const std::filesystem::path& program, int file, const LoadLimits& limits);

  LoaderProcess(LoaderProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), answer_(std::move(other.answer_)), ended_(std::move(other.ended_)) {}
  LoaderProcess& operator=(LoaderProcess&&) = delete;
  ~LoaderProcess();

  // The read end of the pipe for its answer.
  [[nodiscard]] int answer() const { return answer_.get(); }

  // A descriptor that is readable as soon as it has ended; -1 if the system has none.
  [[nodiscard]] int ended() const { return ended_.get(); }

  // Waits until it has ended, and kills it after `patience`.
  LoaderEnd Reap(std::chrono::milliseconds patience);

 private:
  LoaderProcess(pid_t pid, Descriptor answer, Descriptor ended)
      : pid_(pid), answer_(std::move(answer)), ended_(std::move(ended)) {}

  pid_t pid_;
  Descriptor answer_;
  Descriptor ended_;
};

}  // namespace tandem
