#include "server/unread_answers.h"

#include <grpcpp/completion_queue.h>

#include "server/service_test_support.h"

namespace tandem {
namespace {

TEST_F(Service, AStreamWhoseAnswersStayUnreadIsEnded) {
  Stream stream(core_, *stub_);
  stream.Send({Item(1)});
  stream.AwaitInFlight(1);
  core_.RunOne();
  server_->unread().EndSince(Clock::now());
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::CANCELLED);
  while (core_.memory().used() != 0) std::this_thread::yield();
}

TEST_F(Service, AnAnswerThatIsUnreadForAShorterTimeStays) {
  Stream stream(core_, *stub_);
  const TimePoint before = Clock::now();
  stream.Send({Item(1)});
  stream.AwaitInFlight(1);
  core_.RunOne();
  server_->unread().EndSince(before);
  stream.Read(1);
  EXPECT_TRUE(stream.results.at(1).has_inference());
  server_->unread().EndSince(Clock::now());  // it was read
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(Service, AUnaryCallWhoseAnswerStaysUnreadGivesItsMemoryBack) {
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  engine::v1::InferRequest request;
  *request.mutable_item() = Item(1);
  const auto call = stub_->AsyncInfer(&context, request, &queue);
  while (core_.in_flight() == 0) std::this_thread::yield();
  core_.RunOne();
  while (core_.unary_memory().used() != 0) {
    server_->unread().EndSince(Clock::now());
    std::this_thread::yield();
  }
  engine::v1::InferResponse response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  queue.Shutdown();
}

TEST_F(Service, UnaryCallsLeaveStreamsTheirMemory) {
  const MemoryHold unread = MemoryAccount::Open(core_.unary_memory())->Force(std::size_t{1} << 40);
  EXPECT_EQ(InfoOf(Infer(Item(1))).reason(), "ENGINE_FULL");
  Stream stream(core_, *stub_);
  std::vector<InferItem> items;
  for (std::uint64_t id = 0; id < 200; ++id) items.push_back(Item(id));
  stream.Send(items);
  stream.Read(200);
  for (const auto& [id, result] : stream.results) EXPECT_TRUE(result.has_inference()) << id;
}

}  // namespace
}  // namespace tandem
