// One input in the engine, and whether its answer is still needed.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "engine/layers.h"
#include "engine/model.h"
#include "scheduling/memory_budget.h"
#include "scheduling/micro_batcher.h"
#include "telemetry/trace_context.h"

namespace tandem {

// Data of a traced input.
struct TracedItem {
  TraceContext caller;
  bool layers = false;  // the time of every node is requested
};

class Job : public Task {
 public:
  struct Request {
    std::uint64_t id = 0;
    std::shared_ptr<const Model> model;
    std::string data;         // valid input: finite little-endian binary32 of the right length
    std::uint32_t steps = 0;  // of this input
    std::string state;        // valid; empty: begins at step 0
    bool return_state = false;
    TimePoint received;
    TimePoint deadline = kNoDeadline;
    bool digest_only = false;
    Detail detail = Detail::kSummary;
    BatchSize batch;
    std::unique_ptr<const TracedItem> traced;  // usually empty
  };

  [[nodiscard]] const Request& request() const { return request_; }
  // Returns true if the two may be simulated together.
  [[nodiscard]] bool RunsWith(const Request& other) const {
    return request_.model == other.model && ShapeOf(request_) == ShapeOf(other);
  }

  // Cancels the job: its answer is not needed. Any thread.
  void Cancel() { cancelled_ = true; }

  // The reason if the job should stop: CANCELLED or DEADLINE_EXCEEDED. Any thread.
  [[nodiscard]] std::optional<Error> StopError() const {
    if (cancelled_) return Error{Code::kCancelled, "CANCELLED", "the caller cancelled this input", {}};
    if (request_.deadline != kNoDeadline && Clock::now() >= request_.deadline) {
      return Error{Code::kDeadlineExceeded,
                   "DEADLINE_EXCEEDED",
                   "the answer was not ready in time; allow more time or send less at once",
                   {}};
    }
    return std::nullopt;
  }
  [[nodiscard]] bool Stale() const override {
    return cancelled_ || (request_.deadline != kNoDeadline && Clock::now() >= request_.deadline);
  }

 protected:
  // `memory`: for the input and the answer; held as long as the job exists.
  Job(Request&& request, MemoryHold memory)
      : Task({request.model.get(), ShapeOf(request)}, request.batch),
        request_(std::move(request)),
        memory_(std::move(memory)) {}

 private:
  // Jobs that run together have the same number of steps and the same detail.
  static std::uint64_t ShapeOf(const Request& request) {
    return request.steps | static_cast<std::uint64_t>(request.detail) << 32;
  }

  const Request request_;
  const MemoryHold memory_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace tandem
