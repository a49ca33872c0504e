// What the layers of spiking neurons, or the readout node, do in a run, step by step: for people who look at a network at
// work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/batch_state.h"
#include "engine/network.h"
#include "engine/simulator.h"

namespace tandem {

// How much of a run is told beside its result. kRaster tells what kLayers does; kReadout tells of the readout node alone.
enum class Detail { kSummary, kLayers, kRaster, kReadout };

// A run with more steps × layers, or steps × outputs, is not recorded.
inline constexpr std::size_t kMaxLayerCounts = 250'000;
// Spikes that one run lists at most.
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

// Whether the readout is made of spikes, and not of potentials.
bool ReadsSpikes(ReadoutFrom from);

// Numbers that are recorded of one run, at most.
std::size_t RecordedNumbers(const Network& network, std::uint32_t steps, Detail detail);

// Keeps what every item of one batch does. Not thread-safe.
class LayerRecorder {
 public:
  LayerRecorder(const Network& network, std::size_t items, std::uint32_t steps, Detail detail);

  // Of the step that has just ended, for an item that still runs.
  void Record(const BatchState& state, std::size_t item, std::uint32_t step);

  // What was recorded of `item`; nothing is left of it. The layers are in the order of evaluation.
  std::vector<LayerActivity> Take(std::size_t item);
  // kReadout: [steps, outputs]; nothing is left of it.
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

// As RunBatch, with `recorder`, which was made for this batch: an item's layers are complete when the observer is told
// of its result. All bits of the results are those of RunBatch.
void RunBatchRecorded(const Network& network, std::uint64_t model_id, std::uint32_t steps,
                      std::span<const RunInput> inputs, Scratch& scratch, RunObserver& observer,
                      LayerRecorder& recorder, RunRecorder* run_recorder = nullptr);

}  // namespace tandem
