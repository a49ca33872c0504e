// The activity of the layers of spiking neurons, or of the readout node, step by step, for people who watch a network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/batch_state.h"
#include "engine/network.h"
#include "engine/simulator.h"

namespace tandem {

// The detail of a run beside its result. kRaster includes kLayers; kReadout has the readout node alone.
enum class Detail { kSummary, kLayers, kRaster, kReadout };

// Limit on steps × layers, or steps × outputs, of a recorded run.
inline constexpr std::size_t kMaxLayerCounts = 250'000;
// Maximum listed spikes of a run.
inline constexpr std::size_t kMaxRasterEvents = 100'000;

struct LayerActivity {
  std::uint32_t node = 0;  // index into Network::nodes
  std::uint64_t spikes = 0;
  std::vector<std::uint32_t> spikes_per_step;
  // kRaster: the first events of the run, in the order of steps, then of neurons.
  std::vector<std::uint32_t> event_steps;
  std::vector<std::uint32_t> event_neurons;
  std::uint64_t events_left_out = 0;
};

// Nodes of spiking neurons, in the order of evaluation: indices into Network::nodes.
std::vector<std::uint32_t> SpikingNodes(const Network& network);

// Returns true if the readout uses spikes, not potentials.
bool ReadsSpikes(ReadoutFrom from);

// Maximum recorded numbers of a run.
std::size_t RecordedNumbers(const Network& network, std::uint32_t steps, Detail detail);

// Records the activity of every item of one batch. Not thread-safe.
class LayerRecorder {
 public:
  LayerRecorder(const Network& network, std::size_t items, std::uint32_t steps, Detail detail);

  // Records the last step of an item that still runs.
  void Record(const BatchState& state, std::size_t item, std::uint32_t step);

  // Returns and removes the recording of `item`. The layers are in the order of evaluation.
  std::vector<LayerActivity> Take(std::size_t item);
  // kReadout: returns and removes [steps, outputs].
  std::vector<float> TakeReadout(std::size_t item);

 private:
  struct Item {
    std::vector<LayerActivity> layers;
    std::size_t events = 0;
    std::vector<float> readout;
  };

  const Network& network_;
  const Detail detail_;
  std::vector<Item> items_;
};

// RunBatch with a `recorder` that was made for this batch: an item's layers are complete when the observer gets its
// result. The results have exactly the same bits as without it.
void RunBatchRecorded(const Network& network, std::uint64_t model_id, std::uint32_t steps,
                      std::span<const RunInput> inputs, Scratch& scratch, RunObserver& observer,
                      LayerRecorder& recorder, RunRecorder* run_recorder = nullptr);

}  // namespace tandem
