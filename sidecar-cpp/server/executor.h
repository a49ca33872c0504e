// What worker threads do with a batch of jobs: simulate it and hand the answers to their sinks.
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
  // `release` is told of every job right before its answer is given, to free its place in the queue.
  // `spans` and `recordings` must outlive this.
  Executor(std::size_t workers, InferSpans& spans, RecordingStore& recordings, std::function<void(Task&)> release);

  // Thread-safe for distinct workers. All tasks are InferJobs of one model, one number of steps and one detail.
  void Process(const std::vector<TaskPtr>& batch, std::size_t worker);

  // Runs jobs that should take little, on the calling thread, which must not be held up: false if they turn out to take
  // long, and those that ended until then are the only ones with an answer. Answers are left to the caller to flush,
  // when the engine is free for the next. Not thread-safe with itself.
  bool ProcessNow(std::span<const std::shared_ptr<InferJob>> jobs);
  // Whether the jobs, at least one, are some for ProcessNow.
  [[nodiscard]] static bool AreQuick(std::span<const std::shared_ptr<InferJob>> jobs);

  // Measures one run of a model, so that what it takes is known before the first input comes. Any thread.
  static void MeasureModel(const Model& model);
  // How many such inputs one worker should take.
  [[nodiscard]] static BatchSize BatchSizeOf(const Job::Request& request);

  // Answers a job that went stale while it waited.
  void Discard(InferJob& job);

 private:
  bool DiscardIfStale(InferJob& job);
  // False: given up after so much of the thread's time, with nothing answered.
  // What is thrown fails those of the jobs that have no answer yet, and nothing else.
  bool Simulate(std::span<InferJob* const> jobs, Scratch& scratch, std::chrono::nanoseconds patience);
  // The same, and may throw.
  bool Run(std::span<InferJob* const> jobs, Scratch& scratch, std::chrono::nanoseconds patience);
  void Fail(std::span<InferJob* const> jobs, const std::exception& fault);

  InferSpans& spans_;
  RecordingStore& recordings_;
  const std::function<void(Task&)> release_;
  std::vector<Scratch> scratch_;  // by worker
  Scratch scratch_now_;
};

}  // namespace tandem
