// Client for Tandem, for programs with their own loop, such as a game engine's plug-in.
//
// Every call returns at once. gRPC's threads send and receive; the callbacks run inside
// Client::Poll(), on the thread that calls it. Nothing throws: failures arrive as tandem::Error.
//
//   tandem::Client client("127.0.0.1:50051");
//   tandem::v1::ReasonRequest request;
//   request.set_text("a small furry animal");
//   client.Reason(request, [](const tandem::Result<tandem::v1::ReasonResponse>& answer) {
//     if (answer.ok()) Show(answer->label(), tandem::DigestHex(answer->state_digest()));
//   });
//   …
//   client.Poll();  // in each tick
//
// A Client and its Streams belong to one thread: create, use and destroy them there.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "tandem/v1/reasoning.grpc.pb.h"
#include "tandem/v1/reasoning.pb.h"

namespace tandem {

// A field of the request that is wrong.
struct FieldViolation {
  std::string field;        // path in the request, such as "encoding[17]"
  std::string description;  // what is wrong with it
};

// Why a call, or one input of a batch or a stream, has no answer.
struct Error {
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;
  // The router's reason (google.rpc.ErrorInfo), such as "INPUT_LENGTH". Empty: the error does not
  // come from the router; for example, the connection failed.
  std::string reason;
  // What happened and what to do next.
  std::string message;
  // Details of the reason (google.rpc.ErrorInfo). SESSION_STEP has "step", for example.
  std::map<std::string, std::string> metadata;
  // The fields of the request that are wrong (google.rpc.BadRequest).
  std::vector<FieldViolation> fields;
  // Delay after which the router expects to accept the call (google.rpc.RetryInfo). If set, the
  // router has refused the call, so nothing was done.
  std::optional<std::chrono::milliseconds> retry_after;

  // The error of a status that is not OK.
  static Error From(const grpc::Status& status);
  // The error of an input of a batch or a stream.
  static Error From(const v1::ReasonError& error);
};

// A value, or the error instead of it.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return std::holds_alternative<T>(state_); }
  // Call this only if ok() is true.
  const T& operator*() const { return *std::get_if<T>(&state_); }
  const T* operator->() const { return std::get_if<T>(&state_); }
  // Call this only if ok() is false.
  [[nodiscard]] const Error& error() const { return *std::get_if<Error>(&state_); }

 private:
  std::variant<T, Error> state_;
};

// When a failed call is sent again. UNAVAILABLE and RESOURCE_EXHAUSTED are retried after the delay that the router
// names (google.rpc.RetryInfo): it has refused the call, so nothing was done. UNAVAILABLE without it is retried with
// delays that double, if the call may be carried out twice. No retry begins after the call's deadline.
struct RetryPolicy {
  int max_attempts = 4;                        // including the first one; 1: no retry
  std::chrono::milliseconds first_delay{100};  // the longest before the first retry
  std::chrono::milliseconds max_delay{2'000};  // the longest delay if the router names none
};

// The delay before the next attempt; none: do not retry. `may_repeat`: the call may be carried out twice.
// `random` is from 0 to 1, so that clients that were refused together do not retry together.
std::optional<std::chrono::milliseconds> RetryDelay(const RetryPolicy& policy, int failed_attempts, bool may_repeat,
                                                    const Error& error, double random);

// How a Client calls.
struct Options {
  // Deadline of each call without its own, retries included. Streams have no deadline.
  std::chrono::milliseconds deadline{10'000};
  RetryPolicy retry;
  // TLS, for example grpc::SslCredentials({}). None: plain text.
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  // The caller's token (router setting auth.tokens). Use it with TLS.
  std::string token;
};

// The id of a call, to cancel it.
using CallId = std::uint64_t;

// The answer to one request of a stream.
struct StreamAnswer {
  // The request's id, or the id that the router gave it.
  std::string request_id;
  // An error here does not end the stream.
  Result<v1::ReasonResponse> outcome;
};

// Many inputs over one connection. Created by Client::ReasonStream. Destroying it cancels the
// unanswered requests, and no callback runs after that.
class Stream {
 public:
  class Impl;

  explicit Stream(std::shared_ptr<Impl> impl);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Sends a request; give each an id to tell the answers apart. Returns false if it was not sent,
  // because kMaxWaiting requests wait for the network, or because the stream has ended. Try again
  // in a later tick.
  bool Send(const v1::ReasonRequest& request);

  // Ends the requests. The router answers those that it has, then the stream ends.
  void CloseSending();

  // Limit on requests that wait for the network, and on answers that wait for Poll().
  static constexpr std::size_t kMaxWaiting = 256;

 private:
  std::shared_ptr<Impl> impl_;
};

// A client of one router.
class Client {
 public:
  // `address`: of the router, such as "127.0.0.1:50051". The first call connects.
  explicit Client(const std::string& address, Options options = {});
  // Cancels all calls and streams; their callbacks never run. Do not call this in a callback.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  template <typename T>
  using Callback = std::function<void(const Result<T>&)>;
  // Milliseconds for one call; none: Options.deadline.
  using Deadline = std::optional<std::chrono::milliseconds>;

  // Runs the callbacks of all received answers, and starts retries that are due. Never blocks.
  // Returns the number of callbacks. Do not call this in a callback.
  std::size_t Poll();

  // Polls until a callback has run or the time has passed: for programs without a loop, and for
  // tests.
  std::size_t Wait(std::chrono::milliseconds timeout);

  // Checks that the router answers. It asks no engine.
  CallId Ping(Callback<v1::PingResponse> done, Deadline deadline = {});

  // One input to one conclusion. A message of a session that sets no expected_step is retried only if the router
  // refused it: in other cases the router may have computed it.
  CallId Reason(const v1::ReasonRequest& request, Callback<v1::ReasonResponse> done, Deadline deadline = {});

  // Many inputs in one call. Each has its own result or error, in the order of the requests.
  using BatchResults = std::vector<Result<v1::ReasonResponse>>;
  CallId ReasonBatch(const std::vector<v1::ReasonRequest>& requests, Callback<BatchResults> done,
                     Deadline deadline = {});

  // Many inputs over one stream. Answers arrive in any order. `on_end` runs once, after the last
  // answer: without an error if all were answered. A stream is not retried: send unanswered
  // requests again.
  std::unique_ptr<Stream> ReasonStream(std::function<void(const StreamAnswer&)> on_answer,
                                       std::function<void(const std::optional<Error>&)> on_end);

  // Calls an rpc of any service with this client's deadline. Only a call that the router refused is retried.
  // Example:
  //   auto models = tandem::v1::ModelService::NewStub(client.channel());
  //   client.Call<tandem::v1::ListModelsRequest, tandem::v1::ListModelsResponse>(
  //       [&](auto... call) { models->async()->ListModels(call...); }, {}, [](const auto& answer) { … });
  // The stub must live until the callback has run, or the client is destroyed.
  template <typename Request, typename Response>
  using Rpc = std::function<void(grpc::ClientContext*, const Request*, Response*, std::function<void(grpc::Status)>)>;
  template <typename Request, typename Response>
  CallId Call(Rpc<Request, Response> rpc, Request request, Callback<Response> done, Deadline deadline = {});

  // Cancels a call: its callback never runs. The id of an ended call has no effect.
  void Cancel(CallId id);

  // For stubs of the other services.
  [[nodiscard]] const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  friend class Stream;
  class Inbox;
  struct Pending;
  // One call without its types. `send` starts an attempt; `finish` gets the last status.
  using Send = std::function<void(grpc::ClientContext*, std::function<void(grpc::Status)>)>;
  using Finish = std::function<void(const grpc::Status&)>;

  CallId Start(Send send, Finish finish, bool may_repeat, Deadline deadline);
  template <typename Request, typename Response>
  CallId Start(Rpc<Request, Response> rpc, Request request, Callback<Response> done, bool may_repeat,
               Deadline deadline);
  void StartAttempt(CallId id, Pending& call);
  bool FinishAttempt(CallId id, const grpc::Status& status);
  void Authorize(grpc::ClientContext& context) const;
  std::size_t PollCalls();
  std::size_t PollStreams();

  const Options options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::ReasoningService::Stub> reasoning_;
  const std::shared_ptr<Inbox> inbox_;
  CallId last_id_ = 0;
  // A call or a stream stays here until gRPC has released it, even if it is cancelled. So no thread
  // of gRPC holds the last reference to the channel: gRPC 1.51 would abort.
  std::unordered_map<CallId, std::unique_ptr<Pending>> calls_;
  std::multimap<std::chrono::steady_clock::time_point, CallId> retries_;
  std::vector<std::shared_ptr<Stream::Impl>> streams_;
};

// A digest as Tandem prints it: 16 lower-case hexadecimal digits.
std::string DigestHex(std::uint64_t digest);

// A tensor of FP32. `shape` is [n] for a constant input, or [steps, …] for a time series; `values` are in row-major
// order.
v1::Tensor FloatTensor(const std::vector<std::uint32_t>& shape, const std::vector<float>& values);

template <typename Request, typename Response>
CallId Client::Call(Rpc<Request, Response> rpc, Request request, Callback<Response> done, Deadline deadline) {
  return Start<Request, Response>(std::move(rpc), std::move(request), std::move(done), false, deadline);
}

template <typename Request, typename Response>
CallId Client::Start(Rpc<Request, Response> rpc, Request request, Callback<Response> done, bool may_repeat,
                     Deadline deadline) {
  struct Exchange {
    Rpc<Request, Response> rpc;
    Request request;
    Response response;
  };
  auto exchange = std::make_shared<Exchange>(Exchange{std::move(rpc), std::move(request), {}});
  auto send = [exchange](grpc::ClientContext* context, std::function<void(grpc::Status)> ended) {
    exchange->response.Clear();
    exchange->rpc(context, &exchange->request, &exchange->response, std::move(ended));
  };
  auto finish = [exchange, done = std::move(done)](const grpc::Status& status) {
    done(status.ok() ? Result<Response>(std::move(exchange->response)) : Result<Response>(Error::From(status)));
  };
  return Start(std::move(send), std::move(finish), may_repeat, deadline);
}

}  // namespace tandem
