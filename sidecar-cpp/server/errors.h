// Our errors as the wire has them.
#pragma once

#include <grpcpp/support/status.h>

#include "base/status.h"
#include "tandem/engine/v1/engine.pb.h"

namespace tandem {

// A status whose details hold google.rpc.ErrorInfo (domain "tandem") and, where the error blames a field,
// google.rpc.BadRequest.
grpc::Status ToGrpcStatus(const Error& error);

engine::v1::InferError ToInferError(const Error& error);

}  // namespace tandem
