// tandem.engine.v1.EngineService over an EngineCore: only converts messages. It uses the callback API, so no thread
// waits for a call.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "server/engine_core.h"
#include "server/incoming_call.h"
#include "server/stream_registry.h"
#include "server/unread_answers.h"
#include "tandem/engine/v1/engine.grpc.pb.h"

namespace tandem {

// All messages are bytes: they are scanned before they are parsed.
using EngineServiceBase = engine::v1::EngineService::WithRawCallbackMethod_InferStream<
    engine::v1::EngineService::WithRawCallbackMethod_Describe<
        engine::v1::EngineService::WithRawCallbackMethod_Infer<engine::v1::EngineService::WithRawCallbackMethod_Trace<
            engine::v1::EngineService::WithRawCallbackMethod_GetRecording<
                engine::v1::EngineService::WithRawCallbackMethod_LoadModel<
                    engine::v1::EngineService::WithRawCallbackMethod_UnloadModel<
                        engine::v1::EngineService::Service>>>>>>>;

class EngineServiceImpl final : public EngineServiceBase {
 public:
  // All arguments must outlive the server of this service. The server accepts messages of at most `max_message_bytes`.
  // `on_models` is called after a change of the models, on any thread.
  EngineServiceImpl(EngineCore& core, StreamRegistry& streams, UnreadAnswers& unread, std::uint64_t max_message_bytes,
                    std::function<void()> on_models)
      : core_(core),
        streams_(streams),
        unread_(unread),
        max_message_bytes_(max_message_bytes),
        on_models_(std::move(on_models)) {}

  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Infer(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Trace(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetRecording(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* LoadModel(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* UnloadModel(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* InferStream(
      grpc::CallbackServerContext* context) override;

 private:
  // gRPC owns a call's request until the call ends, and passes it as const. Its memory is still freed as soon as it has
  // been read.
  [[nodiscard]] IncomingCall Incoming(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) {
    return {core_, unread_, *context, const_cast<grpc::ByteBuffer&>(*request), *response};
  }

  EngineCore& core_;
  StreamRegistry& streams_;
  UnreadAnswers& unread_;
  const std::uint64_t max_message_bytes_;
  const std::function<void()> on_models_;
};

}  // namespace tandem
