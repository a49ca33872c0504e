// The work of worker threads: simulates a batch of jobs and passes the answers to their sinks.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/recording_store.h"
#include "engine/simulator.h"
#include "server/infer_job.h"
#include "server/infer_spans.h"

namespace tandem {

class Executor {
 public:
  // `release` is called for every job just before its answer, to free its slot in the queue.
  // `spans` and `recordings` must outlive this.
  Executor(std::size_t workers, InferSpans& spans, RecordingStore& recordings, std::function<void(Task&)> release);

  // Thread-safe for distinct workers. All tasks are InferJobs of one model, one number of steps and one detail.
  void Process(const std::vector<TaskPtr>& batch, std::size_t worker);

  // Runs short jobs on the calling thread, which must not be blocked. Returns false if they take too long; only jobs
  // that ended before have an answer then. The caller flushes the answers, after the engine is free for the next jobs.
  // Not thread-safe with itself.
  bool ProcessNow(std::span<const std::shared_ptr<InferJob>> jobs);
  // Returns true if the jobs, at least one, are short enough for ProcessNow.
  [[nodiscard]] static bool AreQuick(std::span<const std::shared_ptr<InferJob>> jobs);

  // Measures one run of a model, so that its time is known before the first input. Any thread.
  static void MeasureModel(const Model& model);
  // The number of such inputs that one worker should take.
  [[nodiscard]] static BatchSize BatchSizeOf(const Job::Request& request);

  // Answers a job that became stale in the queue.
  void Discard(InferJob& job);

 private:
  bool DiscardIfStale(InferJob& job);
  // Returns false if it gave up after this CPU time, with nothing answered. An exception fails only those jobs that
  // have no answer yet.
  bool Simulate(std::span<InferJob* const> jobs, Scratch& scratch, std::chrono::nanoseconds patience);
  // The same, but it may throw.
  bool Run(std::span<InferJob* const> jobs, Scratch& scratch, std::chrono::nanoseconds patience);
  void Fail(std::span<InferJob* const> jobs, const std::exception& fault);

  InferSpans& spans_;
  RecordingStore& recordings_;
  const std::function<void(Task&)> release_;
  std::vector<Scratch> scratch_;  // by worker
  Scratch scratch_now_;
};

}  // namespace tandem
