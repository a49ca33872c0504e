// The deadline of a unary call, which applies in addition to its item's `timeout_us`.
#pragma once

#include <grpcpp/server_context.h>

#include "base/clock.h"
#include "tandem/engine/v1/engine.pb.h"

namespace tandem {

// Shortens the item's timeout, counted from `received`, to the call's deadline.
void LimitToDeadline(const grpc::CallbackServerContext& context, TimePoint received, engine::v1::InferItem& item);

}  // namespace tandem
