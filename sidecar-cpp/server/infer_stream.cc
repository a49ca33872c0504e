#include "server/infer_stream.h"

#include <grpcpp/server_context.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/errors.h"
#include "server/instance_id.h"
#include "server/request_decoder.h"
#include "server/unsent_answers.h"
#include "server/whole_message.h"

namespace tandem {
namespace {

using engine::v1::InferItem;
using engine::v1::InferResult;
using engine::v1::InferStreamResponse;

// A message that is read this soon had already arrived.
constexpr std::chrono::microseconds kBacklog{25};

// At most one read and one write run at a time. `mutex_` guards all members below it. It is held during calls of gRPC's
// Start… functions (their callbacks never run inside them), but never during calls of the engine core. gRPC ignores
// exceptions of its callbacks, and the stream would hang, so every callback catches them and ends the stream.
class StreamReactor final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                            public ResultSink,
                            public DrainableStream,
                            public std::enable_shared_from_this<StreamReactor> {
 public:
  StreamReactor(EngineCore& core, StreamRegistry& streams, UnreadAnswers& unread, grpc::CallbackServerContext& context,
                bool checksums)
      : core_(core),
        streams_(streams),
        decoder_(checksums),
        account_(MemoryAccount::Open(core.stream_memory(), EngineCore::kMinimumBytes)),
        send_timer_(unread, context),
        unsent_(*account_) {}

  void Start() {
    self_ = shared_from_this();
    const bool is_open = streams_.Add(self_, kMaxOpenStreams);
    const std::lock_guard lock(mutex_);
    if (!is_open) ending_ = ToGrpcStatus(TooManyStreams());
    draining_ = core_.draining();
    StartSendInitialMetadata();
    Advance();
  }

  void OnReadDone(bool ok) override {
    std::vector<std::shared_ptr<InferJob>> jobs;
    bool is_backlog = false;
    if (ok) {
      const TimePoint received = Clock::now();
      SetTaking(true);
      is_backlog = received - reading_since_ < kBacklog;
      try {
        TakeMessage(received, jobs);
      } catch (const std::exception&) {
        const std::lock_guard lock(mutex_);
        EndForMemory();
      }
    }
    if (jobs.empty()) return EndRead(ok);
    // If the next message has already arrived, another thread may take it, since jobs may keep this one busy. Else the
    // answer is sent first, since a read also writes: it enlarges the peer's window.
    if (is_backlog) EndRead(ok);
    core_.Submit(jobs);  // the pending jobs keep the stream alive
    if (is_backlog) return Flush();
    EndRead(ok);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) Break();
    const std::lock_guard lock(mutex_);
    writing_ = false;
    send_timer_.Stop();
    unsent_.Sent();
    outgoing_.Clear();
    Advance();
  }

  void OnCancel() override { Break(); }

  void OnDone() override {
    send_timer_.Close();
    streams_.Remove(this);
    self_.reset();
  }

  void Complete(const InferJob& job, Expected<engine::v1::Inference> answer) override {
    std::string bytes;
    try {
      InferStreamResponse one;
      InferResult& result = *one.add_results();
      result.set_id(job.request().id);
      if (answer.ok()) {
        *result.mutable_inference() = std::move(answer).value();
      } else {
        *result.mutable_error() = ToInferError(answer.error());
      }
      bytes = one.SerializeAsString();
    } catch (const std::bad_alloc&) {
      // Without this answer the stream is of no use.
    }
    const std::lock_guard lock(mutex_);
    pending_.erase(job.request().id);
    Queue(std::move(bytes));
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
  void EndRead(bool ok) {
    const std::lock_guard lock(mutex_);
    taking_ = false;
    reading_ = false;
    reads_ended_ = reads_ended_ || !ok;
    Advance();
  }

  void SetTaking(bool taking) {
    const std::lock_guard lock(mutex_);
    taking_ = taking;
  }

  // Adds a message's items to the pending ones, and answers refused items. Only the thread with the message calls it,
  // and it may use `incoming_` until the next read.
  void TakeMessage(TimePoint received, std::vector<std::shared_ptr<InferJob>>& jobs) {
    const WholeMessage message(incoming_);
    const auto request = decoder_.Decode(message.bytes());
    if (!message.valid()) return Fail(decoder_.Unreadable());
    if (!request.ok()) return Fail(request.error());
    CancelIds(request.value().cancel_ids);
    const std::vector<ScannedItem>& items = request.value().items;
    jobs.reserve(std::min(items.size(), kMaxItemsPerMessage));
    for (const ScannedItem& scanned : items) {
      MaybeError refusal = scanned.Refusal();
      InferItem item;
      if (!refusal && !item.ParseFromArray(scanned.bytes.data(), static_cast<int>(scanned.bytes.size()))) {
        return Fail(decoder_.Unreadable());
      }
      if (!refusal && items.size() > kMaxItemsPerMessage) refusal = BatchTooLarge(items.size());
      auto job = refusal ? *std::move(refusal) : core_.MakeJob(item, received, *account_, self_);
      const std::lock_guard lock(mutex_);
      if (job.ok() && !pending_.contains(scanned.id)) {
        pending_.emplace(scanned.id, job.value());
        if (broken_) job.value()->Cancel();
        jobs.push_back(std::move(job).value());
        continue;
      }
      const Error error = job.ok() ? DuplicateId(scanned.id) : job.error();
      core_.spans().Refused(item, received, error);
      InferStreamResponse one;
      InferResult& result = *one.add_results();
      result.set_id(scanned.id);
      *result.mutable_error() = ToInferError(error);
      Queue(one.SerializeAsString());
    }
  }

  static Error DuplicateId(std::uint64_t id) {
    return {Code::kInvalidArgument,
            "DUPLICATE_ID",
            "id " + std::to_string(id) + " is still unanswered on this stream; give every input its own id",
            {{"field", "id"}}};
  }

  static Error BatchTooLarge(std::size_t items) {
    return {Code::kInvalidArgument,
            "BATCH_TOO_LARGE",
            "the message has " + std::to_string(items) + " items, above the limit of " +
                std::to_string(kMaxItemsPerMessage) + "; send them in several messages",
            {{"field", "items"}}};
  }

  static Error TooManyStreams() {
    return {Code::kResourceExhausted,
            "ENGINE_FULL",
            "this engine has " + std::to_string(kMaxOpenStreams) +
                " open streams and takes no more; send more inputs over each, or try another engine",
            {{"max_streams", std::to_string(kMaxOpenStreams)}}};
  }

  void CancelIds(const std::vector<std::uint64_t>& ids) {
    if (ids.empty()) return;
    {
      const std::lock_guard lock(mutex_);
      for (const std::uint64_t id : ids) {
        const auto found = pending_.find(id);
        if (found != pending_.end()) found->second->Cancel();
      }
    }
    core_.Sweep();
  }

  // Neither the caller's data nor its handling of answers can be trusted any more.
  void Fail(const Error& error) {
    {
      const std::lock_guard lock(mutex_);
      ending_ = ToGrpcStatus(error);
    }
    Break();
  }

  // The peer is gone, so no answer is needed.
  void Break() {
    {
      const std::lock_guard lock(mutex_);
      BreakNow();
    }
    core_.Sweep();
  }

  // The functions below need mutex_ held.

  // Empty: no memory for the answer, so the stream ends.
  void Queue(std::string answer) {
    if (broken_) return;
    try {
      if (!answer.empty()) return unsent_.Add(std::move(answer));
    } catch (const std::bad_alloc&) {
    }
    EndForMemory();
  }

  // Allocates nothing.
  void EndForMemory() {
    BreakNow();
    ending_ = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "out of memory");
  }

  void BreakNow() {
    broken_ = true;
    unsent_.Clear();
    for (const auto& [id, job] : pending_) job->Cancel();
  }

  // Starts every operation that may start now.
  void Advance() {
    if (finished_) return;
    if (!writing_ && !unsent_.empty()) Write();
    const bool ends = reads_ended_ || broken_ || draining_ || ending_.has_value();
    if (ends && pending_.empty() && unsent_.empty() && !writing_ && !taking_) {
      finished_ = true;
      send_timer_.Start();
      Finish(FinalStatus());
      return;
    }
    if (!ends && !reading_ && unsent_.HasRoom()) {
      reading_ = true;
      reading_since_ = Clock::now();
      StartRead(&incoming_);
    }
  }

  [[nodiscard]] grpc::Status FinalStatus() const {
    if (ending_) return *ending_;
    // A caller that has not closed its side may have sent items that were never read, so the status must show that the
    // answer is not complete.
    if (draining_ && !reads_ended_) return ToGrpcStatus(EngineCore::DrainingError());
    return grpc::Status::OK;
  }

  void Write() {
    try {
      outgoing_ = unsent_.NextMessage();
    } catch (const std::bad_alloc&) {
      return EndForMemory();
    }
    writing_ = true;
    send_timer_.Start();
    StartWrite(&outgoing_);
  }

  EngineCore& core_;
  StreamRegistry& streams_;
  std::shared_ptr<StreamReactor> self_;  // gRPC's reference, until OnDone
  grpc::ByteBuffer incoming_;            // used by gRPC while reading_, else by OnReadDone
  TimePoint reading_since_;              // the same
  RequestDecoder decoder_;               // the same
  const std::shared_ptr<MemoryAccount> account_;
  SendTimer send_timer_;

  std::mutex mutex_;
  UnsentAnswers unsent_;
  grpc::ByteBuffer outgoing_;  // used by gRPC while writing_
  std::unordered_map<std::uint64_t, std::shared_ptr<InferJob>> pending_;
  bool reading_ = false;
  bool writing_ = false;
  bool taking_ = false;       // a message is being handled: the stream must not end meanwhile
  bool reads_ended_ = false;  // the caller closed its side
  bool broken_ = false;       // cancelled, or a write failed
  bool draining_ = false;
  bool finished_ = false;
  std::optional<grpc::Status> ending_;  // set: the stream ends with this
};

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StartStream(EngineCore& core, StreamRegistry& streams,
                                                                         UnreadAnswers& unread,
                                                                         grpc::CallbackServerContext& context) {
  context.AddInitialMetadata(kInstanceIdKey, InstanceId());
  const bool checksums = context.client_metadata().contains(kChecksumsKey);
  const auto reactor = std::make_shared<StreamReactor>(core, streams, unread, context, checksums);
  reactor->Start();
  return reactor.get();
}

}  // namespace tandem
