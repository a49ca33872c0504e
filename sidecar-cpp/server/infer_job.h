// One input on its way through the engine, and whoever waits for its answer.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "engine/model.h"
#include "scheduling/micro_batcher.h"
#include "tandem/engine/v1/engine.pb.h"

namespace tandem {

class InferJob;

// Where answers go. Thread-safe.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  // The job's one answer. The sink may hold it back until Flush.
  virtual void Complete(const InferJob& job, Expected<engine::v1::Inference> answer) = 0;
  // Sends what was held back.
  virtual void Flush() = 0;
};

class InferJob final : public Task {
 public:
  struct Request {
    std::uint64_t id = 0;
    std::shared_ptr<const Model> model;
    std::string data;  // valid input: finite little-endian binary32 of the right length
    std::uint32_t steps = 0;
    TimePoint received;
    TimePoint deadline = kNoDeadline;
  };

  InferJob(Request request, std::shared_ptr<ResultSink> sink)
      : Task({request.model.get(), request.steps}, CostOf(request)),
        request_(std::move(request)),
        sink_(std::move(sink)) {}

  [[nodiscard]] const Request& request() const { return request_; }
  [[nodiscard]] const std::shared_ptr<ResultSink>& sink() const { return sink_; }

  // Nobody waits any more. Any thread.
  void Cancel() { cancelled_ = true; }

  // Why the job should stop, if it should: CANCELLED or DEADLINE_EXCEEDED. Any thread.
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

 private:
  // What the job keeps in memory: its input, and later its answer (a count of at most 5 bytes and a potential each).
  static std::size_t CostOf(const Request& request) {
    return request.data.size() + std::size_t{9} * request.model->network->output_size() + 512;
  }

  const Request request_;
  const std::shared_ptr<ResultSink> sink_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace tandem
