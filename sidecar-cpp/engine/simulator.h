// Runs a network on a batch of inputs, by proto/NUMERICS.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/network.h"
#include "engine/node_times.h"
#include "kernels/padded.h"

namespace tandem {

// One input of a batch.
struct RunInput {
  // Little-endian binary32, all finite: input_size floats for a constant input, `steps` × input_size for a series.
  std::span<const char> values;
  // The initial state of the run: a session state that passes CheckSessionState. Empty: step 0.
  std::string_view state = {};
  bool return_state = false;
};

// If the run began with a state, the values are of the whole session.
struct RunResult {
  std::uint32_t steps = 0;
  std::vector<std::uint32_t> spike_counts;
  std::vector<float> potentials;
  std::uint64_t total_spikes = 0;
  std::uint64_t synaptic_operations = 0;
  std::uint64_t state_digest = 0;
  std::uint64_t readout_digest = 0;
  std::string state;  // if requested
};

class RunRecorder;

// Gets the results of the items of a batch. Called on the simulating thread, between kernels.
class RunObserver {
 public:
  virtual ~RunObserver() = default;

  // Called for every running item, about once in 0.1 ms (a few ms for the largest layers). If it returns true, the item
  // is abandoned and not reported again.
  virtual bool Abandoned(std::size_t item) = 0;

  // The item's result, or its NON_FINITE error.
  virtual void Finished(std::size_t item, Expected<RunResult> result) = 0;
};

// Memory of one simulating thread, reused in every run. Not thread-safe.
struct Scratch {
  static constexpr std::size_t kMaxKept = std::size_t{1} << 20;

  FloatRow floats;
  FloatRow sums;  // for one convolution of one item

  // Call this after a run. The memory of a large run must not be kept for ever.
  void Trim() {
    for (FloatRow* row : {&floats, &sums}) {
      if (row->capacity() > kMaxKept) FloatRow().swap(*row);
    }
  }
};

// Simulates `steps` steps of all `inputs` together. The results are exactly the same as if each item had run alone. At
// most network.max_batch() items. `times`, if given, gets the time of every node. `recorder`, if given and made for
// this batch, gets the recording of every item, which is complete when the observer gets the item's end.
void RunBatch(const Network& network, std::uint64_t model_id, std::uint32_t steps, std::span<const RunInput> inputs,
              Scratch& scratch, RunObserver& observer, NodeTimes* times = nullptr, RunRecorder* recorder = nullptr);

}  // namespace tandem
