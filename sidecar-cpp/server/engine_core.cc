#include "server/engine_core.h"

#include <algorithm>
#include <new>
#include <utility>

#include "engine/batch_state.h"
#include "server/build_info.h"
#include "server/validate.h"

namespace tandem {

EngineCore::EngineCore(Options options, Repository repository, SpanSink* spans)
    : options_(std::move(options)),
      repository_(std::move(repository)),
      stream_memory_(options_.memory_bytes / 2),
      unary_memory_(options_.memory_bytes / 2),
      unary_accounts_(unary_memory_, kMinimumBytes),
      spans_(spans),
      recordings_(options_.recorder_bytes),
      executor_(options_.batcher.threads, spans_, recordings_, [this](Task& task) { batcher_.Release(task); }),
      tracer_(std::min<std::size_t>(options_.batcher.threads, 1)),
      model_loads_(options_.models, repository_),
      batcher_(
          options_.batcher,
          [this](const std::vector<TaskPtr>& batch, std::size_t worker) { executor_.Process(batch, worker); },
          [this](const TaskPtr& task) { executor_.Discard(static_cast<InferJob&>(*task)); }) {
  for (const auto& model : repository_.Now()->models()) Executor::MeasureModel(*model);
}

Error EngineCore::DrainingError() {
  return {Code::kUnavailable, "DRAINING", "this engine is shutting down and takes no new work; send it to another", {}};
}

Error EngineCore::MemoryError(const MemoryBudget& budget) {
  return {Code::kResourceExhausted,
          "ENGINE_FULL",
          "waiting inputs and unread answers use all the memory that this engine has for them; read the "
          "answers, send less at once, or try another engine",
          {{"max_memory_bytes", std::to_string(budget.max_bytes())}}};
}

Expected<std::shared_ptr<InferJob>> EngineCore::MakeJob(engine::v1::InferItem& item, TimePoint received,
                                                        MemoryAccount& account, std::shared_ptr<ResultSink> sink) {
  if (draining_) return DrainingError();
  auto request = ValidateItem(item, *repository_.Now(), received);
  if (!request.ok()) return request.error();
  auto memory = account.Take(InferJob::BytesFor(request.value()));
  if (!memory) return MemoryError(account.budget());
  request.value().batch = executor_.BatchSizeOf(request.value());
  request.value().traced = spans_.Begin(item);
  return std::make_shared<InferJob>(std::move(request).value(), *std::move(memory), std::move(sink));
}

Expected<std::shared_ptr<TraceJob>> EngineCore::MakeTraceJob(engine::v1::TraceRequest& request, TimePoint received,
                                                             MemoryAccount& account,
                                                             std::shared_ptr<TraceSink> sink) const {
  if (draining_) return DrainingError();
  request.mutable_item()->clear_detail();  // a trace has more detail than any of them
  auto job = ValidateItem(*request.mutable_item(), *repository_.Now(), received);
  if (!job.ok()) return job.error();
  return Tracer::MakeJob(std::move(job).value(), request, account, std::move(sink));
}

void EngineCore::Submit(const std::vector<std::shared_ptr<InferJob>>& jobs) {
  if (jobs.empty()) return;
  std::vector<Admission> answers;
  try {
    const std::vector<TaskPtr> tasks(jobs.begin(), jobs.end());
    // Waking a worker costs more than a short simulation.
    if (executor_.AreQuick(jobs) && batcher_.RunNow(tasks, [&] { return executor_.ProcessNow(jobs); })) return;
    answers = batcher_.Submit(tasks);
  } catch (const std::bad_alloc&) {  // none is queued yet: all are refused
  }
  for (std::size_t k = 0; k < jobs.size(); ++k) {
    const Admission admission = answers.empty() ? Admission::kFull : answers[k];
    if (admission == Admission::kAccepted) continue;
    try {
      Refuse(*jobs[k], admission);
    } catch (const std::bad_alloc&) {
      jobs[k]->Answer(Error{Code::kResourceExhausted, "ENGINE_FULL", "out of memory", {}});
    }
  }
}

void EngineCore::Refuse(InferJob& job, Admission admission) {
  Error full{Code::kResourceExhausted,
             "ENGINE_FULL",
             "this engine is at its limit of inputs; try again soon, or try another engine",
             {{"max_in_flight", std::to_string(options_.batcher.max_in_flight)}}};
  Expected<engine::v1::Inference> refusal = admission == Admission::kFull ? std::move(full) : DrainingError();
  spans_.Answered(job, refusal, nullptr);
  job.Answer(std::move(refusal));
}

void EngineCore::Describe(engine::v1::DescribeResponse& to) const {
  to.set_engine_id(options_.engine_id);
  to.set_build(BuildName());
  to.set_numerics_version(kNumericsVersion);
  to.set_protocol_version(kProtocolVersion);
  to.set_oldest_protocol_version(kOldestProtocolVersion);
  to.set_max_in_flight(static_cast<std::uint32_t>(options_.batcher.max_in_flight));
  to.set_compute_threads(static_cast<std::uint32_t>(options_.batcher.threads));
  for (const auto& model : repository_.Now()->models()) Describe(*model, *to.add_models());
}

void EngineCore::Describe(const Model& model, engine::v1::ModelDescription& to) {
  to.set_name(model.name);
  to.set_version(model.version);
  to.set_model_id(model.model_id);
  to.set_error(model.error);
  if (!model.network) return;
  to.set_input_size(model.network->input_size());
  to.set_output_size(model.network->output_size());
  to.set_steps(model.network->steps);
  to.set_nodes(model.network->graph_nodes);
  to.set_parameters(model.network->parameter_elements);
}

std::size_t EngineCore::ScratchBytes() const {
  std::size_t floats = 0;
  const auto repository = repository_.Now();
  for (const auto& model : repository->models()) {
    if (!model->network) continue;
    const Network& network = *model->network;
    const std::size_t items = std::min(network.max_batch(), options_.batcher.max_batch);
    floats = std::max(floats, ScratchFloats(network, items));
  }
  constexpr std::size_t kOtherThreads = 2;  // gRPC's, and the tracer's
  return sizeof(float) * floats * (options_.batcher.threads + kOtherThreads);
}

}  // namespace tandem
