// A stream: messages from and to gRPC, and its callbacks in Poll().
#include "tandem_internal.h"

namespace tandem {

void Stream::Impl::Start(v1::ReasoningService::Stub& stub) {
  inbox_->Begin();
  stub.async()->ReasonStream(&context_, this);
  AddHold();  // the caller's thread starts operations, too, until the last read has failed
  StartRead(&incoming_);
  StartCall();
}

bool Stream::Impl::Send(const v1::ReasonRequest& request) {
  const std::lock_guard lock(mutex_);
  if (closed_ || ended_ || outgoing_.size() >= kMaxWaiting) return false;
  *outgoing_.emplace_back().mutable_request() = request;
  WriteNext();
  return true;
}

void Stream::Impl::CloseSending() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  WriteNext();
}

void Stream::Impl::Abandon() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    ResumeReading();
  }
  context_.TryCancel();
}

std::size_t Stream::Impl::Poll(bool& over) {
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

void Stream::Impl::OnReadDone(bool ok) {
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

void Stream::Impl::OnWriteDone(bool ok) {
  const std::lock_guard lock(mutex_);
  writing_ = false;
  outgoing_.pop_front();
  if (ok) return WriteNext();
  outgoing_.clear();
  closed_ = writes_done_ = true;
}

void Stream::Impl::OnDone(const grpc::Status& status) {
  const auto inbox = inbox_;  // Poll() may destroy this stream as soon as it sees the status
  {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }
  inbox->EndStream();
}

bool Stream::Impl::IsAbandoned() {
  const std::lock_guard lock(mutex_);
  return abandoned_;
}

void Stream::Impl::WriteNext() {
  if (writing_ || ended_) return;
  if (!outgoing_.empty()) {
    writing_ = true;
    StartWrite(&outgoing_.front());
  } else if (closed_ && !writes_done_) {
    writes_done_ = true;
    StartWritesDone();
  }
}

void Stream::Impl::ResumeReading() {
  if (reading_ || ended_ || (!abandoned_ && answers_.size() >= kMaxWaiting)) return;
  reading_ = true;
  StartRead(&incoming_);
}
Stream::Stream(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Stream::~Stream() { impl_->Abandon(); }
bool Stream::Send(const v1::ReasonRequest& request) { return impl_->Send(request); }
void Stream::CloseSending() { impl_->CloseSending(); }

}  // namespace tandem
