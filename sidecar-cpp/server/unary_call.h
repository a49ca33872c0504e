// The common part of all unary calls. Their messages are bytes, so that they are scanned before they are parsed. The
// bytes of an answer count as memory of the engine until the caller has read them.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "scheduling/memory_budget.h"
#include "server/incoming_call.h"
#include "server/request_scan.h"
#include "server/whole_message.h"

namespace tandem {

grpc::ByteBuffer ToBytes(const google::protobuf::MessageLite& message);

// Scans a request with `check`, then parses it; `bytes` is empty afterwards.
template <typename Request>
Expected<Request> ParseUnary(grpc::ByteBuffer& bytes, MaybeError (*check)(std::string_view) = CheckUnaryRequest) {
  const WholeMessage message(bytes);
  if (auto error = check(message.bytes())) return *std::move(error);
  Request request;
  const std::string_view whole = message.bytes();
  if (request.ParseFromArray(whole.data(), static_cast<int>(whole.size()))) return request;
  return MalformedMessage();
}

class UnaryCall : public grpc::ServerUnaryReactor {
 public:
  explicit UnaryCall(const IncomingCall& call)
      : core_(call.core),
        account_(call.core.UnaryAccount(call.context.peer())),
        send_timer_(call.unread, call.context),
        response_(call.response) {}

  void OnDone() final {
    send_timer_.Close();
    Release();
  }

  // OnDone and OnCancel run on the thread that detects the end of the call. Otherwise gRPC would wake another thread
  // for each, which costs more than they do. gRPC calls both without a lock, and they are short.
  bool InternalInlineable() final { return true; }

 protected:
  [[nodiscard]] EngineCore& core() { return core_; }
  [[nodiscard]] MemoryAccount& account() { return *account_; }

  // gRPC has finished with the call, and releases its reference.
  virtual void Release() = 0;

  // Ends the call. The caller must read the answer in time.
  void Finish(const grpc::Status& status) {
    send_timer_.Start();
    ServerUnaryReactor::Finish(status);
  }

  // Ends the call with OK.
  void Answer(const google::protobuf::MessageLite& message) { Answer(ToBytes(message)); }
  void Answer(grpc::ByteBuffer message) {
    response_ = std::move(message);
    memory_ = account_->Force(response_.Length());
    Finish(grpc::Status::OK);
  }

  // Runs a part of the call, and ends the call if there is no memory: gRPC ignores exceptions of its callbacks.
  template <typename Do>
  void FinishOnBadAlloc(Do&& part) {
    try {
      part();
    } catch (const std::bad_alloc&) {
      Finish(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "out of memory"));
    }
  }

 private:
  EngineCore& core_;
  const std::shared_ptr<MemoryAccount> account_;
  MemoryHold memory_;
  SendTimer send_timer_;
  grpc::ByteBuffer& response_;
};

}  // namespace tandem
