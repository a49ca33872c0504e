#include "engine/layers.h"

#include <algorithm>
#include <utility>

#include "engine/run.h"

namespace tandem {

std::vector<std::uint32_t> SpikingNodes(const Network& network) {
  std::vector<std::uint32_t> spiking;
  for (std::uint32_t k = 0; k < network.nodes.size(); ++k) {
    if (IsSpikingNeuron(network.nodes[k].type)) spiking.push_back(k);
  }
  return spiking;
}

bool ReadsSpikes(ReadoutFrom from) { return from == ReadoutFrom::kSpikeCount || from == ReadoutFrom::kFirstSpike; }

std::size_t RecordedNumbers(const Network& network, std::uint32_t steps, Detail detail) {
  if (detail == Detail::kSummary) return 0;
  if (detail == Detail::kReadout) return std::size_t{steps} * network.output_size();
  std::size_t layers = 0;
  std::size_t neurons = 0;
  for (const std::uint32_t k : SpikingNodes(network)) {
    ++layers;
    neurons += network.nodes[k].out;
  }
  const bool multiple = std::ranges::any_of(network.nodes, [](const NetworkNode& node) { return node.rule.multiple; });
  const std::size_t at_most = multiple ? kMaxRasterEvents : std::min(kMaxRasterEvents, neurons * steps);
  const std::size_t events = detail == Detail::kRaster ? at_most : 0;
  return layers * steps + 2 * events;
}

LayerRecorder::LayerRecorder(const Network& network, std::size_t items, std::uint32_t steps, Detail detail)
    : network_(network), detail_(detail), items_(items) {
  if (detail == Detail::kReadout) {
    for (Item& item : items_) item.readout.reserve(RecordedNumbers(network, steps, detail));
    return;
  }
  const auto spiking = SpikingNodes(network);
  for (Item& item : items_) {
    for (const std::uint32_t k : spiking) {
      LayerActivity& layer = item.layers.emplace_back();
      layer.node = k;
      layer.spikes_per_step.reserve(steps);
    }
  }
}

void LayerRecorder::Record(const BatchState& state, std::size_t item, std::uint32_t step) {
  Item& of = items_[item];
  if (detail_ == Detail::kReadout) {
    const NodeState& readout = state.nodes[network_.readout];
    const bool is_potential = readout.potential.base != nullptr && !ReadsSpikes(network_.readout_from);
    const float* const row = is_potential ? readout.potential[item] : readout.out[item];
    of.readout.insert(of.readout.end(), row, row + network_.output_size());
  }
  for (LayerActivity& layer : of.layers) {
    const std::span<const float> out(state.nodes[layer.node].out[item], network_.nodes[layer.node].out);
    std::uint32_t spikes = 0;
    for (const float spike : out) spikes += static_cast<std::uint32_t>(spike);
    layer.spikes += spikes;
    layer.spikes_per_step.push_back(spikes);
    if (detail_ != Detail::kRaster) continue;
    std::uint32_t left = spikes;
    for (std::uint32_t neuron = 0; left > 0 && of.events < kMaxRasterEvents; ++neuron) {
      for (auto n = static_cast<std::uint32_t>(out[neuron]); n > 0 && of.events < kMaxRasterEvents; --n) {
        layer.event_steps.push_back(step);
        layer.event_neurons.push_back(neuron);
        ++of.events;
        --left;
      }
    }
    layer.events_left_out += left;
  }
}

std::vector<float> LayerRecorder::TakeReadout(std::size_t item) { return std::exchange(items_[item].readout, {}); }

std::vector<LayerActivity> LayerRecorder::Take(std::size_t item) { return std::exchange(items_[item].layers, {}); }

void RunBatchRecorded(const Network& network, std::uint64_t model_id, std::uint32_t steps,
                      std::span<const RunInput> inputs, Scratch& scratch, RunObserver& observer,
                      LayerRecorder& recorder, RunRecorder* run_recorder) {
  Run run(network, model_id, steps, inputs, scratch, observer, StepByStep(inputs.size()));
  if (run_recorder != nullptr) run.Record(*run_recorder);
  for (std::uint32_t step = 0; step < steps && run.running() > 0; ++step) {
    run.Step();
    for (std::size_t item = 0; item < inputs.size(); ++item) {
      if (run.running(item)) recorder.Record(run.state(), item, step);
    }
  }
  run.ToTheEnd();
}

}  // namespace tandem
