// Runs a network over a batch of inputs, as proto/NUMERICS.md lays down.
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
  // Where the run begins: a session state that CheckSessionState lets pass. Empty: at step 0.
  std::string_view state = {};
  bool return_state = false;
};

// Of the whole session, where the run began with a state.
struct RunResult {
  std::uint32_t steps = 0;
  std::vector<std::uint32_t> spike_counts;
  std::vector<float> potentials;
  std::uint64_t total_spikes = 0;
  std::uint64_t synaptic_operations = 0;
  std::uint64_t state_digest = 0;
  std::uint64_t readout_digest = 0;
  std::string state;  // where it was asked for
};

class RunRecorder;

// Hears how the items of a batch fare. Called on the simulating thread, between kernels.
class RunObserver {
 public:
  virtual ~RunObserver() = default;

  // Asked about every item that still runs, about once in 0.1 ms (the very largest layers: a few ms). True: the item is
  // abandoned and not mentioned again.
  virtual bool Abandoned(std::size_t item) = 0;

  // The item's result, or its NON_FINITE error.
  virtual void Finished(std::size_t item, Expected<RunResult> result) = 0;
};

// Memory of one simulating thread, kept from run to run. Not thread-safe.
struct Scratch {
  static constexpr std::size_t kMaxKept = std::size_t{1} << 20;

  FloatRow floats;
  FloatRow sums;  // of one convolution of one item

  // After a run. A large one must not keep its memory for good.
  void Trim() {
    for (FloatRow* row : {&floats, &sums}) {
      if (row->capacity() > kMaxKept) FloatRow().swap(*row);
    }
  }
};

// Simulates `steps` steps of all `inputs` together. Every item comes out bit for bit as if it had run alone. At most
// network.max_batch() items. `times`, if given, gets the time of every node; `recorder`, made for this
// batch, what every item did: an item's recording is complete when the observer is told of its end.
void RunBatch(const Network& network, std::uint64_t model_id, std::uint32_t steps, std::span<const RunInput> inputs,
              Scratch& scratch, RunObserver& observer, NodeTimes* times = nullptr, RunRecorder* recorder = nullptr);

}  // namespace tandem
