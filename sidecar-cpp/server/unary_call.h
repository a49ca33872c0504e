// What all unary calls share: their messages are bytes, so that nothing is parsed before it was looked at, and the
// bytes of an answer count in the engine's memory until the caller has read them.
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

// A request, looked through by `check`, then parsed; `bytes` is empty afterwards.
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

  // OnDone and OnCancel run on the thread that finds the call to have ended. gRPC would else wake another thread for
  // each, which costs more than they do. It calls both without a lock held, and they take no time.
  bool InternalInlineable() final { return true; }

 protected:
  [[nodiscard]] EngineCore& core() { return core_; }
  [[nodiscard]] MemoryAccount& account() { return *account_; }

  // gRPC is done with the call, and gives up its hold on this.
  virtual void Release() = 0;

  // Ends the call. The caller must read the answer in time.
  void Finish(const grpc::Status& status) {
    send_timer_.Start();
    ServerUnaryReactor::Finish(status);
  }

  // Ends the call well.
  void Answer(const google::protobuf::MessageLite& message) { Answer(ToBytes(message)); }
  void Answer(grpc::ByteBuffer message) {
    response_ = std::move(message);
    memory_ = account_->Force(response_.Length());
    Finish(grpc::Status::OK);
  }

  // Runs a part of the call, and ends it where there is no memory for that: gRPC drops what its callbacks throw.
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
