// tandem.engine.v1.EngineService over an EngineCore: only translates. Callback API: no thread waits for a call.
#pragma once

#include "server/engine_core.h"
#include "server/stream_registry.h"
#include "tandem/engine/v1/engine.grpc.pb.h"

namespace tandem {

class EngineServiceImpl final : public engine::v1::EngineService::CallbackService {
 public:
  // Both must outlive the server that serves this.
  EngineServiceImpl(EngineCore& core, StreamRegistry& streams) : core_(core), streams_(streams) {}

  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context, const engine::v1::DescribeRequest* request,
                                     engine::v1::DescribeResponse* response) override;
  grpc::ServerUnaryReactor* Infer(grpc::CallbackServerContext* context, const engine::v1::InferRequest* request,
                                  engine::v1::InferResponse* response) override;
  grpc::ServerUnaryReactor* Trace(grpc::CallbackServerContext* context, const engine::v1::TraceRequest* request,
                                  engine::v1::TraceResponse* response) override;
  grpc::ServerUnaryReactor* GetRecording(grpc::CallbackServerContext* context,
                                         const engine::v1::GetRecordingRequest* request,
                                         engine::v1::GetRecordingResponse* response) override;
  grpc::ServerBidiReactor<engine::v1::InferStreamRequest, engine::v1::InferStreamResponse>* InferStream(
      grpc::CallbackServerContext* context) override;

 private:
  EngineCore& core_;
  StreamRegistry& streams_;
};

}  // namespace tandem
