// A session's state as bytes: where one run has ended and the next begins, on any engine. proto/NUMERICS.md, "Session
// state", says what they are.
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

// A model whose states are longer has none.
inline constexpr std::size_t kMaxSessionStateBytes = 4'000'000;
// Steps of a session: 32 bits hold a spike count of as many.
inline constexpr std::uint32_t kMaxSessionSteps = 4'294'967'295;
inline constexpr std::uint32_t kMaxSessionStepsOfMultiple = 1'048'576;

// What a state says beside the numbers of each element. Of a checked state.
struct SessionTotals {
  explicit SessionTotals(std::string_view state);

  std::uint32_t steps;
  std::uint64_t total_spikes;
  std::uint64_t synaptic_operations;
  std::uint64_t input_digest;  // of a constant input; 0: of a series
};

// Length of each of the model's states.
std::size_t SessionStateBytes(const Network& network);

// Whether a run of `new_steps` steps may begin with `state`, which may be any bytes. Errors: STATE_INVALID,
// STATE_MODEL, INPUT_STEPS.
MaybeError CheckSessionState(const Network& network, std::uint64_t model_id, std::string_view state,
                             std::uint32_t new_steps);

// Gives the item of a batch that begins its run what `state` holds. It must have been checked.
void RestoreSessionState(const Network& network, std::string_view state, BatchState& to, std::size_t item);

// The state of an item at the end of its run. `sums`: the readout's sums where it has some, else empty.
std::string SaveSessionState(const Network& network, std::uint64_t model_id, const RunResult& result,
                             const BatchState& state, std::size_t item, std::uint32_t new_steps,
                             std::uint64_t input_digest, std::span<const float> sums);

}  // namespace tandem
