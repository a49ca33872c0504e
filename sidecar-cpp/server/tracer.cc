#include "server/tracer.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "base/text.h"
#include "server/engine_core.h"

namespace tandem {
namespace {

std::string Bytes(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

Expected<TracePlace> Find(const engine::v1::TracePlace& place, const Job::Request& job) {
  if (place.step() >= job.steps) {
    const std::string steps = std::to_string(job.steps);
    return Error{
        Code::kInvalidArgument,
        "TRACE_STEP",
        "there is no step " + std::to_string(place.step()) + "; the run has " + steps + ", of which the first is 0",
        {{"steps", steps}}};
  }
  const auto& nodes = job.model->network->nodes;
  const auto found =
      std::ranges::find_if(nodes, [&](const NetworkNode& node) { return Printable(node.name) == place.node(); });
  if (found == nodes.end()) {
    const std::string name = Printable(place.node());
    return Error{Code::kInvalidArgument,
                 "TRACE_NODE",
                 "no evaluated node of model \"" + job.model->name + "\" is named \"" + name +
                     "\"; a trace without a place lists them",
                 {{"node", name}}};
  }
  return TracePlace{place.step(), static_cast<std::uint32_t>(found - nodes.begin())};
}

// The input, and the answer twice: as computed and as sent.
std::size_t BytesFor(const Job::Request& job, const std::optional<TracePlace>& place) {
  const auto& nodes = job.model->network->nodes;
  const std::size_t answer =
      place ? 3 * sizeof(float) * nodes[place->node].out : sizeof(std::uint64_t) * nodes.size() * job.steps;
  return job.data.size() + job.state.size() + 2 * answer + 512;
}

Expected<engine::v1::TraceResponse> Answer(const TraceJob& job) {
  const Job::Request& request = job.request();
  const Network& network = *request.model->network;
  Scratch scratch;  // not kept: traces are rare, and may be large
  const RunInput input{.values = request.data, .state = request.state};
  auto trace = TraceRun(network, request.steps, input, job.place(), scratch, [&job] { return job.Stale(); });
  if (!trace) return *job.StopError();
  engine::v1::TraceResponse answer;
  for (const NetworkNode& node : network.nodes) answer.add_nodes(Printable(node.name));
  answer.mutable_digests()->Add(trace->digests.begin(), trace->digests.end());
  answer.set_current(Bytes(trace->current));
  answer.set_potential(Bytes(trace->potential));
  answer.set_output(Bytes(trace->output));
  answer.set_ended(trace->ended);
  return answer;
}

}  // namespace

Tracer::Tracer(std::size_t threads)
    : batcher_(
          {.threads = threads, .max_in_flight = 1, .max_batch = 1},
          [this](const std::vector<TaskPtr>& batch, std::size_t) { Process(static_cast<TraceJob&>(*batch.front())); },
          [](const TaskPtr& task) {
            const auto& job = static_cast<const TraceJob&>(*task);
            job.sink()->Complete(*job.StopError());
          }) {}

Expected<std::shared_ptr<TraceJob>> Tracer::MakeJob(Job::Request job, const engine::v1::TraceRequest& request,
                                                    MemoryAccount& account, std::shared_ptr<TraceSink> sink) {
  std::optional<TracePlace> place;
  if (request.has_place()) {
    const auto found = Find(request.place(), job);
    if (!found.ok()) return found.error();
    place = found.value();
  } else if (const std::size_t digests = job.steps * job.model->network->nodes.size(); digests > kMaxTraceDigests) {
    return Error{Code::kResourceExhausted,
                 "TRACE_TOO_LARGE",
                 "the trace would have " + std::to_string(digests) + " digests, above the limit of " +
                     std::to_string(kMaxTraceDigests) + "; send fewer steps, or request one place at a time",
                 {{"digests", std::to_string(digests)}, {"max_digests", std::to_string(kMaxTraceDigests)}}};
  }
  auto memory = account.Take(BytesFor(job, place));
  if (!memory) return EngineCore::MemoryError(account.budget());
  return std::make_shared<TraceJob>(std::move(job), *std::move(memory), place, std::move(sink));
}

void Tracer::Submit(const std::shared_ptr<TraceJob>& job) {
  const TaskPtr task = job;
  const Admission admission = batcher_.Submit({&task, 1}).front();
  if (admission == Admission::kAccepted) return;
  Error full{Code::kResourceExhausted, "ENGINE_FULL", "this engine traces one input at a time; try again soon", {}};
  job->sink()->Complete(admission == Admission::kFull ? std::move(full) : EngineCore::DrainingError());
}

void Tracer::Process(TraceJob& job) {
  Expected<engine::v1::TraceResponse> answer = Error{Code::kInternal, "INTERNAL", "internal error", {}};
  try {
    auto stopped = job.StopError();
    answer = stopped ? *std::move(stopped) : Answer(job);
  } catch (const std::exception& fault) {
    spdlog::error("tracing model {}/{} failed: {}", job.request().model->name, job.request().model->version,
                  fault.what());
  }
  // First, so that the caller may trace the next input as soon as it has this answer.
  batcher_.Release(job);
  job.sink()->Complete(std::move(answer));
}

}  // namespace tandem
