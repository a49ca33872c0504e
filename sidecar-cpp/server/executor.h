// What worker threads do with a batch of jobs: simulate it and hand the answers to their sinks.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "engine/simulator.h"
#include "server/infer_job.h"

namespace tandem {

class Executor {
 public:
  // `release` is told of every job right before its answer is given, to free its place in the queue.
  Executor(std::size_t workers, std::function<void(Task&)> release);

  // Thread-safe for distinct workers. All tasks are InferJobs of one model and one number of steps.
  void Process(const std::vector<TaskPtr>& batch, std::size_t worker);

  // Answers a job that went stale while it waited.
  static void Discard(const InferJob& job);

 private:
  void Simulate(std::vector<InferJob*> jobs, std::size_t worker);

  const std::function<void(Task&)> release_;
  std::vector<Scratch> scratch_;  // by worker
};

}  // namespace tandem
