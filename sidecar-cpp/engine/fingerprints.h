// The digests by which runs are compared; proto/NUMERICS.md defines what each covers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/batch_state.h"
#include "engine/network.h"
#include "engine/simulator.h"

namespace tandem {

// `readout_digest`, of the other fields of `result`.
std::uint64_t ReadoutDigest(const RunResult& result);

// `state_digest`, of the readout in `result` and of the item's state at the end of its run, which had `new_steps`
// steps.
std::uint64_t StateDigest(const Network& network, std::uint64_t model_id, const RunResult& result,
                          const BatchState& state, std::size_t item, std::uint32_t new_steps);

// The trace digest of one node, after a step.
std::uint64_t TraceDigest(const NetworkNode& node, const NodeState& state, std::size_t item);

}  // namespace tandem
