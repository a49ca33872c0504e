#include "server/infer_spans.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "telemetry/log.h"

namespace tandem {
namespace {

// Of the span of an input, at most.
constexpr std::size_t kAttributes = 8;

Span Child(const Span& parent, std::string name, TimePoint start, TimePoint end) {
  Span span;
  span.trace_id = parent.trace_id;
  span.span_id = NewSpanId();
  span.parent = parent.span_id;
  span.name = std::move(name);
  span.start = start;
  span.end = end;
  return span;
}

Span InferSpan(const TracedItem& traced, const std::string& model, std::uint32_t version, TimePoint received) {
  Span span;
  span.trace_id = traced.caller.trace_id;
  span.span_id = NewSpanId();
  span.parent = traced.caller.span_id;
  span.name = "tandem.engine.infer";
  span.is_server = true;
  span.start = received;
  span.attributes.reserve(kAttributes);
  span.attributes.push_back({"rpc.system.name", "grpc"});
  span.attributes.push_back({"tandem.model", Printable(model)});
  if (version != 0) span.attributes.push_back({"tandem.model_version", std::int64_t{version}});
  return span;
}

void AddError(const Error& error, Span& span) {
  span.attributes.push_back({"tandem.reason", error.reason});
  // Every losing hedge is cancelled, so this is not a failure.
  if (error.code != Code::kCancelled) span.error = error.reason + ": " + Printable(error.message);
  const TraceInLog trace(span.trace_id);
  spdlog::debug("an input was answered {}: {}", error.reason, Printable(error.message));
}

void AddAnswer(const engine::v1::Inference& answer, Span& span) {
  const auto digest = answer.state_digest();
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(digest >> shift));
  span.attributes.push_back({"tandem.total_spikes", static_cast<std::int64_t>(answer.total_spikes())});
  span.attributes.push_back({"tandem.synaptic_operations", static_cast<std::int64_t>(answer.synaptic_operations())});
  span.attributes.push_back({"tandem.digest", Hex(bytes)});
}

// The slowest nodes, in order of evaluation.
std::vector<std::size_t> NodesToTell(const std::vector<Clock::duration>& spent) {
  std::vector<std::size_t> nodes(spent.size());
  std::iota(nodes.begin(), nodes.end(), std::size_t{0});
  if (nodes.size() <= kMaxNodeSpans) return nodes;
  const auto end = nodes.begin() + kMaxNodeSpans;
  std::ranges::nth_element(nodes, end, std::greater<>(), [&](std::size_t node) { return spent[node]; });
  nodes.erase(end, nodes.end());
  std::ranges::sort(nodes);
  return nodes;
}

// Every node runs at every step. The span shows the sum of its times, one node after the other.
void AddNodes(const Network& network, const Simulation& simulation, const Span& compute, std::vector<Span>& to) {
  const auto& spent = simulation.nodes->spent();
  const double whole = static_cast<double>(std::max<Clock::rep>((compute.end - compute.start).count(), 1));
  TimePoint start = compute.start;
  for (const std::size_t node : NodesToTell(spent)) {
    const TimePoint end = std::min(start + spent[node], compute.end);
    Span& span = to.emplace_back(Child(compute, Printable(network.nodes[node].name), start, end));
    span.attributes = {{"tandem.node_type", std::string(NameOf(network.nodes[node].type))},
                       {"tandem.share", static_cast<double>(spent[node].count()) / whole}};
    start = end;
  }
}

}  // namespace

std::unique_ptr<const TracedItem> InferSpans::Traced(const engine::v1::InferItem& item) {
  const auto caller = TraceContextFromBytes(item.trace_parent());
  if (caller && !caller->sampled) return nullptr;
  if (caller) return std::make_unique<const TracedItem>(TracedItem{*caller, item.trace_layers()});
  const std::uint64_t malformed = ++malformed_;
  if (log_malformed_.Due()) {
    spdlog::warn(
        "tracing: {} inputs so far had an invalid trace_parent; it must be {} bytes with ids that "
        "are not all zeros. They were answered, and not traced",
        malformed, kTraceContextBytes);
  }
  return nullptr;
}

void InferSpans::ReportRefused(const engine::v1::InferItem& item, TimePoint received, const Error& error) {
  const auto traced = Traced(item);
  if (!traced) return;
  std::vector<Span> spans{InferSpan(*traced, item.model(), item.model_version(), received)};
  AddError(error, spans.front());
  spans.front().end = Clock::now();
  sink_->Add(std::move(spans));
}

void InferSpans::Report(const Job::Request& request, const Expected<engine::v1::Inference>& answer,
                        const Simulation* simulation) {
  const TimePoint now = Clock::now();
  std::vector<Span> spans;
  // Enough for all, since references must stay valid.
  spans.reserve(3 + (simulation != nullptr && simulation->nodes != nullptr ? kMaxNodeSpans : 0));
  Span& infer =
      spans.emplace_back(InferSpan(*request.traced, request.model->name, request.model->version, request.received));
  infer.end = now;
  infer.attributes.push_back({"tandem.steps", std::int64_t{request.steps}});
  spans.push_back(Child(infer, "queue", infer.start, simulation != nullptr ? simulation->started : now));
  if (simulation != nullptr) {
    infer.attributes.push_back({"tandem.batch_size", static_cast<std::int64_t>(simulation->batch_size)});
    spans.push_back(Child(infer, "compute", simulation->started, simulation->ended));
    if (simulation->nodes != nullptr && request.traced->layers) {
      AddNodes(*request.model->network, *simulation, spans[2], spans);
    }
  }
  if (answer.ok()) {
    AddAnswer(answer.value(), infer);
  } else {
    AddError(answer.error(), infer);
  }
  sink_->Add(std::move(spans));
}

}  // namespace tandem
