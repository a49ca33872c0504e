#include "server/service.h"

#include "server/get_recording.h"
#include "server/infer_stream.h"
#include "server/infer_unary.h"
#include "server/trace_unary.h"

namespace tandem {

grpc::ServerUnaryReactor* EngineServiceImpl::Describe(grpc::CallbackServerContext* context,
                                                      const engine::v1::DescribeRequest*,
                                                      engine::v1::DescribeResponse* response) {
  core_.Describe(*response);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerUnaryReactor* EngineServiceImpl::Infer(grpc::CallbackServerContext* context,
                                                   const engine::v1::InferRequest* request,
                                                   engine::v1::InferResponse* response) {
  return StartUnary(core_, *context, *request, *response);
}

grpc::ServerUnaryReactor* EngineServiceImpl::Trace(grpc::CallbackServerContext* context,
                                                   const engine::v1::TraceRequest* request,
                                                   engine::v1::TraceResponse* response) {
  return StartTrace(core_, *context, *request, *response);
}

grpc::ServerUnaryReactor* EngineServiceImpl::GetRecording(grpc::CallbackServerContext* context,
                                                          const engine::v1::GetRecordingRequest* request,
                                                          engine::v1::GetRecordingResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(tandem::GetRecording(core_.recordings(), request->recording_id(), *response));
  return reactor;
}

grpc::ServerBidiReactor<engine::v1::InferStreamRequest, engine::v1::InferStreamResponse>*
EngineServiceImpl::InferStream(grpc::CallbackServerContext*) {
  return StartStream(core_, streams_);
}

}  // namespace tandem
