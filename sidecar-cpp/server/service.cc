#include "server/service.h"

#include "server/get_recording.h"
#include "server/infer_stream.h"
#include "server/infer_unary.h"
#include "server/instance_id.h"
#include "server/message_checksum.h"
#include "server/trace_unary.h"

namespace tandem {

grpc::ServerUnaryReactor* EngineServiceImpl::Describe(grpc::CallbackServerContext* context,
                                                      const engine::v1::DescribeRequest*,
                                                      engine::v1::DescribeResponse* response) {
  core_.Describe(*response);
  response->set_instance_id(InstanceId());
  response->set_max_message_bytes(max_message_bytes_);
  response->set_checksums(true);
  response->set_checksum(ChecksumOf(*response, 0));
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

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* EngineServiceImpl::InferStream(
    grpc::CallbackServerContext* context) {
  return StartStream(core_, streams_, *context);
}

}  // namespace tandem
