// Traces inputs, one at a time, on a separate thread: a trace takes much time and memory, and must not delay ordinary
// inputs.
#pragma once

#include <cstddef>
#include <memory>

#include "base/status.h"
#include "scheduling/micro_batcher.h"
#include "server/trace_job.h"

namespace tandem {

// Thread-safe.
class Tracer {
 public:
  // `threads`: 1, or 0 if RunOne does the work.
  explicit Tracer(std::size_t threads);

  // Checks the place in `request`, or the number of digests, and creates a job. ENGINE_FULL: the caller's account has
  // no room for it.
  static Expected<std::shared_ptr<TraceJob>> MakeJob(Job::Request job, const engine::v1::TraceRequest& request,
                                                     MemoryAccount& account, std::shared_ptr<TraceSink> sink);

  // Starts the job, or answers it with ENGINE_FULL or DRAINING.
  void Submit(const std::shared_ptr<TraceJob>& job);

  // Discards a job that was cancelled before it began.
  void Sweep() { batcher_.Sweep(); }
  bool RunOne() { return batcher_.RunOne(); }
  void Close() { batcher_.Close(); }
  [[nodiscard]] std::size_t in_flight() const { return batcher_.in_flight(); }

 private:
  void Process(TraceJob& job);

  MicroBatcher batcher_;
};

}  // namespace tandem
