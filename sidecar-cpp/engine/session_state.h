// The encoded state of a session, with which another run continues on any engine. Format: proto/NUMERICS.md, "Session
// state".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/batch_state.h"
#include "engine/network.h"
#include "engine/simulator.h"

namespace tandem {

// Models with longer states have no session states.
inline constexpr std::size_t kMaxSessionStateBytes = 4'000'000;
// Maximum steps of a session, so that a spike count fits 32 bits.
inline constexpr std::uint32_t kMaxSessionSteps = 4'294'967'295;
inline constexpr std::uint32_t kMaxSessionStepsOfMultiple = 1'048'576;

// The fields of a checked state, apart from the numbers of each element.
struct SessionTotals {
  explicit SessionTotals(std::string_view state);

  std::uint32_t steps;
  std::uint64_t total_spikes;
  std::uint64_t synaptic_operations;
  std::uint64_t input_digest;  // for a constant input; 0 for a series
};

// Length of every state of the model.
std::size_t SessionStateBytes(const Network& network);

// Checks whether a run of `new_steps` steps may begin with `state`, which may be any bytes. Errors: STATE_INVALID,
// STATE_MODEL, INPUT_STEPS.
MaybeError CheckSessionState(const Network& network, std::uint64_t model_id, std::string_view state,
                             std::uint32_t new_steps);

// Loads `state`, which must have been checked, into an item of a batch that begins its run.
void RestoreSessionState(const Network& network, std::string_view state, BatchState& to, std::size_t item);

// The state of an item at the end of its run. `sums`: the readout's sums if it has any, else empty.
std::string SaveSessionState(const Network& network, std::uint64_t model_id, const RunResult& result,
                             const BatchState& state, std::size_t item, std::uint32_t new_steps,
                             std::uint64_t input_digest, std::span<const float> sums);

}  // namespace tandem
