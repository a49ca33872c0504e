// What an engine tells of the inputs that their callers trace: one span from receipt to answer, and below it the wait
// in the queue, the simulation and, where they are asked for, its nodes. Everything else costs a branch.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/node_times.h"
#include "server/infer_job.h"
#include "telemetry/occasionally.h"
#include "telemetry/span.h"

namespace tandem {

// Nodes that get a span of their own, at most: those that took the longest.
inline constexpr std::size_t kMaxNodeSpans = 128;

// How an input was simulated.
struct Simulation {
  TimePoint started;
  TimePoint ended;
  std::size_t batch_size = 1;
  const NodeTimes* nodes = nullptr;  // nobody asked
};

// Thread-safe.
class InferSpans {
 public:
  // `sink`, which must outlive this, gets the spans; nullptr: tracing is off.
  explicit InferSpans(SpanSink* sink) : sink_(sink) {}

  [[nodiscard]] bool on() const { return sink_ != nullptr; }

  // nullptr: the item is not traced. A trace_parent that is none is counted and otherwise ignored.
  std::unique_ptr<const TracedItem> Begin(const engine::v1::InferItem& item) {
    return on() && !item.trace_parent().empty() ? Traced(item) : nullptr;
  }

  // The item never became a job. Call it before the item is told.
  void Refused(const engine::v1::InferItem& item, TimePoint received, const Error& error) {
    if (on() && !item.trace_parent().empty()) ReportRefused(item, received, error);
  }

  // The job is about to be told its answer. `simulation`: nullptr where it never began.
  void Answered(const InferJob& job, const Expected<engine::v1::Inference>& answer, const Simulation* simulation) {
    if (job.request().traced) Report(job.request(), answer, simulation);
  }

  // Items whose trace_parent was none.
  [[nodiscard]] std::uint64_t malformed() const { return malformed_; }

 private:
  std::unique_ptr<const TracedItem> Traced(const engine::v1::InferItem& item);
  void ReportRefused(const engine::v1::InferItem& item, TimePoint received, const Error& error);
  void Report(const Job::Request& request, const Expected<engine::v1::Inference>& answer, const Simulation* simulation);

  SpanSink* const sink_;
  std::atomic<std::uint64_t> malformed_ = 0;
  Occasionally log_malformed_;
};

}  // namespace tandem
