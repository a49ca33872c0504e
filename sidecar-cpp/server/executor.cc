#include "server/executor.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <span>

namespace tandem {
namespace {

engine::v1::Inference ToInference(const InferJob& job, const RunResult& result, TimePoint started, TimePoint ended) {
  engine::v1::Inference to;
  to.set_model_version(job.request().model->version);
  to.set_steps(result.steps);
  to.mutable_spike_counts()->Add(result.spike_counts.begin(), result.spike_counts.end());
  to.set_potentials(result.potentials.data(), result.potentials.size() * sizeof(float));
  to.set_total_spikes(result.total_spikes);
  to.set_synaptic_operations(result.synaptic_operations);
  to.set_state_digest(result.state_digest);
  to.set_queue_us(ElapsedUs(job.request().received, started));
  to.set_compute_us(ElapsedUs(started, ended));
  return to;
}

// Passes each item's end on to its sink. What ends early is sent at once; results of a batch that runs to the end come
// together, and are flushed together by whoever runs the batch.
class Answers final : public RunObserver {
 public:
  Answers(std::span<InferJob* const> jobs, const std::function<void(Task&)>& release)
      : jobs_(jobs), release_(release), answered_(jobs.size(), false), started_(Clock::now()) {}

  bool Abandoned(std::size_t item) override {
    auto error = jobs_[item]->StopError();
    if (!error) return false;
    Answer(item, *std::move(error));
    jobs_[item]->sink()->Flush();
    return true;
  }

  void Finished(std::size_t item, Expected<RunResult> result) override {
    if (!result.ok()) {
      Answer(item, result.error());
      jobs_[item]->sink()->Flush();
      return;
    }
    Answer(item, ToInference(*jobs_[item], result.value(), started_, Clock::now()));
  }

  // After a fault in the engine: what has no answer yet gets `error`.
  void AnswerTheRest(const Error& error) {
    for (std::size_t item = 0; item < jobs_.size(); ++item) {
      if (!answered_[item]) Answer(item, error);
    }
  }

 private:
  void Answer(std::size_t item, Expected<engine::v1::Inference> answer) {
    answered_[item] = true;
    release_(*jobs_[item]);
    jobs_[item]->sink()->Complete(*jobs_[item], std::move(answer));
  }

  std::span<InferJob* const> jobs_;
  const std::function<void(Task&)>& release_;
  std::vector<bool> answered_;
  TimePoint started_;
};

}  // namespace

Executor::Executor(std::size_t workers, std::function<void(Task&)> release)
    : release_(std::move(release)), scratch_(std::max<std::size_t>(workers, 1)) {}

void Executor::Discard(const InferJob& job) {
  const auto error = job.StopError();
  job.sink()->Complete(job, error ? *error : Error{Code::kCancelled, "CANCELLED", "the input was dropped", {}});
  job.sink()->Flush();
}

void Executor::Process(const std::vector<TaskPtr>& batch, std::size_t worker) {
  std::vector<InferJob*> jobs;
  for (const TaskPtr& task : batch) {
    auto* job = static_cast<InferJob*>(task.get());
    if (job->Stale()) {
      release_(*job);
      Discard(*job);
    } else {
      jobs.push_back(job);
    }
  }
  for (std::size_t done = 0; done < jobs.size();) {
    const std::size_t count = std::min(jobs.size() - done, jobs[done]->request().model->network->max_batch());
    const auto some = jobs.begin() + static_cast<std::ptrdiff_t>(done);
    Simulate({some, some + static_cast<std::ptrdiff_t>(count)}, worker);
    done += count;
  }
}

void Executor::Simulate(std::vector<InferJob*> jobs, std::size_t worker) {
  const InferJob::Request& first = jobs.front()->request();
  std::vector<std::span<const char>> inputs;
  for (const InferJob* job : jobs) inputs.emplace_back(job->request().data);
  Answers answers(jobs, release_);
  try {
    RunBatch(*first.model->network, first.model->model_id, first.steps, inputs, scratch_[worker], answers);
  } catch (const std::exception& fault) {
    spdlog::error("simulating model {}/{} failed: {}", first.model->name, first.model->version, fault.what());
    answers.AnswerTheRest({Code::kInternal, "INTERNAL", "internal error", {}});
  }
  for (const InferJob* job : jobs) job->sink()->Flush();
}

}  // namespace tandem
