#include "server/unread_answers.h"

#include <grpcpp/completion_queue.h>

#include <gmock/gmock.h>

#include <string>

#include "server/raw_http2_test_support.h"
#include "server/service_test_support.h"
#include "testing/temporary_folder.h"

namespace tandem {
namespace {

using ::testing::HasSubstr;

class UnreadAnswersTest : public Service {
 protected:
  explicit UnreadAnswersTest(const std::string& listen = "127.0.0.1:0")
      : Service(0, 1024, nullptr, EngineCore::kDefaultMemoryBytes, listen) {}

  // Never shut down: after a blocked write, gRPC 1.51 takes up to 10 s for it, which the last server of a test would
  // wait for.
  static void SetUpTestSuite() { grpc_init(); }

  // A time at which all answers so far are overdue.
  void PassTime(Clock::duration time = kMaxUnread) { server_->unread().EndOverdue(Clock::now() + time); }

  void AwaitNoMemoryInUse() {
    while (core_.stream_memory().used() + core_.unary_memory().used() != 0) std::this_thread::yield();
  }

  // Opens a connection that reads nothing, and expects that it is closed and its memory freed.
  void ExpectStuckConnectionIsClosed();
};

// An Infer call with initial metadata received; its caller does not read the answer until Finish.
class UnreadInfer {
 public:
  UnreadInfer(EngineCore& core, EngineService::Stub& stub) {
    engine::v1::InferRequest request;
    *request.mutable_item() = Item(1);
    call_ = stub.AsyncInfer(&context_, request, &queue_);
    call_->ReadInitialMetadata(&context_);  // before this, gRPC sends nothing
    while (core.in_flight() == 0) std::this_thread::yield();
    core.RunOne();
    Await();
  }
  ~UnreadInfer() { queue_.Shutdown(); }
  UnreadInfer(const UnreadInfer&) = delete;
  UnreadInfer& operator=(const UnreadInfer&) = delete;

  grpc::Status Finish() {
    engine::v1::InferResponse response;
    grpc::Status status;
    call_->Finish(&response, &status, nullptr);
    Await();
    return status;
  }

 private:
  void Await() {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue_.Next(&tag, &ok));
  }

  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<engine::v1::InferResponse>> call_;
};

TEST_F(UnreadAnswersTest, AnUnaryCallEndsAndItsMemoryIsFree) {
  UnreadInfer call(core_, *stub_);
  EXPECT_GT(core_.unary_memory().used(), 0u);
  PassTime();
  AwaitNoMemoryInUse();
  EXPECT_EQ(server_->unread().ended(), 1u);
  const grpc::Status status = call.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("was not read"));
}

TEST_F(UnreadAnswersTest, AStreamEndsAndItsMemoryIsFree) {
  Stream stream(core_, *stub_);
  stream.Send({Item(1), Item(2)});
  stream.AwaitInFlight(2);
  core_.RunOne();
  EXPECT_GT(core_.stream_memory().used(), 0u);
  PassTime();
  AwaitNoMemoryInUse();
  const grpc::Status status = stream.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("was not read"));
}

TEST_F(UnreadAnswersTest, ACallThatReadsInTimeIsNotEnded) {
  UnreadInfer call(core_, *stub_);
  PassTime(kMaxUnread / 2);
  EXPECT_TRUE(call.Finish().ok());
  EXPECT_EQ(server_->unread().ended(), 0u);
}

TEST_F(UnreadAnswersTest, AStreamThatHasReadEverythingIsNeverEnded) {
  Stream stream(core_, *stub_);
  for (std::uint64_t id = 1; id < 4; ++id) {
    stream.Send({Item(id)});
    stream.Read(1);
    // The engine notices the read a little later.
    while (core_.stream_memory().used() != 0) std::this_thread::yield();
    PassTime(std::chrono::hours(1));
  }
  stream.HalfClose();
  EXPECT_TRUE(stream.Finish().ok());
  EXPECT_EQ(server_->unread().ended(), 0u);
}

TEST_F(UnreadAnswersTest, AQueuedCallDoesNotCountAsUnread) {
  engine::v1::InferRequest request;
  *request.mutable_item() = Item(1);
  engine::v1::InferResponse response;
  grpc::ClientContext context;
  auto call = std::async(std::launch::async, [&] { return stub_->Infer(&context, request, &response); });
  while (core_.in_flight() == 0) std::this_thread::yield();
  PassTime(std::chrono::hours(1));
  while (call.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) core_.RunOne();
  EXPECT_TRUE(call.get().ok());
}

TEST_F(UnreadAnswersTest, UnaryCallsDoNotUseTheMemoryOfStreams) {
  const MemoryHold unread = core_.UnaryAccount("hostile")->Force(std::size_t{1} << 40);
  InferItem large = Item(1, "series", {4096, kInputs});
  EXPECT_EQ(InfoOf(Infer(large)).reason(), "ENGINE_FULL");
  Stream stream(core_, *stub_);
  stream.Send({large});
  stream.Read(1);
  EXPECT_TRUE(stream.results.at(1).has_inference());
}

TEST_F(UnreadAnswersTest, StreamsDoNotUseTheMemoryOfUnaryCalls) {
  const MemoryHold unread = MemoryAccount::Open(core_.stream_memory())->Force(std::size_t{1} << 40);
  EXPECT_TRUE(Infer(Item(1, "series", {4096, kInputs})).ok());
}

TEST_F(UnreadAnswersTest, AConnectionLeavesMemoryForUnaryCallsOfOthers) {
  const MemoryHold unread = core_.UnaryAccount("hostile")->Force(std::size_t{1} << 40);
  EXPECT_TRUE(Infer(Item(1)).ok());
  engine::v1::DescribeResponse response;
  grpc::ClientContext context;
  EXPECT_TRUE(stub_->Describe(&context, {}, &response).ok());
}

// Over a socket, with a caller that opens no window for answers.
TEST_F(UnreadAnswersTest, ACallWithoutAWindowEndsAndItsMemoryIsFree) {
  RawHttp2 caller(server_->address());
  engine::v1::InferRequest request;
  *request.mutable_item() = Item(1);
  caller.Call("/tandem.engine.v1.EngineService/Infer", request.SerializeAsString());
  while (core_.in_flight() == 0) std::this_thread::yield();
  core_.RunOne();
  PassTime();
  AwaitNoMemoryInUse();
  EXPECT_EQ(server_->unread().ended(), 1u);
}

// Its answers fill the buffers of the socket, and a call cannot end before they are sent.
void FillConnection(RawHttp2& caller, EngineCore& core) {
  engine::v1::InferRequest request;
  *request.mutable_item() = Item(1, "wide");
  for (int call = 0; call < 64; ++call) {
    caller.Call("/tandem.engine.v1.EngineService/Infer", request.SerializeAsString());
    while (core.in_flight() == 0) std::this_thread::yield();
    core.RunOne();
  }
}

void UnreadAnswersTest::ExpectStuckConnectionIsClosed() {
  RawHttp2 caller(server_->address(), std::size_t{1} << 30);
  FillConnection(caller, core_);
  PassTime();
  EXPECT_GT(core_.unary_memory().used(), 0u);
  PassTime(kMaxUnread + kMaxEnding);
  AwaitNoMemoryInUse();
  EXPECT_TRUE(caller.IsClosedByPeer());
}

TEST_F(UnreadAnswersTest, AConnectionThatReadsNothingIsClosedAndOthersStay) {
  Stream other(core_, *stub_);
  ExpectStuckConnectionIsClosed();
  other.Send({Item(1)});
  other.Read(1);
  EXPECT_TRUE(other.results.at(1).has_inference());
}

struct InFolder {
  testing::TemporaryFolder folder;
};

class UnixUnreadAnswersTest : public InFolder, public UnreadAnswersTest {
 protected:
  UnixUnreadAnswersTest() : UnreadAnswersTest("unix:" + (folder.path() / "engine.sock").string()) {}
};

TEST_F(UnixUnreadAnswersTest, AConnectionThatReadsNothingIsClosed) { ExpectStuckConnectionIsClosed(); }

}  // namespace
}  // namespace tandem
