// Trace calls. The test runs the tracer's work itself, except in tests with threads.
#include <gmock/gmock.h>

#include <limits>

#include "engine/digest.h"
#include "server/service_test_support.h"

namespace tandem {
namespace {

using ::testing::ElementsAre;

class TraceService : public Service {
 protected:
  using Service::Service;

  static engine::v1::TraceRequest Request(const InferItem& item) {
    engine::v1::TraceRequest request;
    *request.mutable_item() = item;
    return request;
  }
  static engine::v1::TraceRequest Request(const InferItem& item, std::uint32_t step, const std::string& node) {
    engine::v1::TraceRequest request = Request(item);
    request.mutable_place()->set_step(step);
    request.mutable_place()->set_node(node);
    return request;
  }

  std::future<grpc::Status> Begin(grpc::ClientContext& context, const engine::v1::TraceRequest& request) {
    return std::async(std::launch::async, [&, request] { return stub_->Trace(&context, request, &response_); });
  }
  grpc::Status Trace(const engine::v1::TraceRequest& request) {
    grpc::ClientContext context;
    auto call = Begin(context, request);
    while (call.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) core_.RunOne();
    return call.get();
  }

  engine::v1::TraceResponse response_;
};

TEST_F(TraceService, GivesADigestOfEveryNodeAtEveryStep) {
  ASSERT_TRUE(Trace(Request(Item(0))).ok());
  EXPECT_THAT(response_.nodes(), ElementsAre("input", "fc1", "lif1", "fc2", "lif2", "output"));
  EXPECT_EQ(response_.digests_size(), 16 * 6);
  EXPECT_EQ(response_.ended(), "");
  EXPECT_TRUE(response_.output().empty());
}

TEST_F(TraceService, ForAPlaceGivesTheValuesOfItsDigest) {
  ASSERT_TRUE(Trace(Request(Item(0, "series", {5, kInputs}))).ok());
  const std::uint64_t want = response_.digests(3 * 6 + 2);
  ASSERT_TRUE(Trace(Request(Item(0, "series", {5, kInputs}), 3, "lif1")).ok());
  EXPECT_EQ(response_.digests_size(), 0);
  EXPECT_TRUE(response_.current().empty());
  EXPECT_EQ(response_.output().size(), 16 * sizeof(float));
  EXPECT_EQ(DigestOf(response_.potential() + response_.output()), want);
}

TEST_F(TraceService, GivesTheReasonOfAnEarlyEnd) {
  ASSERT_TRUE(Trace(Request(Item(0, "net", {kInputs}, std::numeric_limits<float>::max()))).ok());
  EXPECT_EQ(response_.ended(), "NON_FINITE");
  EXPECT_EQ(response_.digests_size(), 0);
}

TEST_F(TraceService, RefusesAPlaceThatIsNotInTheRun) {
  const grpc::Status step = Trace(Request(Item(0), 16, "lif1"));
  EXPECT_EQ(step.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(InfoOf(step).reason(), "TRACE_STEP");
  EXPECT_EQ(InfoOf(step).metadata().at("steps"), "16");
  const grpc::Status node = Trace(Request(Item(0), 15, "lif9"));
  EXPECT_EQ(node.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(InfoOf(node).reason(), "TRACE_NODE");
}

TEST(Tracer, RefusesMoreDigestsThanTheLimit) {
  MemoryBudget budget(EngineCore::kDefaultMemoryBytes);
  const auto account = MemoryAccount::Open(budget);
  Manifest series;
  series.input_kind = InputKind::kSeries;
  std::vector<Node> nodes;
  for (char name = 'a'; name < 'i'; ++name) {
    nodes.push_back(testing::MakeNode({name}, NodeType::kScale, {{"scale", testing::Scalar(1.0)}}));
  }
  auto model = std::make_shared<Model>();
  model->network = testing::Compile(testing::Chain(1, nodes, 1), series);  // ten nodes
  const auto job = [&](std::uint32_t steps) {
    Job::Request request;
    request.model = model;
    request.steps = steps;
    return request;
  };
  EXPECT_TRUE(Tracer::MakeJob(job(100000), {}, *account, nullptr).ok());
  const auto refused = Tracer::MakeJob(job(100001), {}, *account, nullptr);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  EXPECT_EQ(refused.error().reason, "TRACE_TOO_LARGE");
  engine::v1::TraceRequest one;
  one.mutable_place()->set_node("a");
  EXPECT_TRUE(Tracer::MakeJob(job(100001), one, *account, nullptr).ok());
}

TEST_F(TraceService, AWrongInputIsRefusedAsByInfer) {
  EXPECT_EQ(InfoOf(Trace(Request(Item(0, "net", {7})))).reason(), "INPUT_LENGTH");
  EXPECT_EQ(InfoOf(Trace({})).reason(), "UNKNOWN_MODEL");
}

TEST_F(TraceService, RunsOneAtATime) {
  grpc::ClientContext context;
  auto first = Begin(context, Request(Item(0)));
  while (core_.in_flight() != 1) std::this_thread::yield();
  engine::v1::TraceResponse unused;
  grpc::ClientContext other;
  EXPECT_EQ(InfoOf(stub_->Trace(&other, Request(Item(0)), &unused)).reason(), "ENGINE_FULL");
  while (!core_.RunOne()) {
  }
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(Trace(Request(Item(0))).ok());
}

TEST_F(TraceService, DoesNotUseTheQueueOfInfer) {
  grpc::ClientContext context;
  auto trace = Begin(context, Request(Item(0)));
  while (core_.in_flight() != 1) std::this_thread::yield();
  EXPECT_TRUE(Infer(Item(0)).ok());
  while (trace.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) core_.RunOne();
  EXPECT_TRUE(trace.get().ok());
}

TEST_F(TraceService, IsDroppedWhenItsCallIsCancelled) {
  grpc::ClientContext context;
  auto call = Begin(context, Request(Item(0)));
  while (core_.in_flight() != 1) std::this_thread::yield();
  context.TryCancel();
  EXPECT_EQ(call.get().error_code(), grpc::StatusCode::CANCELLED);
  while (core_.in_flight() != 0) std::this_thread::yield();
}

TEST_F(TraceService, IsRefusedWhileTheEngineDrains) {
  core_.StartDraining();
  EXPECT_EQ(InfoOf(Trace(Request(Item(0)))).reason(), "DRAINING");
}

class ThreadedTraceService : public TraceService {
 protected:
  ThreadedTraceService() : TraceService(1) {}
};

TEST_F(ThreadedTraceService, ADeadlineStopsIt) {
  InferItem item = Item(0, "series", {100000, kInputs});
  item.set_timeout_us(1000);
  EXPECT_EQ(InfoOf(Trace(Request(item))).reason(), "DEADLINE_EXCEEDED");
}

TEST_F(ThreadedTraceService, SequentialCallsAreNeverRefused) {
  for (int k = 0; k < 200; ++k) ASSERT_TRUE(Trace(Request(Item(0), 1, "lif1")).ok());
}

}  // namespace
}  // namespace tandem
