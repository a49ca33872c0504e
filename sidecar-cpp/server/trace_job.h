// An input of Trace, and the receiver of its answer.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "engine/trace.h"
#include "server/job.h"
#include "tandem/engine/v1/engine.pb.h"

namespace tandem {

// Thread-safe.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  // Takes the single answer of the job.
  virtual void Complete(Expected<engine::v1::TraceResponse> answer) = 0;
};

class TraceJob final : public Job {
 public:
  TraceJob(Request request, MemoryHold memory, std::optional<TracePlace> place, std::shared_ptr<TraceSink> sink)
      : Job(std::move(request), std::move(memory)), place_(place), sink_(std::move(sink)) {}

  [[nodiscard]] const std::optional<TracePlace>& place() const { return place_; }
  [[nodiscard]] const std::shared_ptr<TraceSink>& sink() const { return sink_; }

 private:
  const std::optional<TracePlace> place_;
  const std::shared_ptr<TraceSink> sink_;
};

}  // namespace tandem
