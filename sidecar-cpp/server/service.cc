#include "server/service.h"

#include <string>

#include "server/get_recording.h"
#include "server/infer_stream.h"
#include "server/infer_unary.h"
#include "server/instance_id.h"
#include "server/message_checksum.h"
#include "server/trace_unary.h"

namespace tandem {

namespace {

// gRPC owns a call's request as long as the call, and shows it as one that must not be changed; but its memory is given
// back as soon as it was read.
grpc::ByteBuffer& Owned(const grpc::ByteBuffer* request) { return const_cast<grpc::ByteBuffer&>(*request); }

}  // namespace

grpc::ServerUnaryReactor* EngineServiceImpl::Describe(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  Owned(request).Clear();  // there is nothing in it to be read
  engine::v1::DescribeResponse description;
  core_.Describe(description);
  description.set_instance_id(InstanceId());
  description.set_max_message_bytes(max_message_bytes_);
  description.set_checksums(true);
  const std::string bytes = description.SerializeAsString();
  *response = WithChecksum({&bytes, 1}, 0);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerUnaryReactor* EngineServiceImpl::Infer(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return StartUnary(core_, *context, Owned(request), *response);
}

grpc::ServerUnaryReactor* EngineServiceImpl::Trace(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return StartTrace(core_, *context, Owned(request), *response);
}

grpc::ServerUnaryReactor* EngineServiceImpl::GetRecording(grpc::CallbackServerContext*, const grpc::ByteBuffer* request,
                                                          grpc::ByteBuffer* response) {
  return StartGetRecording(core_, Owned(request), *response);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* EngineServiceImpl::InferStream(
    grpc::CallbackServerContext* context) {
  return StartStream(core_, streams_, *context);
}

}  // namespace tandem
