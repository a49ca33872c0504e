// The spans of traced inputs: one from receipt to answer, and below it the wait in the queue, the simulation and, if
// requested, its nodes. Other inputs cost a branch.
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

// Maximum number of nodes with a span: the slowest ones.
inline constexpr std::size_t kMaxNodeSpans = 128;

// How an input was simulated.
struct Simulation {
  TimePoint started;
  TimePoint ended;
  std::size_t batch_size = 1;
  const NodeTimes* nodes = nullptr;  // not requested
};

// Thread-safe.
class InferSpans {
 public:
  // `sink` gets the spans, and must outlive this; nullptr: tracing is off.
  explicit InferSpans(SpanSink* sink) : sink_(sink) {}

  [[nodiscard]] bool on() const { return sink_ != nullptr; }

  // nullptr: the item is not traced. An invalid trace_parent is counted and otherwise ignored.
  std::unique_ptr<const TracedItem> Begin(const engine::v1::InferItem& item) {
    return on() && !item.trace_parent().empty() ? Traced(item) : nullptr;
  }

  // For an item that never became a job. Call it before the item's answer.
  void Refused(const engine::v1::InferItem& item, TimePoint received, const Error& error) {
    if (on() && !item.trace_parent().empty()) ReportRefused(item, received, error);
  }

  // Call it just before the job's answer. `simulation`: nullptr if it never began.
  void Answered(const InferJob& job, const Expected<engine::v1::Inference>& answer, const Simulation* simulation) {
    if (job.request().traced) Report(job.request(), answer, simulation);
  }

  // Number of items with an invalid trace_parent.
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
