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
#include "server/request_scan.h"
#include "server/whole_message.h"

namespace tandem {

grpc::ByteBuffer ToBytes(const google::protobuf::MessageLite& message);

// A request, looked through, then parsed; `bytes` is empty afterwards.
template <typename Request>
Expected<Request> ParseUnary(grpc::ByteBuffer& bytes) {
  const WholeMessage message(bytes);
  if (auto error = CheckUnaryRequest(message.bytes())) return *std::move(error);
  Request request;
  const std::string_view whole = message.bytes();
  if (request.ParseFromArray(whole.data(), static_cast<int>(whole.size()))) return request;
  return MalformedMessage();
}

class UnaryCall : public grpc::ServerUnaryReactor {
 protected:
  UnaryCall(MemoryBudget& budget, grpc::ByteBuffer& response)
      : account_(MemoryAccount::Open(budget)), response_(response) {}

  [[nodiscard]] MemoryAccount& account() { return *account_; }

  // Ends the call well.
  void Answer(const google::protobuf::MessageLite& message) {
    response_ = ToBytes(message);
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
  const std::shared_ptr<MemoryAccount> account_;
  MemoryHold memory_;
  grpc::ByteBuffer& response_;
};

}  // namespace tandem
