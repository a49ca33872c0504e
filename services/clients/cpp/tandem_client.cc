// Calls: each has a deadline and is retried, and its callback runs in Poll().
#include "tandem_client.h"

#include <algorithm>
#include <random>

#include "tandem_internal.h"

namespace tandem {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// Rasters and batches may exceed gRPC's default of 4 MiB.
constexpr int kMaxAnswerBytes = 64 << 20;

double Random() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

bool MayRepeat(const v1::ReasonRequest& request) {
  return !request.has_session() || request.session().has_expected_step();
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address, const Options& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxAnswerBytes);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // RetryPolicy decides alone
  const auto credentials = options.credentials ? options.credentials : grpc::InsecureChannelCredentials();
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

}  // namespace

struct Client::Pending {
  Send send;
  Finish finish;
  bool may_repeat;
  Clock::time_point deadline;
  int attempts = 0;
  bool running = false;  // an attempt
  bool cancelled = false;
  std::unique_ptr<grpc::ClientContext> context;
};

Client::Client(const std::string& address, Options options)
    : options_(std::move(options)),
      channel_(Connect(address, options_)),
      reasoning_(v1::ReasoningService::NewStub(channel_)),
      inbox_(std::make_shared<Inbox>()) {}

Client::~Client() {
  for (const auto& [id, call] : calls_) call->context->TryCancel();
  for (const auto& stream : streams_) stream->Abandon();
  inbox_->WaitForAll();
}

std::size_t Client::Poll() { return PollCalls() + PollStreams(); }

std::size_t Client::Wait(milliseconds timeout) {
  const auto end = Clock::now() + timeout;
  for (;;) {
    if (const auto ran = Poll(); ran > 0 || Clock::now() >= end) return ran;
    inbox_->WaitForSignal(retries_.empty() ? end : std::min(end, retries_.begin()->first));
  }
}

CallId Client::Ping(Callback<v1::PingResponse> done, Deadline deadline) {
  return Start<v1::PingRequest, v1::PingResponse>([this](auto... call) { reasoning_->async()->Ping(call...); }, {},
                                                  std::move(done), true, deadline);
}

CallId Client::Reason(const v1::ReasonRequest& request, Callback<v1::ReasonResponse> done, Deadline deadline) {
  return Start<v1::ReasonRequest, v1::ReasonResponse>([this](auto... call) { reasoning_->async()->Reason(call...); },
                                                      request, std::move(done), MayRepeat(request), deadline);
}

CallId Client::ReasonBatch(const std::vector<v1::ReasonRequest>& requests, Callback<BatchResults> done,
                           Deadline deadline) {
  v1::ReasonBatchRequest batch;
  for (const auto& request : requests) *batch.add_requests() = request;
  const bool may_repeat = std::all_of(requests.begin(), requests.end(), MayRepeat);
  auto unpack = [done = std::move(done)](const Result<v1::ReasonBatchResponse>& response) {
    if (!response.ok()) return done(response.error());
    BatchResults results;
    for (auto item : response->results()) results.push_back(Outcome(std::move(item)));
    done(results);
  };
  return Start<v1::ReasonBatchRequest, v1::ReasonBatchResponse>(
      [this](auto... call) { reasoning_->async()->ReasonBatch(call...); }, std::move(batch), std::move(unpack),
      may_repeat, deadline);
}

std::unique_ptr<Stream> Client::ReasonStream(std::function<void(const StreamAnswer&)> on_answer,
                                             std::function<void(const std::optional<Error>&)> on_end) {
  auto impl = std::make_shared<Stream::Impl>(inbox_, std::move(on_answer), std::move(on_end));
  Authorize(impl->context());
  impl->Start(*reasoning_);
  streams_.push_back(impl);
  return std::make_unique<Stream>(impl);
}

void Client::Cancel(CallId id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  if (!found->second->running) return void(calls_.erase(found));  // it waits for its retry
  found->second->cancelled = true;
  found->second->context->TryCancel();
}

CallId Client::Start(Send send, Finish finish, bool may_repeat, Deadline deadline) {
  const CallId id = ++last_id_;
  auto call = std::make_unique<Pending>();
  call->send = std::move(send);
  call->finish = std::move(finish);
  call->may_repeat = may_repeat;
  call->deadline = Clock::now() + deadline.value_or(options_.deadline);
  StartAttempt(id, *calls_.emplace(id, std::move(call)).first->second);
  return id;
}

void Client::StartAttempt(CallId id, Pending& call) {
  ++call.attempts;
  call.running = true;
  call.context = std::make_unique<grpc::ClientContext>();
  call.context->set_deadline(std::chrono::system_clock::now() + (call.deadline - Clock::now()));
  Authorize(*call.context);
  inbox_->Begin();
  call.send(call.context.get(), [id, inbox = inbox_](grpc::Status status) { inbox->End(id, std::move(status)); });
}

void Client::Authorize(grpc::ClientContext& context) const {
  if (!options_.token.empty()) context.AddMetadata("authorization", "Bearer " + options_.token);
}

// Returns whether the call's callback has run.
bool Client::FinishAttempt(CallId id, const grpc::Status& status) {
  const auto found = calls_.find(id);
  auto& call = *found->second;
  call.running = false;
  if (!call.cancelled && !status.ok()) {
    const auto delay = RetryDelay(options_.retry, call.attempts, call.may_repeat, Error::From(status), Random());
    if (delay && Clock::now() + *delay < call.deadline) {
      retries_.emplace(Clock::now() + *delay, id);
      return false;
    }
  }
  const auto ended = std::move(found->second);
  calls_.erase(found);  // first, since the callback may call this client
  if (!ended->cancelled) ended->finish(status);
  return !ended->cancelled;
}

std::size_t Client::PollCalls() {
  std::size_t ran = 0;
  for (const auto& [id, status] : inbox_->Take()) ran += FinishAttempt(id, status) ? 1 : 0;
  while (!retries_.empty() && retries_.begin()->first <= Clock::now()) {
    const CallId id = retries_.begin()->second;
    retries_.erase(retries_.begin());
    if (const auto found = calls_.find(id); found != calls_.end()) StartAttempt(id, *found->second);
  }
  return ran;
}

std::size_t Client::PollStreams() {
  std::size_t ran = 0;
  const auto polled = streams_;  // callbacks may open streams
  for (const auto& stream : polled) {
    bool over = false;
    ran += stream->Poll(over);
    if (over) streams_.erase(std::find(streams_.begin(), streams_.end(), stream));
  }
  return ran;
}

}  // namespace tandem
