#include "server/executor.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <utility>

#include "base/text.h"
#include "engine/layers.h"
#include "server/measure_run.h"
#include "server/recent_cost.h"
#include "telemetry/log.h"

namespace tandem {
namespace {

// The longest expected time of one input that runs on a reading thread, and the time after which such a run is given
// up. Several inputs run there if together they take less time than waking a worker.
constexpr std::chrono::microseconds kQuick{300};
constexpr std::chrono::milliseconds kInlineRunLimit{1};
// The same in elapsed time: a thread that sleeps, or has no CPU, uses no CPU time.
constexpr std::chrono::milliseconds kInlineWallLimit{50};
constexpr std::chrono::microseconds kWorthWaking{100};
// The longest expected time of a batch, so that other models get their turn. A few inputs are always batched, since
// they share the loading of the weights.
constexpr std::chrono::milliseconds kLongBatch{20};
constexpr std::size_t kSharingItems = 8;
constexpr auto kEndless = std::chrono::nanoseconds::max();

void AddLayer(const Network& network, const LayerActivity& layer, engine::v1::Inference& to) {
  auto& added = *to.add_layers();
  added.set_node(Printable(network.nodes[layer.node].name));
  added.set_neurons(network.nodes[layer.node].out);
  added.set_spikes(layer.spikes);
  added.mutable_spikes_per_step()->Add(layer.spikes_per_step.begin(), layer.spikes_per_step.end());
  added.mutable_event_steps()->Add(layer.event_steps.begin(), layer.event_steps.end());
  added.mutable_event_neurons()->Add(layer.event_neurons.begin(), layer.event_neurons.end());
  added.set_events_left_out(layer.events_left_out);
}

// Moves the state out of `result`.
engine::v1::Inference ToInference(const InferJob& job, RunResult& result, TimePoint started, TimePoint ended,
                                  std::size_t batch_items) {
  engine::v1::Inference to;
  to.set_model_version(job.request().model->version);
  to.set_steps(result.steps);
  if (!job.request().digest_only) {
    to.mutable_spike_counts()->Add(result.spike_counts.begin(), result.spike_counts.end());
    to.set_potentials(result.potentials.data(), result.potentials.size() * sizeof(float));
  }
  to.set_total_spikes(result.total_spikes);
  to.set_synaptic_operations(result.synaptic_operations);
  to.set_state_digest(result.state_digest);
  to.set_readout_digest(result.readout_digest);
  to.set_queue_us(ElapsedUs(job.request().received, started));
  to.set_compute_us(ElapsedUs(started, ended));
  to.set_batch_items(static_cast<std::uint32_t>(batch_items));
  to.set_state(std::move(result.state));
  return to;
}

// Passes each item's end to its sink. An item that ends early is sent at once. Results of a complete batch are flushed
// together at its end.
class Answers final : public RunObserver {
 public:
  // `layers`, `times`: nullptr if only the results are needed.
  Answers(std::span<InferJob* const> jobs, const std::function<void(Task&)>& release, InferSpans& spans,
          const NodeTimes* times, LayerRecorder* layers, BatchRecorder& recorder, std::chrono::nanoseconds run_limit)
      : jobs_(jobs),
        release_(release),
        spans_(spans),
        times_(times),
        layers_(layers),
        recorder_(recorder),
        started_(Clock::now()),
        began_(ThreadTime()),
        run_limit_(run_limit) {}

  bool Abandoned(std::size_t item) override {
    if (run_limit_ != kEndless && (used() >= run_limit_ || Clock::now() - started_ >= kInlineWallLimit)) {
      return gave_up_ = true;
    }
    auto error = jobs_[item]->StopError();
    if (!error) return false;
    Answer(item, *std::move(error));
    jobs_[item]->sink()->Flush();
    return true;
  }

  void Finished(std::size_t item, Expected<RunResult> result) override {
    if (!result.ok()) {
      Error error = result.error();
      error.recording_id = recorder_.Keep(item, error.reason);
      Answer(item, std::move(error));
      jobs_[item]->sink()->Flush();
      return;
    }
    any_finished_ = true;
    auto answer = ToInference(*jobs_[item], result.value(), started_, Clock::now(), jobs_.size());
    answer.set_recording_id(recorder_.Keep(item, ""));
    if (layers_ != nullptr) {
      for (const auto& layer : layers_->Take(item)) AddLayer(*jobs_[item]->request().model->network, layer, answer);
      const std::vector<float> readout = layers_->TakeReadout(item);
      answer.set_readout_per_step(readout.data(), readout.size() * sizeof(float));
    }
    Answer(item, std::move(answer));
  }

  // CPU time of the thread so far.
  [[nodiscard]] std::chrono::nanoseconds used() const { return ThreadTime() - began_; }
  [[nodiscard]] bool gave_up() const { return gave_up_; }
  [[nodiscard]] bool any_finished() const { return any_finished_; }

 private:
  void Answer(std::size_t item, Expected<engine::v1::Inference> answer) {
    release_(*jobs_[item]);
    if (jobs_[item]->request().traced) {
      const Simulation simulation{started_, Clock::now(), jobs_.size(), times_};
      spans_.Answered(*jobs_[item], answer, &simulation);
    }
    jobs_[item]->Answer(std::move(answer));
  }

  std::span<InferJob* const> jobs_;
  const std::function<void(Task&)>& release_;
  InferSpans& spans_;
  const NodeTimes* times_;
  LayerRecorder* layers_;
  BatchRecorder& recorder_;
  TimePoint started_;
  std::chrono::nanoseconds began_;  // in CPU time of the thread
  std::chrono::nanoseconds run_limit_;
  bool gave_up_ = false;
  bool any_finished_ = false;
};

bool WantsLayers(const InferJob* job) { return job->request().traced && job->request().traced->layers; }

// Out of memory is not a fault of the model: another engine may have enough.
Error FaultError(const std::exception& fault) {
  if (dynamic_cast<const std::bad_alloc*>(&fault) == nullptr)
    return {Code::kInternal, "INTERNAL", "internal error", {}};
  return {Code::kResourceExhausted,
          "ENGINE_FULL",
          "this engine has too little memory for this input; try another engine",
          {}};
}

// The log line names one trace of the batch, if there is any: all of them show the same failure.
void LogFault(std::span<InferJob* const> jobs, const std::exception& fault) {
  const auto traced = std::ranges::find_if(jobs, [](const InferJob* job) { return job->request().traced != nullptr; });
  std::optional<TraceInLog> trace;
  if (traced != jobs.end()) trace.emplace((*traced)->request().traced->caller.trace_id);
  const Model& model = *jobs.front()->request().model;
  spdlog::error("simulating model {}/{} failed: {}", model.name, model.version, fault.what());
}

}  // namespace

Executor::Executor(std::size_t workers, InferSpans& spans, RecordingStore& recordings,
                   std::function<void(Task&)> release)
    : spans_(spans),
      recordings_(recordings),
      release_(std::move(release)),
      scratch_(std::max<std::size_t>(workers, 1)) {}

void Executor::Discard(InferJob& job) {
  const auto error = job.StopError();
  Expected<engine::v1::Inference> answer =
      error ? *error : Error{Code::kCancelled, "CANCELLED", "the input was dropped", {}};
  spans_.Answered(job, answer, nullptr);
  job.Answer(std::move(answer));
  job.sink()->Flush();
}

void Executor::Fail(std::span<InferJob* const> jobs, const std::exception& fault) {
  LogFault(jobs, fault);
  for (InferJob* job : jobs) {
    if (job->answered()) continue;
    release_(*job);
    job->Answer(FaultError(fault));
    job->sink()->Flush();
  }
}

void Executor::Process(const std::vector<TaskPtr>& batch, std::size_t worker) {
  std::vector<InferJob*> jobs;
  jobs.reserve(batch.size());
  for (const TaskPtr& task : batch) {
    auto* job = static_cast<InferJob*>(task.get());
    if (!DiscardIfStale(*job)) jobs.push_back(job);
  }
  for (std::span<InferJob* const> left = jobs; !left.empty();) {
    const auto together = left.first(std::min(left.size(), left.front()->request().model->network->max_batch()));
    Simulate(together, scratch_[worker], kEndless);
    for (const InferJob* job : together) job->sink()->Flush();
    left = left.subspan(together.size());
  }
}

bool Executor::AreQuick(std::span<const std::shared_ptr<InferJob>> jobs) {
  const Job::Request& first = jobs.front()->request();
  // The time of a plain run does not predict that of a recorded one.
  if (first.detail != Detail::kSummary) return false;
  const bool are_equal = std::ranges::all_of(jobs, [&first](const auto& job) { return job->RunsWith(first); });
  const auto cost = CostOf(*first.model, first.steps);
  const auto limit = jobs.size() == 1 ? kQuick : kWorthWaking;
  return are_equal && cost && *cost * jobs.size() < limit && jobs.size() <= first.model->network->max_batch();
}

bool Executor::ProcessNow(std::span<const std::shared_ptr<InferJob>> jobs) {
  std::vector<InferJob*> fresh;
  fresh.reserve(jobs.size());
  for (const auto& job : jobs) {
    if (!DiscardIfStale(*job)) fresh.push_back(job.get());
  }
  return fresh.empty() || Simulate(fresh, scratch_now_, kInlineRunLimit);
}

void Executor::MeasureModel(const Model& model) {
  if (const auto run = model.network ? MeasureRun(model) : std::nullopt) NoteCost(model, run->steps, run->took);
}

BatchSize Executor::BatchSizeOf(const Job::Request& request) {
  const auto cost = CostOf(*request.model, request.steps);
  if (!cost || cost->count() <= 0) return {};
  const auto items = [&cost](std::chrono::nanoseconds time) { return static_cast<std::size_t>(time / *cost); };
  return {1 + items(kWorthWaking), std::max(kSharingItems, items(kLongBatch))};
}

bool Executor::DiscardIfStale(InferJob& job) {
  if (!job.Stale()) return false;
  release_(job);
  Discard(job);
  return true;
}

bool Executor::Simulate(std::span<InferJob* const> jobs, Scratch& scratch, std::chrono::nanoseconds run_limit) {
  bool is_done = true;
  try {
    is_done = Run(jobs, scratch, run_limit);
  } catch (const std::exception& fault) {
    Fail(jobs, fault);
  }
  scratch.Trim();
  return is_done;
}

bool Executor::Run(std::span<InferJob* const> jobs, Scratch& scratch, std::chrono::nanoseconds run_limit) {
  const Job::Request& first = jobs.front()->request();
  std::vector<RunInput> inputs;
  for (const InferJob* job : jobs) {
    const Job::Request& request = job->request();
    inputs.push_back({request.data, request.state, request.return_state});
  }
  const Network& network = *first.model->network;
  std::optional<LayerRecorder> layers;
  if (first.detail != Detail::kSummary) layers.emplace(network, jobs.size(), first.steps, first.detail);
  std::optional<NodeTimes> times;
  if (!layers && std::ranges::any_of(jobs, WantsLayers)) times.emplace(network.nodes.size());
  NodeTimes* const timed = times ? &*times : nullptr;
  BatchRecorder recorder(recordings_, first.model, first.steps, jobs.size());
  Answers answers(jobs, release_, spans_, timed, layers ? &*layers : nullptr, recorder, run_limit);
  if (layers) {
    RunBatchRecorded(network, first.model->model_id, first.steps, inputs, scratch, answers, *layers,
                     recorder.recorder());
  } else {
    RunBatch(network, first.model->model_id, first.steps, inputs, scratch, answers, timed, recorder.recorder());
  }
  // An incomplete run does not show the model's time, unless it already took too long.
  if (jobs.size() == 1 && !layers && (answers.any_finished() || answers.gave_up())) {
    NoteCost(*first.model, first.steps, answers.used());
  }
  return !answers.gave_up();
}

}  // namespace tandem
