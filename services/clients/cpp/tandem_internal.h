// Internal parts of the client: events from gRPC's threads, and a stream. Do not include this in a program.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "tandem_client.h"

namespace tandem {

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
  void WaitForSignal(std::chrono::steady_clock::time_point until) {
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

// A stream for gRPC. The client holds it until OnDone, the last callback.
class Stream::Impl : public grpc::ClientBidiReactor<v1::ReasonStreamRequest, v1::ReasonStreamResponse> {
 public:
  using OnAnswer = std::function<void(const StreamAnswer&)>;
  using OnEnd = std::function<void(const std::optional<Error>&)>;

  Impl(std::shared_ptr<Client::Inbox> inbox, OnAnswer on_answer, OnEnd on_end)
      : inbox_(std::move(inbox)), on_answer_(std::move(on_answer)), on_end_(std::move(on_end)) {}

  grpc::ClientContext& context() { return context_; }

  void Start(v1::ReasoningService::Stub& stub);
  bool Send(const v1::ReasonRequest& request);
  void CloseSending();

  // No callback runs after this.
  void Abandon();

  // Runs callbacks on the caller's thread. Returns their number; `over`: there will be no more.
  std::size_t Poll(bool& over);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  bool IsAbandoned();

  // Call this with the lock held. gRPC accepts one message at a time.
  void WriteNext();

  // Call this with the lock held. Answers that are not taken slow the router down, by gRPC's flow
  // control.
  void ResumeReading();

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

}  // namespace tandem
