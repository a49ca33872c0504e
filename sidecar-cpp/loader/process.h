// One run of tandem-loader, from the engine's side.
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
  std::optional<int> status;  // as of waitpid; nullopt: unknown
  bool was_killed = false;    // by us
};

// Killed, if it still runs, and reaped with this object.
class LoaderProcess {
 public:
  // Starts `program` with `file`. It gets no other descriptor, no signal handler and next to no environment of ours.
  static Expected<LoaderProcess> Start(const std::filesystem::path& program, int file, const LoadLimits& limits);

  LoaderProcess(LoaderProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), answer_(std::move(other.answer_)), ended_(std::move(other.ended_)) {}
  LoaderProcess& operator=(LoaderProcess&&) = delete;
  ~LoaderProcess();

  // The end of the pipe that its answer comes from.
  [[nodiscard]] int answer() const { return answer_.get(); }

  // Readable as soon as it has ended; -1: the system does not tell.
  [[nodiscard]] int ended() const { return ended_.get(); }

  // Waits until it has ended, and kills it if it has not after `patience`.
  LoaderEnd Reap(std::chrono::milliseconds patience);

 private:
  LoaderProcess(pid_t pid, Descriptor answer, Descriptor ended)
      : pid_(pid), answer_(std::move(answer)), ended_(std::move(ended)) {}

  pid_t pid_;
  Descriptor answer_;
  Descriptor ended_;
};

}  // namespace tandem
