// The spans of traced inputs, through the service and through the engine core alone.
#include "server/infer_spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <set>

#include "server/service_test_support.h"

namespace {
thread_local std::size_t allocations = 0;
}

// Counts allocations, for the test of the cost of disabled tracing. Never inlined: if only one of a pair is, GCC
// reports a mismatch. NOLINTBEGIN(misc-new-delete-overloads)
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
// std::stable_sort uses it; a sanitizer's version would not match the delete below.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
// NOLINTEND(misc-new-delete-overloads)

namespace tandem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Spans by trace.
class Collector final : public SpanSink {
 public:
  void Add(std::vector<Span> spans) override {
    const std::lock_guard lock(mutex_);
    for (Span& span : spans) by_trace_[span.trace_id].push_back(std::move(span));
  }
  std::vector<Span> Of(const TraceId& trace) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_trace_.find(trace);
    return found == by_trace_.end() ? std::vector<Span>() : found->second;
  }
  std::size_t traces() const {
    const std::lock_guard lock(mutex_);
    return by_trace_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::map<TraceId, std::vector<Span>> by_trace_;
};

TraceId Trace(std::uint8_t number) {
  TraceId id{};
  id[0] = number;
  return id;
}
constexpr SpanId kCaller{1, 2, 3, 4, 5, 6, 7, 8};

InferItem Traced(InferItem item, std::uint8_t trace, bool layers = false, std::uint8_t flags = 1) {
  const TraceId id = Trace(trace);
  std::string bytes(id.begin(), id.end());
  bytes.append(kCaller.begin(), kCaller.end());
  bytes.push_back(static_cast<char>(flags));
  item.set_trace_parent(bytes);
  item.set_trace_layers(layers);
  return item;
}

std::vector<std::string> Names(const std::vector<Span>& spans) {
  std::vector<std::string> names;
  for (const Span& span : spans) names.push_back(span.name);
  return names;
}

// An attribute as text; "-": the span has none of this key.
std::string Attribute(const Span& span, const std::string& key) {
  for (const SpanAttribute& attribute : span.attributes) {
    if (attribute.key != key) continue;
    if (const auto* text = std::get_if<std::string>(&attribute.value)) return *text;
    if (const auto* number = std::get_if<std::int64_t>(&attribute.value)) return std::to_string(*number);
    return std::to_string(std::get<double>(attribute.value));
  }
  return "-";
}

void ExpectInside(const Span& child, const Span& parent) {
  EXPECT_EQ(child.trace_id, parent.trace_id);
  EXPECT_EQ(child.parent, parent.span_id);
  EXPECT_LE(parent.start, child.start);
  EXPECT_LE(child.start, child.end);
  EXPECT_LE(child.end, parent.end);
}

// The last answer of an engine core without a service.
struct Answer final : ResultSink {
  void Complete(const InferJob&, Expected<engine::v1::Inference> given) override { answer = std::move(given); }
  void Flush() override {}
  Expected<engine::v1::Inference> answer = Error{};
};

// An answer without the fields that may differ.
std::string Bits(engine::v1::Inference answer) {
  answer.clear_recording_id();
  answer.clear_queue_us();
  answer.clear_compute_us();
  answer.clear_batch_items();
  return answer.SerializeAsString();
}

// Created before the service that uses it, destroyed after it.
struct WithCollector {
  Collector spans;
};

class TracedService : public WithCollector, public Service {
 protected:
  TracedService() : Service(0, 1024, &spans) {}
};

TEST_F(TracedService, ATracedItemHasSpansOfItsWaitAndSimulation) {
  Stream stream(core_, *stub_);
  stream.Send({Traced(Item(1), 7)});
  stream.Read(1);
  const auto seen = spans.Of(Trace(7));
  ASSERT_THAT(Names(seen), ElementsAre("tandem.engine.infer", "queue", "compute"));
  EXPECT_EQ(seen[0].parent, kCaller);
  EXPECT_TRUE(seen[0].is_server);
  EXPECT_EQ(seen[0].error, "");
  ExpectInside(seen[1], seen[0]);
  ExpectInside(seen[2], seen[0]);
  EXPECT_EQ(seen[1].end, seen[2].start);
  const auto& answer = stream.results.at(1).inference();
  EXPECT_EQ(Attribute(seen[0], "rpc.system.name"), "grpc");
  EXPECT_EQ(Attribute(seen[0], "tandem.model"), "net");
  EXPECT_EQ(Attribute(seen[0], "tandem.model_version"), "1");
  EXPECT_EQ(Attribute(seen[0], "tandem.batch_size"), "1");
  EXPECT_EQ(Attribute(seen[0], "tandem.steps"), std::to_string(answer.steps()));
  EXPECT_EQ(Attribute(seen[0], "tandem.total_spikes"), std::to_string(answer.total_spikes()));
  EXPECT_EQ(Attribute(seen[0], "tandem.synaptic_operations"), std::to_string(answer.synaptic_operations()));
  char digest[17];
  std::snprintf(digest, sizeof(digest), "%016llx", static_cast<unsigned long long>(answer.state_digest()));
  EXPECT_EQ(Attribute(seen[0], "tandem.digest"), digest);
}

TEST_F(TracedService, UnsampledItemsHaveNoSpans) {
  Stream stream(core_, *stub_);
  stream.Send({Item(1), Traced(Item(2), 2, true, 0)});
  stream.Read(2);
  EXPECT_EQ(spans.traces(), 0u);
  EXPECT_EQ(core_.spans().malformed(), 0u);
}

TEST_F(TracedService, AnInvalidTraceParentIsCountedAndTheItemAnswered) {
  Stream stream(core_, *stub_);
  InferItem longer = Traced(Item(1), 1);
  longer.mutable_trace_parent()->push_back('x');
  InferItem zeros = Item(2);
  zeros.set_trace_parent(std::string(kTraceContextBytes, '\0'));
  stream.Send({longer, zeros});
  stream.Read(2);
  EXPECT_TRUE(stream.results.at(1).has_inference());
  EXPECT_TRUE(stream.results.at(2).has_inference());
  EXPECT_EQ(core_.spans().malformed(), 2u);
  EXPECT_EQ(spans.traces(), 0u);
}

TEST_F(TracedService, ItemsOfManyTracesRunTogetherWithSeparateSpans) {
  constexpr std::uint8_t kItems = 40;
  Stream stream(core_, *stub_);
  stream.run_while_reading = false;
  std::vector<InferItem> items;
  for (std::uint8_t k = 1; k <= kItems; ++k) items.push_back(Traced(Item(k), k));
  stream.Send(items);
  stream.AwaitInFlight(kItems);
  stream.run_while_reading = true;
  stream.Read(kItems);
  EXPECT_EQ(spans.traces(), kItems);
  std::set<SpanId> ids;
  for (std::uint8_t k = 1; k <= kItems; ++k) {
    const auto seen = spans.Of(Trace(k));
    ASSERT_THAT(Names(seen), ElementsAre("tandem.engine.infer", "queue", "compute"));
    EXPECT_EQ(Attribute(seen[0], "tandem.batch_size"), std::to_string(kItems));
    for (const Span& span : seen) ids.insert(span.span_id);
  }
  EXPECT_THAT(ids, SizeIs(3 * kItems));
}

TEST_F(TracedService, RequestedNodeSpansShareTheSimulationTime) {
  Stream stream(core_, *stub_);
  stream.run_while_reading = false;
  stream.Send({Traced(Item(1), 1, true), Traced(Item(2), 2)});
  stream.AwaitInFlight(2);
  stream.run_while_reading = true;
  stream.Read(2);
  EXPECT_THAT(spans.Of(Trace(2)), SizeIs(3)) << "it did not ask";
  const auto seen = spans.Of(Trace(1));
  const auto model = MakeModel("net", {});
  const Network& network = *model->network;
  ASSERT_THAT(seen, SizeIs(3 + network.nodes.size()));
  Clock::duration sum{0};
  double shares = 0;
  for (std::size_t k = 0; k < network.nodes.size(); ++k) {
    const Span& node = seen[3 + k];
    EXPECT_EQ(node.name, network.nodes[k].name);
    EXPECT_EQ(Attribute(node, "tandem.node_type"), NameOf(network.nodes[k].type));
    ExpectInside(node, seen[2]);
    EXPECT_EQ(node.start, k == 0 ? seen[2].start : seen[2 + k].end);
    sum += node.end - node.start;
    shares += std::stod(Attribute(node, "tandem.share"));
  }
  EXPECT_GT(sum.count(), 0);
  EXPECT_LE(sum, seen[2].end - seen[2].start);
  EXPECT_GT(shares, 0);
  EXPECT_LE(shares, 1.001);
}

TEST_F(TracedService, ARefusedItemHasItsReason) {
  Stream stream(core_, *stub_);
  stream.Send({Traced(Item(1, "nowhere"), 1), Traced(Item(2, "net", {3}), 2)});
  stream.Read(2);
  const auto seen = spans.Of(Trace(1));
  ASSERT_THAT(Names(seen), ElementsAre("tandem.engine.infer"));
  EXPECT_EQ(seen[0].parent, kCaller);
  EXPECT_EQ(Attribute(seen[0], "tandem.model"), "nowhere");
  EXPECT_EQ(Attribute(seen[0], "tandem.reason"), "UNKNOWN_MODEL");
  EXPECT_THAT(seen[0].error, HasSubstr("UNKNOWN_MODEL: "));
  EXPECT_EQ(Attribute(spans.Of(Trace(2)).at(0), "tandem.reason"), "INPUT_LENGTH");
}

TEST_F(TracedService, AnItemCancelledInTheQueueHasNoFailedSpan) {
  Stream stream(core_, *stub_);
  stream.run_while_reading = false;
  stream.Send({Traced(Item(1), 1)});
  stream.AwaitInFlight(1);
  stream.Send({}, {1});
  stream.Read(1);
  const auto seen = spans.Of(Trace(1));
  ASSERT_THAT(Names(seen), ElementsAre("tandem.engine.infer", "queue"));
  EXPECT_EQ(Attribute(seen[0], "tandem.reason"), "CANCELLED");
  EXPECT_EQ(seen[0].error, "");
}

class FullTracedService : public WithCollector, public Service {
 protected:
  FullTracedService() : Service(0, 1, &spans) {}
};

TEST_F(FullTracedService, AnItemWithoutAFreeSlotHasItsReason) {
  Stream stream(core_, *stub_);
  stream.run_while_reading = false;
  stream.Send({Item(1), Traced(Item(2), 2)});
  stream.Read(1);
  const auto seen = spans.Of(Trace(2));
  ASSERT_THAT(Names(seen), ElementsAre("tandem.engine.infer", "queue"));
  EXPECT_THAT(seen[0].error, HasSubstr("ENGINE_FULL: "));
}

TEST_F(TracedService, AUnaryCallMaySendItsTraceInItsMetadata) {
  const auto infer = [&](InferItem item, const std::string& traceparent) {
    engine::v1::InferRequest request;
    *request.mutable_item() = std::move(item);
    engine::v1::InferResponse response;
    grpc::ClientContext context;
    context.AddMetadata("traceparent", traceparent);
    auto call = std::async(std::launch::async, [&] { return stub_->Infer(&context, request, &response); });
    while (call.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) core_.RunOne();
    EXPECT_TRUE(call.get().ok());
  };
  const std::string header = "00-09000000000000000000000000000000-0102030405060708-01";
  infer(Item(0), header);
  const auto seen = spans.Of(Trace(9));
  ASSERT_THAT(Names(seen), ElementsAre("tandem.engine.infer", "queue", "compute"));
  EXPECT_EQ(seen[0].parent, kCaller);
  infer(Traced(Item(0), 3), header);
  EXPECT_THAT(spans.Of(Trace(3)), SizeIs(3)) << "the item's own trace_parent takes precedence";
  EXPECT_THAT(spans.Of(Trace(9)), SizeIs(3));
  infer(Item(0), "nonsense");
  EXPECT_EQ(core_.spans().malformed(), 1u);
  EXPECT_EQ(spans.traces(), 2u);
}

TEST_F(TracedService, ARefusedUnaryCallHasItsReason) {
  engine::v1::InferRequest request;
  *request.mutable_item() = Traced(Item(0, "nowhere"), 1);
  engine::v1::InferResponse response;
  grpc::ClientContext context;
  EXPECT_FALSE(stub_->Infer(&context, request, &response).ok());
  const auto seen = spans.Of(Trace(1));
  ASSERT_THAT(Names(seen), ElementsAre("tandem.engine.infer"));
  EXPECT_EQ(Attribute(seen[0], "tandem.reason"), "UNKNOWN_MODEL");
}

TEST_F(TracedService, TracingChangesNoBitOfAnAnswer) {
  Stream stream(core_, *stub_);
  stream.run_while_reading = false;
  stream.Send({Item(1), Traced(Item(2), 1), Traced(Item(3), 1, true)});
  stream.AwaitInFlight(3);
  stream.run_while_reading = true;
  stream.Read(3);
  EngineCore off({"off", {.threads = 0}}, Models());
  const auto sink = std::make_shared<Answer>();
  InferItem item = Item(1);
  off.Submit({MakeJob(off, item, sink)});
  off.RunOne();
  const std::string without = Bits(sink->answer.value());
  for (const std::uint64_t id : {1, 2, 3}) EXPECT_EQ(Bits(stream.results.at(id).inference()), without) << id;
}

// Allocations of one input from its receipt to its answer.
std::size_t AllocationsOf(EngineCore& core, const InferItem& item) {
  const auto sink = std::make_shared<Answer>();
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (int time = 0; time < 5; ++time) {  // the first ones fill buffers that are reused
    InferItem mine = item;
    const std::size_t before = allocations;
    core.Submit({MakeJob(core, mine, sink)});
    EXPECT_TRUE(core.RunOne());
    least = std::min(least, allocations - before);
    EXPECT_TRUE(sink->answer.ok());
  }
  return least;
}

TEST(InferSpans, AnUntracedItemAllocatesAsWithoutTracing) {
  Collector spans;
  EngineCore off({"off", {.threads = 0}}, Models());
  EngineCore on({"on", {.threads = 0}}, Models(), &spans);
  const std::size_t bare = AllocationsOf(off, Item(1));
  EXPECT_EQ(AllocationsOf(off, Traced(Item(1), 1, true)), bare) << "nobody exports";
  EXPECT_EQ(AllocationsOf(on, Item(1)), bare) << "no trace_parent";
  EXPECT_EQ(AllocationsOf(on, Traced(Item(1), 1, true, 0)), bare) << "not sampled";
  EXPECT_EQ(spans.traces(), 0u);
  EXPECT_GT(AllocationsOf(on, Traced(Item(1), 1, true)), bare) << "the count counts";
}

TEST(InferSpans, OfVeryManyNodesTheSlowestHaveSpans) {
  std::vector<Node> scales;
  for (int k = 0; k < 300; ++k) {
    scales.push_back(testing::MakeNode("s" + std::to_string(k), NodeType::kScale, {{"scale", testing::Scalar(1.0)}}));
  }
  Manifest manifest;
  manifest.input_kind = InputKind::kSeries;
  auto model = std::make_shared<Model>();
  model->name = "long";
  model->version = 1;
  model->network = testing::Compile(testing::Chain(1, scales, 1), manifest);
  Collector spans;
  EngineCore core({"test", {.threads = 0}}, Repository({model}), &spans);
  const auto sink = std::make_shared<Answer>();
  InferItem item = Traced(Item(1, "long", {2, 1}), 1, true);
  core.Submit({MakeJob(core, item, sink)});
  core.RunOne();
  const auto seen = spans.Of(Trace(1));
  ASSERT_THAT(seen, SizeIs(3 + kMaxNodeSpans));
  for (std::size_t k = 3; k < seen.size(); ++k) ExpectInside(seen[k], seen[2]);
}

}  // namespace
}  // namespace tandem
