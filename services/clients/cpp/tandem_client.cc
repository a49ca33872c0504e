#include "tandem_client.h"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <iterator>
#include <mutex>
#include <random>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace tandem {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// Rasters and batches may exceed gRPC's default of 4 MiB.
constexpr int kMaxAnswerBytes = 64 << 20;

// The longest delay of a router that is accepted; longer ones are reduced to a day.
constexpr std::int64_t kMaxDelaySeconds = 86'400;

milliseconds ToMilliseconds(const google::protobuf::Duration& duration) {
  const auto seconds = std::clamp<std::int64_t>(duration.seconds(), 0, kMaxDelaySeconds);
  const auto nanos = std::clamp<std::int64_t>(duration.nanos(), 0, 999'999'999);
  return milliseconds(seconds * 1'000 + nanos / 1'000'000);
}

milliseconds Times(milliseconds delay, double factor) {
  return milliseconds(static_cast<std::int64_t>(static_cast<double>(delay.count()) * factor));
}

double Random() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

bool MayRepeat(const v1::ReasonRequest& request) {
  return !request.has_session() || request.session().has_expected_step();
}

// For an item of a batch or a stream: both have the same two cases.
template <typename Item>
Result<v1::ReasonResponse> Outcome(Item&& item) {
  if (item.has_result()) return std::move(*item.mutable_result());
  if (item.has_error()) return Error::From(item.error());
  Error error;
  error.code = grpc::StatusCode::INTERNAL;
  error.message = "the answer has neither a result nor an error; update the client or the router";
  return error;
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address, const Options& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxAnswerBytes);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // RetryPolicy decides alone
  const auto credentials = options.credentials ? options.credentials : grpc::InsecureChannelCredentials();
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

}  // namespace

// --- errors and values
// ---------------------------------------------------------------------------------------------------

Error Error::From(const grpc::Status& status) {
  Error error;
  error.code = status.error_code();
  error.message = status.error_message();
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return error;
  for (const auto& detail : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad_request;
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&info)) {
      error.reason = info.reason();
      error.metadata.insert(info.metadata().begin(), info.metadata().end());
    } else if (detail.UnpackTo(&bad_request)) {
      for (const auto& each : bad_request.field_violations())
        error.fields.push_back({each.field(), each.description()});
    } else if (detail.UnpackTo(&retry)) {
      error.retry_after = ToMilliseconds(retry.retry_delay());
    }
  }
  return error;
}

Error Error::From(const v1::ReasonError& item) {
  Error error;
  error.code = static_cast<grpc::StatusCode>(item.code());
  error.reason = item.reason();
  error.message = item.message();
  if (!item.field().empty()) error.fields.push_back({item.field(), item.message()});
  if (item.retry_after_ms() > 0) error.retry_after = milliseconds(item.retry_after_ms());
  return error;
}

std::optional<milliseconds> RetryDelay(const RetryPolicy& policy, int failed_attempts, bool may_repeat,
                                       const Error& error, double random) {
  const bool unavailable = error.code == grpc::StatusCode::UNAVAILABLE && (may_repeat || error.retry_after);
  const bool full = error.code == grpc::StatusCode::RESOURCE_EXHAUSTED && error.retry_after.has_value();
  if (!(unavailable || full) || failed_attempts >= policy.max_attempts) return std::nullopt;
  if (error.retry_after) return Times(*error.retry_after, 1 + random / 5);
  auto longest = policy.first_delay;
  for (int retry = 1; retry < failed_attempts && longest < policy.max_delay; ++retry) longest *= 2;
  return Times(std::min(longest, policy.max_delay), 0.5 + random / 2);
}

std::string DigestHex(std::uint64_t digest) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(digest));
  return digits;
}

v1::Tensor FloatTensor(const std::vector<std::uint32_t>& shape, const std::vector<float>& values) {
  v1::Tensor tensor;
  tensor.mutable_shape()->Add(shape.begin(), shape.end());
  tensor.set_dtype("FP32");
  // A tensor is little-endian, and so is every machine that runs games.
  tensor.set_data(values.data(), values.size() * sizeof(float));
  return tensor;
}

// --- events from gRPC's threads
// ---------------------------------------------------------------------------------------

// gRPC's threads put ended operations here, for Poll().
class Client::Inbox {
 public:
  struct Ended {
    CallId id;
    grpc::Status status;
  };

  // Call this before an attempt or a stream starts.
  void Begin() {
    const std::lock_guard lock(mutex_);
    ++running_;
  }

  // The last callback of gRPC for an attempt.
  void End(CallId id, grpc::Status status) {
    const std::lock_guard lock(mutex_);
    ended_.push_back({id, std::move(status)});
    --running_;
    Signal();
  }

  // The last callback of gRPC for a stream.
  void EndStream() {
    const std::lock_guard lock(mutex_);
    --running_;
    Signal();
  }

  // Reports that a stream has events for Poll().
  void Notify() {
    const std::lock_guard lock(mutex_);
    Signal();
  }

  std::vector<Ended> Take() {
    const std::lock_guard lock(mutex_);
    signalled_ = false;
    return std::exchange(ended_, {});
  }

  // Waits until there are events for Poll(), or until `until`.
  void WaitForSignal(Clock::time_point until) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, until, [this] { return signalled_; });
  }

  // Waits until gRPC no longer uses this client.
  void WaitForAll() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  void Signal() {
    signalled_ = true;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Ended> ended_;
  int running_ = 0;
  bool signalled_ = false;
};

// --- streams
// -------------------------------------------------------------------------------------------------------------

// A stream for gRPC. The client holds it until OnDone, the last callback.
class Stream::Impl : public grpc::ClientBidiReactor<v1::ReasonStreamRequest, v1::ReasonStreamResponse> {
 public:
  using OnAnswer = std::function<void(const StreamAnswer&)>;
  using OnEnd = std::function<void(const std::optional<Error>&)>;

  Impl(std::shared_ptr<Client::Inbox> inbox, OnAnswer on_answer, OnEnd on_end)
      : inbox_(std::move(inbox)), on_answer_(std::move(on_answer)), on_end_(std::move(on_end)) {}

  grpc::ClientContext& context() { return context_; }

  void Start(v1::ReasoningService::Stub& stub) {
    inbox_->Begin();
    stub.async()->ReasonStream(&context_, this);
    AddHold();  // the caller's thread starts operations, too, until the last read has failed
    StartRead(&incoming_);
    StartCall();
  }

  bool Send(const v1::ReasonRequest& request) {
    const std::lock_guard lock(mutex_);
    if (closed_ || ended_ || outgoing_.size() >= kMaxWaiting) return false;
    *outgoing_.emplace_back().mutable_request() = request;
    WriteNext();
    return true;
  }

  void CloseSending() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    WriteNext();
  }

  // No callback runs after this.
  void Abandon() {
    {
      const std::lock_guard lock(mutex_);
      abandoned_ = true;
      ResumeReading();
    }
    context_.TryCancel();
  }

  // Runs callbacks on the caller's thread. Returns their number; `over`: there will be no more.
  std::size_t Poll(bool& over) {
    std::deque<StreamAnswer> answers;
    std::optional<grpc::Status> status;
    {
      const std::lock_guard lock(mutex_);
      answers.swap(answers_);
      status = status_;
      ResumeReading();
    }
    std::size_t ran = 0;
    for (const auto& answer : answers) {
      if (IsAbandoned()) break;
      on_answer_(answer);
      ++ran;
    }
    over = status.has_value();
    if (over && !IsAbandoned()) {
      on_end_(status->ok() ? std::nullopt : std::optional(Error::From(*status)));
      ++ran;
    }
    return ran;
  }

  void OnReadDone(bool ok) override {
    bool last = false;
    {
      const std::lock_guard lock(mutex_);
      reading_ = false;
      if (ok) {
        if (!abandoned_) answers_.push_back({incoming_.request_id(), Outcome(std::move(incoming_))});
        ResumeReading();
      } else {
        last = ended_ = true;
      }
    }
    inbox_->Notify();
    if (last) RemoveHold();
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    outgoing_.pop_front();
    if (ok) return WriteNext();
    outgoing_.clear();
    closed_ = writes_done_ = true;
  }

  void OnDone(const grpc::Status& status) override {
    const auto inbox = inbox_;  // Poll() may destroy this stream as soon as it sees the status
    {
      const std::lock_guard lock(mutex_);
      status_ = status;
    }
    inbox->EndStream();
  }

 private:
  bool IsAbandoned() {
    const std::lock_guard lock(mutex_);
    return abandoned_;
  }

  // Call this with the lock held. gRPC accepts one message at a time.
  void WriteNext() {
    if (writing_ || ended_) return;
    if (!outgoing_.empty()) {
      writing_ = true;
      StartWrite(&outgoing_.front());
    } else if (closed_ && !writes_done_) {
      writes_done_ = true;
      StartWritesDone();
    }
  }

  // Call this with the lock held. Answers that are not taken slow the router down, by gRPC's flow
  // control.
  void ResumeReading() {
    if (reading_ || ended_ || (!abandoned_ && answers_.size() >= kMaxWaiting)) return;
    reading_ = true;
    StartRead(&incoming_);
  }

  const std::shared_ptr<Client::Inbox> inbox_;
  const OnAnswer on_answer_;
  const OnEnd on_end_;
  grpc::ClientContext context_;
  v1::ReasonStreamResponse incoming_;

  std::mutex mutex_;
  std::deque<v1::ReasonStreamRequest> outgoing_;
  std::deque<StreamAnswer> answers_;
  std::optional<grpc::Status> status_;
  bool reading_ = true;
  bool writing_ = false;
  bool closed_ = false;
  bool writes_done_ = false;
  bool ended_ = false;
  bool abandoned_ = false;
};

Stream::Stream(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Stream::~Stream() { impl_->Abandon(); }
bool Stream::Send(const v1::ReasonRequest& request) { return impl_->Send(request); }
void Stream::CloseSending() { impl_->CloseSending(); }

// --- calls
// ---------------------------------------------------------------------------------------------------------------

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
