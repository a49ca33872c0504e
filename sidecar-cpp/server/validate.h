// Checks an InferItem before it may wait in the queue.
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "engine/repository.h"
#include "server/job.h"
#include "tandem/engine/v1/engine.pb.h"

namespace tandem {

// Finds the model and checks shape, length, values and state; moves data and state out of `item`. Errors are those of
// InferError: UNKNOWN_MODEL, MODEL_INVALID, INPUT_KIND, INPUT_STEPS, INPUT_LENGTH, INPUT_NOT_FINITE, INVALID_FIELD (the
// detail), DETAIL_TOO_LARGE, STATE_INVALID, STATE_MODEL, STATE_TOO_LARGE.
Expected<Job::Request> ValidateItem(engine::v1::InferItem& item, const Repository& repository, TimePoint received);

}  // namespace tandem
