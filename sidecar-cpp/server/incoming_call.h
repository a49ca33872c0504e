// A unary call and the objects that serve it. All of them must outlive the call.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include "server/engine_core.h"
#include "server/unread_answers.h"

namespace tandem {

struct IncomingCall {
  EngineCore& core;
  UnreadAnswers& unread;
  grpc::CallbackServerContext& context;
  grpc::ByteBuffer& request;  // empty once it was parsed
  grpc::ByteBuffer& response;
};

}  // namespace tandem
