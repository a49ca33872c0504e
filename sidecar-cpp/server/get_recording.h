// GetRecording: what one of the newest runs did, as the wire has it.
#pragma once

#include <grpcpp/support/status.h>

#include <cstdint>

#include "engine/recording_store.h"
#include "tandem/engine/v1/engine.pb.h"

namespace tandem {

// NOT_FOUND where the store does not have it.
grpc::Status GetRecording(const RecordingStore& store, std::uint64_t id, engine::v1::GetRecordingResponse& to);

}  // namespace tandem
