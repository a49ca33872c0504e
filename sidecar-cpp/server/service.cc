#include "server/service.h"

#include "server/describe_unary.h"
#include "server/get_recording.h"
#include "server/infer_stream.h"
#include "server/infer_unary.h"
#include "server/load_model.h"
#include "server/trace_unary.h"

namespace tandem {

grpc::ServerUnaryReactor* EngineServiceImpl::Describe(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return StartDescribe(Incoming(context, request, response), max_message_bytes_);
}

grpc::ServerUnaryReactor* EngineServiceImpl::Infer(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return StartUnary(Incoming(context, request, response));
}

grpc::ServerUnaryReactor* EngineServiceImpl::Trace(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return StartTrace(Incoming(context, request, response));
}

grpc::ServerUnaryReactor* EngineServiceImpl::GetRecording(grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return StartGetRecording(Incoming(context, request, response));
}

grpc::ServerUnaryReactor* EngineServiceImpl::LoadModel(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return StartLoadModel(Incoming(context, request, response), on_models_);
}

grpc::ServerUnaryReactor* EngineServiceImpl::UnloadModel(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return StartUnloadModel(Incoming(context, request, response), on_models_);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* EngineServiceImpl::InferStream(
    grpc::CallbackServerContext* context) {
  return StartStream(core_, streams_, unread_, *context);
}

}  // namespace tandem
