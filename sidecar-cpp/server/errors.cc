#include "server/errors.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace tandem {

grpc::Status ToGrpcStatus(const Error& error) {
  google::rpc::Status status;
  status.set_code(static_cast<int>(error.code));
  status.set_message(error.message);
  google::rpc::ErrorInfo info;
  info.set_reason(error.reason);
  info.set_domain("tandem");
  info.mutable_metadata()->insert(error.metadata.begin(), error.metadata.end());
  status.add_details()->PackFrom(info);
  const auto field = error.metadata.find("field");
  if (field != error.metadata.end()) {
    google::rpc::BadRequest bad_request;
    auto* violation = bad_request.add_field_violations();
    violation->set_field("item." + field->second);
    violation->set_description(error.message);
    status.add_details()->PackFrom(bad_request);
  }
  return {static_cast<grpc::StatusCode>(error.code), error.message, status.SerializeAsString()};
}

engine::v1::InferError ToInferError(const Error& error) {
  engine::v1::InferError to;
  to.set_code(static_cast<int>(error.code));
  to.set_reason(error.reason);
  to.set_message(error.message);
  to.mutable_metadata()->insert(error.metadata.begin(), error.metadata.end());
  to.set_recording_id(error.recording_id);
  return to;
}

}  // namespace tandem
