// The client against a fake router, for faults that a real one rarely has.
#include "tandem_client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace tandem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLong = seconds(60);

grpc::Status Refusal(grpc::StatusCode code, const std::string& reason, std::optional<milliseconds> retry_after) {
  google::rpc::Status status;
  status.set_code(code);
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("tandem");
  (*info.mutable_metadata())["step"] = "16";
  status.add_details()->PackFrom(info);
  google::rpc::BadRequest bad_request;
  bad_request.add_field_violations()->set_field("encoding");
  status.add_details()->PackFrom(bad_request);
  if (retry_after) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(retry_after->count() / 1'000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int>(retry_after->count() % 1'000) * 1'000'000);
    status.add_details()->PackFrom(retry);
  }
  return grpc::Status(code, "what happened", status.SerializeAsString());
}

// Returns the queued statuses of a test first, then answers with the request's text as the label.
class FakeRouter : public v1::ReasoningService::Service {
 public:
  FakeRouter() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~FakeRouter() override { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int calls() const { return calls_; }
  std::string token() const { return token_; }
  void Fail(const grpc::Status& status) { failures_.push_back(status); }
  void Hang() { hangs_ = true; }

  grpc::Status Reason(grpc::ServerContext* context, const v1::ReasonRequest* request,
                      v1::ReasonResponse* response) override {
    const std::lock_guard lock(mutex_);
    ++calls_;
    const auto header = context->client_metadata().find("authorization");
    if (header != context->client_metadata().end()) token_.assign(header->second.data(), header->second.size());
    while (hangs_ && !context->IsCancelled()) std::this_thread::sleep_for(milliseconds(1));
    if (!failures_.empty()) {
      const auto status = failures_.front();
      failures_.pop_front();
      return status;
    }
    response->set_label(request->text());
    response->set_state_digest(0xab);
    return grpc::Status::OK;
  }

  grpc::Status Ping(grpc::ServerContext*, const v1::PingRequest*, v1::PingResponse* response) override {
    const std::lock_guard lock(mutex_);
    ++calls_;
    response->set_message("pong");
    return failures_.empty() ? grpc::Status::OK : std::exchange(failures_.front(), grpc::Status::OK);
  }

  grpc::Status ReasonBatch(grpc::ServerContext*, const v1::ReasonBatchRequest* request,
                           v1::ReasonBatchResponse* response) override {
    for (const auto& each : request->requests()) Answer(each, *response->add_results());
    return grpc::Status::OK;
  }

  grpc::Status ReasonStream(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::ReasonStreamResponse, v1::ReasonStreamRequest>* stream) override {
    v1::ReasonStreamRequest request;
    while (stream->Read(&request)) {
      v1::ReasonStreamResponse response;
      response.set_request_id(request.request().request_id());
      Answer(request.request(), response);
      stream->Write(response);
    }
    return stream_status_;
  }
  void EndStreamsWith(const grpc::Status& status) { stream_status_ = status; }

 private:
  template <typename Item>
  static void Answer(const v1::ReasonRequest& request, Item& item) {
    if (!request.text().empty()) {
      item.mutable_result()->set_label(request.text());
      return;
    }
    item.mutable_error()->set_code(grpc::StatusCode::INVALID_ARGUMENT);
    item.mutable_error()->set_reason("INPUT_MISSING");
    item.mutable_error()->set_field("text");
  }

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  std::deque<grpc::Status> failures_;
  std::atomic<int> calls_{0};
  std::atomic<bool> hangs_{false};
  std::string token_;
  grpc::Status stream_status_;
};

v1::ReasonRequest Text(const std::string& text) {
  v1::ReasonRequest request;
  request.set_request_id(text);
  request.set_text(text);
  return request;
}

// Polls until the call has a result.
Result<v1::ReasonResponse> Reason(Client& client, const v1::ReasonRequest& request, Client::Deadline deadline = {}) {
  std::optional<Result<v1::ReasonResponse>> result;
  client.Reason(
      request, [&](const auto& answer) { result = answer; }, deadline);
  while (!result) client.Wait(kLong);
  return *result;
}

TEST(Client, RunsACallbackOnlyInPoll) {
  FakeRouter router;
  Client client(router.address());
  bool ran = false;
  client.Reason(Text("dog"), [&](const Result<v1::ReasonResponse>& answer) {
    ran = true;
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->label(), "dog");
    EXPECT_EQ(DigestHex(answer->state_digest()), "00000000000000ab");
  });
  while (router.calls() == 0) std::this_thread::yield();
  EXPECT_FALSE(ran);
  EXPECT_EQ(client.Wait(kLong), 1u);
  EXPECT_TRUE(ran);
}

TEST(Client, HasTheDetailsOfAnError) {
  FakeRouter router;
  router.Fail(Refusal(grpc::StatusCode::INVALID_ARGUMENT, "INPUT_LENGTH", milliseconds(1'500)));
  Client client(router.address());
  const auto answer = Reason(client, Text("dog"));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(answer.error().reason, "INPUT_LENGTH");
  EXPECT_EQ(answer.error().message, "what happened");
  EXPECT_EQ(answer.error().metadata.at("step"), "16");
  EXPECT_EQ(answer.error().fields.at(0).field, "encoding");
  EXPECT_EQ(answer.error().retry_after, milliseconds(1'500));
}

TEST(Client, RetriesARefusalWithARetryDelay) {
  FakeRouter router;
  router.Fail(Refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "ROUTER_FULL", milliseconds(1)));
  router.Fail(Refusal(grpc::StatusCode::UNAVAILABLE, "NO_ENGINE", milliseconds(1)));
  Client client(router.address());
  EXPECT_TRUE(Reason(client, Text("dog")).ok());
  EXPECT_EQ(router.calls(), 3);
}

TEST(Client, DoesNotWaitPastTheDeadline) {
  FakeRouter router;
  router.Fail(Refusal(grpc::StatusCode::UNAVAILABLE, "NO_ENGINE", seconds(3'600)));
  Client client(router.address());
  EXPECT_EQ(Reason(client, Text("dog")).error().reason, "NO_ENGINE");
  EXPECT_EQ(router.calls(), 1);
}

TEST(Client, EndsACallAtItsDeadline) {
  FakeRouter router;
  router.Hang();
  Client client(router.address());
  const auto answer = Reason(client, Text("dog"), milliseconds(20));
  EXPECT_EQ(answer.error().code, grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST(Client, RunsNoCallbackOfACancelledCall) {
  FakeRouter router;
  Client client(router.address());
  const auto fail = [](const auto&) { FAIL(); };
  client.Cancel(client.Reason(Text("dog"), fail));
  EXPECT_TRUE(Reason(client, Text("cat")).ok());
}

TEST(Client, EndsWithOpenCalls) {
  FakeRouter router;
  router.Hang();
  Client client(router.address());
  client.Reason(Text("dog"), [](const auto&) { FAIL(); });
  const auto stream = client.ReasonStream([](const auto&) { FAIL(); }, [](const auto&) { FAIL(); });
}

TEST(Client, StartsACallInACallback) {
  FakeRouter router;
  Client client(router.address());
  std::string label;
  client.Reason(Text("dog"),
                [&](const auto&) { client.Reason(Text("cat"), [&](const auto& answer) { label = answer->label(); }); });
  while (label.empty()) client.Wait(kLong);
  EXPECT_EQ(label, "cat");
}

TEST(Client, SendsItsToken) {
  FakeRouter router;
  Options options;
  options.token = "secret";
  Client client(router.address(), options);
  EXPECT_TRUE(Reason(client, Text("dog")).ok());
  EXPECT_EQ(router.token(), "Bearer secret");
}

TEST(Client, PingsTheRouter) {
  FakeRouter router;
  Client client(router.address());
  std::string message;
  client.Ping([&](const Result<v1::PingResponse>& answer) { message = answer->message(); });
  while (message.empty()) client.Wait(kLong);
  EXPECT_EQ(message, "pong");
}

TEST(Client, RetriesAnRpcOfAnotherServiceOnlyIfItWasRefused) {
  const std::pair<grpc::Status, bool> cases[] = {
      {Refusal(grpc::StatusCode::UNAVAILABLE, "NO_ENGINE", milliseconds(1)), true},
      {grpc::Status(grpc::StatusCode::UNAVAILABLE, "connection lost"), false},
  };
  for (const auto& [failure, retried] : cases) {
    FakeRouter router;
    router.Fail(failure);
    Client client(router.address());
    const auto stub = v1::ReasoningService::NewStub(client.channel());
    std::optional<bool> ok;
    client.Call<v1::PingRequest, v1::PingResponse>([&](auto... call) { stub->async()->Ping(call...); }, {},
                                                   [&](const auto& answer) { ok = answer.ok(); });
    while (!ok) client.Wait(kLong);
    EXPECT_EQ(*ok, retried);
    EXPECT_EQ(router.calls(), retried ? 2 : 1);
  }
}

TEST(Client, GivesEachItemOfABatchItsOwnOutcome) {
  FakeRouter router;
  Client client(router.address());
  bool ran = false;
  client.ReasonBatch({Text("dog"), v1::ReasonRequest(), Text("cat")}, [&](const Result<Client::BatchResults>& answer) {
    ran = true;
    ASSERT_TRUE(answer.ok());
    ASSERT_EQ(answer->size(), 3u);
    EXPECT_EQ((*answer)[0]->label(), "dog");
    EXPECT_EQ((*answer)[1].error().reason, "INPUT_MISSING");
    EXPECT_EQ((*answer)[1].error().fields.at(0).field, "text");
    EXPECT_EQ((*answer)[2]->label(), "cat");
  });
  while (!ran) client.Wait(kLong);
}

TEST(Stream, AnswersMoreRequestsThanTheLimitOfWaitingOnes) {
  constexpr std::size_t kRequests = 5 * Stream::kMaxWaiting;
  FakeRouter router;
  Client client(router.address());
  std::size_t answered = 0;
  bool ended = false;
  auto stream =
      client.ReasonStream([&](const StreamAnswer& answer) { EXPECT_EQ(answer.request_id, std::to_string(++answered)); },
                          [&](const std::optional<Error>& error) {
                            ended = true;
                            EXPECT_FALSE(error.has_value());
                          });
  for (std::size_t sent = 0; sent < kRequests;) {
    if (stream->Send(Text(std::to_string(sent + 1)))) {
      ++sent;
    } else {
      client.Wait(milliseconds(1));
    }
  }
  stream->CloseSending();
  EXPECT_FALSE(stream->Send(Text("late")));
  while (!ended) client.Wait(kLong);
  EXPECT_EQ(answered, kRequests);
}

TEST(Stream, RefusesARequestAboveTheLimitOfWaitingOnes) {
  FakeRouter router;
  Client client(router.address());
  auto stream = client.ReasonStream([](const auto&) {}, [](const auto&) {});
  const std::string large(1 << 16, 'x');
  bool held = false;
  for (int sent = 0; sent < 100'000 && !held; ++sent) held = !stream->Send(Text(large));
  EXPECT_TRUE(held);
}

TEST(Stream, ReportsWhyItEnded) {
  FakeRouter router;
  router.EndStreamsWith(Refusal(grpc::StatusCode::UNAVAILABLE, "DRAINING", std::nullopt));
  Client client(router.address());
  std::string reason;
  auto stream =
      client.ReasonStream([](const auto&) {}, [&](const auto& error) { reason = error ? error->reason : "none"; });
  stream->CloseSending();
  while (reason.empty()) client.Wait(kLong);
  EXPECT_EQ(reason, "DRAINING");
}

TEST(Stream, MayBeDestroyedInItsCallback) {
  FakeRouter router;
  Client client(router.address());
  int answered = 0;
  std::unique_ptr<Stream> stream;
  stream = client.ReasonStream(
      [&](const auto&) {
        ++answered;
        stream.reset();
      },
      [](const auto&) { FAIL(); });
  for (int i = 0; i < 10; ++i) stream->Send(Text("dog"));
  while (answered == 0) client.Wait(kLong);
  EXPECT_TRUE(Reason(client, Text("cat")).ok());
  EXPECT_EQ(answered, 1);
}

Error WithCode(grpc::StatusCode code, std::string reason = "", std::optional<milliseconds> retry_after = {}) {
  Error error;
  error.code = code;
  error.reason = std::move(reason);
  error.retry_after = retry_after;
  return error;
}

TEST(RetryDelay, DoublesUpToItsMaximum) {
  RetryPolicy policy;
  policy.max_attempts = 1'000'000;
  const auto error = WithCode(grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(RetryDelay(policy, 1, true, error, 1), milliseconds(100));
  EXPECT_EQ(RetryDelay(policy, 2, true, error, 1), milliseconds(200));
  EXPECT_EQ(RetryDelay(policy, 2, true, error, 0), milliseconds(100));
  EXPECT_EQ(RetryDelay(policy, 999'999, true, error, 1), policy.max_delay);
  EXPECT_EQ(RetryDelay(RetryPolicy(), 4, true, error, 1), std::nullopt);
}

TEST(RetryDelay, IsTheRoutersIfItNamesOne) {
  const auto error = WithCode(grpc::StatusCode::RESOURCE_EXHAUSTED, "ROUTER_FULL", milliseconds(500));
  EXPECT_EQ(RetryDelay({}, 1, true, error, 0), milliseconds(500));
  EXPECT_EQ(RetryDelay({}, 1, true, error, 1), milliseconds(600));
}

TEST(RetryDelay, IsNoneIfARetryDoesNotHelp) {
  EXPECT_FALSE(RetryDelay({}, 1, true, WithCode(grpc::StatusCode::RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE"), 0));
  EXPECT_FALSE(RetryDelay({}, 1, true, WithCode(grpc::StatusCode::INVALID_ARGUMENT, "INPUT_LENGTH"), 0));
  EXPECT_FALSE(RetryDelay({}, 1, true, WithCode(grpc::StatusCode::DEADLINE_EXCEEDED), 0));
}

TEST(RetryDelay, IsNoneForACallThatMayNotRepeatUnlessItWasRefused) {
  EXPECT_FALSE(RetryDelay({}, 1, false, WithCode(grpc::StatusCode::UNAVAILABLE), 0));
  EXPECT_TRUE(RetryDelay({}, 1, false, WithCode(grpc::StatusCode::UNAVAILABLE, "NO_ENGINE", milliseconds(1)), 0));
}

TEST(FloatTensor, IsLittleEndian) {
  const auto tensor = FloatTensor({1, 1}, {1.0F});
  EXPECT_EQ(tensor.data(), std::string("\0\0\x80\x3f", 4));
  EXPECT_EQ(tensor.shape_size(), 2);
  EXPECT_EQ(tensor.dtype(), "FP32");
}

}  // namespace
}  // namespace tandem
