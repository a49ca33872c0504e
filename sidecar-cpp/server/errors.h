// Converts our errors to gRPC's.
#pragma once

#include <grpcpp/support/status.h>

#include "base/status.h"
#include "tandem/engine/v1/engine.pb.h"

namespace tandem {

// A status with the details google.rpc.ErrorInfo (domain "tandem") and, if the error names a field,
// google.rpc.BadRequest.
grpc::Status ToGrpcStatus(const Error& error);

engine::v1::InferError ToInferError(const Error& error);

}  // namespace tandem
