#include "server/infer_stream.h"

#include <grpcpp/server_context.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "server/errors.h"
#include "server/instance_id.h"
#include "server/message_checksum.h"
#include "server/request_decoder.h"

namespace tandem {
namespace {

using engine::v1::InferItem;
using engine::v1::InferResult;
using engine::v1::InferStreamRequest;
using engine::v1::InferStreamResponse;

// At most one read and one write are under way. Everything below `mutex_` is guarded by it; it is held while gRPC's
// Start… functions are called (their callbacks never run inside them) but never while the engine core is.
class StreamReactor final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                            public ResultSink,
                            public DrainableStream,
                            public std::enable_shared_from_this<StreamReactor> {
 public:
  StreamReactor(EngineCore& core, StreamRegistry& streams, bool checksums)
      : core_(core), streams_(streams), decoder_(checksums) {}

  void Start() {
    self_ = shared_from_this();
    streams_.Add(self_);
    const std::lock_guard lock(mutex_);
    draining_ = core_.draining();
    StartSendInitialMetadata();
    Advance();
  }

  void OnReadDone(bool ok) override {
    std::vector<std::shared_ptr<InferJob>> jobs;
    if (ok) {
      SetTaking(true);
      const TimePoint received = Clock::now();
      if (const MaybeError error = decoder_.Decode(incoming_bytes_, incoming_)) {
        Fail(*error);
      } else {
        jobs = TakeMessage(received);
      }
    }
    {
      const std::lock_guard lock(mutex_);
      taking_ = false;
      reading_ = false;
      reads_ended_ = reads_ended_ || !ok;
      Advance();
    }
    // The next message is on its way already, and may be taken by another thread: this one may be kept by a job. What
    // is pending keeps the stream.
    if (jobs.empty()) return;
    core_.Submit(jobs);
    Flush();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) Break();
    const std::lock_guard lock(mutex_);
    writing_ = false;
    Advance();
  }

  void OnCancel() override { Break(); }

  void OnDone() override {
    streams_.Remove(this);
    self_.reset();
  }

  void Complete(const InferJob& job, Expected<engine::v1::Inference> answer) override {
    InferResult result;
    result.set_id(job.request().id);
    if (answer.ok()) {
      *result.mutable_inference() = std::move(answer).value();
    } else {
      *result.mutable_error() = ToInferError(answer.error());
    }
    const std::lock_guard lock(mutex_);
    pending_.erase(job.request().id);
    Queue(std::move(result));
  }

  void Flush() override {
    const std::lock_guard lock(mutex_);
    Advance();
  }

  void Drain() override {
    const std::lock_guard lock(mutex_);
    draining_ = true;
    Advance();
  }

 private:
  void SetTaking(bool taking) {
    const std::lock_guard lock(mutex_);
    taking_ = taking;
  }

  // Makes a message's items pending and answers those that are refused. Called by the one thread that has a message at
  // hand; `incoming_` is ours until the next read.
  std::vector<std::shared_ptr<InferJob>> TakeMessage(TimePoint received) {
    std::vector<std::shared_ptr<InferJob>> jobs;
    CancelIds();
    if (incoming_.items_size() > kAbsurdItemsPerMessage) {
      const std::lock_guard lock(mutex_);
      ending_ = ToGrpcStatus(BatchTooLarge(Code::kResourceExhausted));
      return jobs;
    }
    const bool too_large = incoming_.items_size() > kMaxItemsPerMessage;
    for (InferItem& item : *incoming_.mutable_items()) {
      const std::uint64_t id = item.id();
      Expected<std::shared_ptr<InferJob>> job = BatchTooLarge(Code::kInvalidArgument);
      if (!too_large) job = core_.MakeJob(item, received, self_);
      const std::lock_guard lock(mutex_);
      if (job.ok() && !pending_.contains(id)) {
        pending_.emplace(id, job.value());
        if (broken_) job.value()->Cancel();
        jobs.push_back(std::move(job).value());
        continue;
      }
      const Error error = job.ok() ? DuplicateId(id) : job.error();
      core_.spans().Refused(item, received, error);
      InferResult result;
      result.set_id(id);
      *result.mutable_error() = ToInferError(error);
      Queue(std::move(result));
    }
    return jobs;
  }

  static Error DuplicateId(std::uint64_t id) {
    return {Code::kInvalidArgument,
            "DUPLICATE_ID",
            "id " + std::to_string(id) + " is still unanswered on this stream; give every input its own id",
            {{"field", "id"}}};
  }

  Error BatchTooLarge(Code code) const {
    return {code,
            "BATCH_TOO_LARGE",
            "the message has " + std::to_string(incoming_.items_size()) + " items, above the limit of " +
                std::to_string(kMaxItemsPerMessage) + "; send them in several messages",
            {{"field", "items"}}};
  }

  void CancelIds() {
    if (incoming_.cancel_ids().empty()) return;
    {
      const std::lock_guard lock(mutex_);
      for (const std::uint64_t id : incoming_.cancel_ids()) {
        const auto found = pending_.find(id);
        if (found != pending_.end()) found->second->Cancel();
      }
    }
    core_.Sweep();
  }

  // Nothing that the caller sent can be trusted any more, nor what it would make of an answer.
  void Fail(const Error& error) {
    {
      const std::lock_guard lock(mutex_);
      ending_ = ToGrpcStatus(error);
    }
    Break();
  }

  // The peer is gone: nobody waits for anything any more.
  void Break() {
    {
      const std::lock_guard lock(mutex_);
      broken_ = true;
      ready_.clear();
      ready_bytes_ = 0;
      for (const auto& [id, job] : pending_) job->Cancel();
    }
    core_.Sweep();
  }

  // From here on: mutex_ is held.

  void Queue(InferResult result) {
    if (broken_) return;
    ready_bytes_ += result.ByteSizeLong();
    ready_.push_back(std::move(result));
  }

  // Starts whatever may start now.
  void Advance() {
    if (finished_) return;
    if (!writing_ && !ready_.empty()) Write();
    const bool ends = reads_ended_ || broken_ || draining_ || ending_.has_value();
    if (ends && pending_.empty() && ready_.empty() && !writing_ && !taking_) {
      finished_ = true;
      Finish(FinalStatus());
      return;
    }
    const bool room = ready_.size() < kMaxUnsentResults && ready_bytes_ < kMaxUnsentBytes;
    if (!ends && !reading_ && room) {
      reading_ = true;
      StartRead(&incoming_bytes_);
    }
  }

  [[nodiscard]] grpc::Status FinalStatus() const {
    if (ending_) return *ending_;
    // A caller that has not closed its side may have sent items that were never read: it must not take this for a
    // complete answer.
    if (draining_ && !reads_ended_) return ToGrpcStatus(EngineCore::DrainingError());
    return grpc::Status::OK;
  }

  void Write() {
    outgoing_.Clear();
    std::size_t bytes = 0;
    while (!ready_.empty() && outgoing_.results_size() < kMaxResultsPerMessage) {
      const std::size_t size = ready_.front().ByteSizeLong();
      if (bytes > 0 && bytes + size > kMaxMessageBytes) break;
      bytes += size;
      *outgoing_.add_results() = std::move(ready_.front());
      ready_.pop_front();
    }
    ready_bytes_ -= bytes;
    writing_ = true;
    outgoing_bytes_ = WithChecksum(outgoing_, sent_++);
    StartWrite(&outgoing_bytes_);
  }

  EngineCore& core_;
  StreamRegistry& streams_;
  std::shared_ptr<StreamReactor> self_;  // gRPC's hold on this, until OnDone
  grpc::ByteBuffer incoming_bytes_;      // gRPC's while reading_, else OnReadDone's
  InferStreamRequest incoming_;          // the same
  RequestDecoder decoder_;               // the same

  std::mutex mutex_;
  InferStreamResponse outgoing_;
  grpc::ByteBuffer outgoing_bytes_;  // gRPC's while writing_
  std::uint64_t sent_ = 0;           // messages
  std::unordered_map<std::uint64_t, std::shared_ptr<InferJob>> pending_;
  std::deque<InferResult> ready_;
  std::size_t ready_bytes_ = 0;
  bool reading_ = false;
  bool writing_ = false;
  bool taking_ = false;       // a message is being looked at: the stream must not end under it
  bool reads_ended_ = false;  // the caller closed its side
  bool broken_ = false;       // cancelled, or a write failed
  bool draining_ = false;
  bool finished_ = false;
  std::optional<grpc::Status> ending_;  // set: the stream ends with this
};

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StartStream(EngineCore& core, StreamRegistry& streams,
                                                                         grpc::CallbackServerContext& context) {
  context.AddInitialMetadata(kInstanceIdKey, InstanceId());
  const bool checksums = context.client_metadata().contains(kChecksumsKey);
  const auto reactor = std::make_shared<StreamReactor>(core, streams, checksums);
  reactor->Start();
  return reactor.get();
}

}  // namespace tandem
