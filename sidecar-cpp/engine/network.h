// A model ready to run: nodes in order of evaluation, parameters padded and laid out for the kernels, constants
// computed. Immutable once compiled; shared by all threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/window.h"
#include "engine/manifest.h"
#include "kernels/conv.h"
#include "kernels/neuron.h"
#include "kernels/padded.h"
#include "kernels/pool.h"
#include "kernels/weights.h"
#include "nir/graph.h"
#include "nir/order.h"

namespace tandem {

// The data of one node for each step. `sources[k].node` is an index into Network::nodes. Rows are padded.
struct NetworkNode {
  std::string name;
  NodeType type = NodeType::kInput;
  std::uint32_t in = 0;
  std::uint32_t out = 0;
  std::vector<Source> sources;
  bool constant = false;                  // evaluated once, at step 0
  bool feeds_delayed = false;             // a delayed edge leaves it, so its last output is state
  bool reads_itself = false;              // its only source is itself: the input row must not be the output row
  bool only_lists = false;                // no node reads its rows of output: lists of its spikes, if anything
  std::optional<std::uint32_t> recorded;  // index into Network::recorded

  std::optional<std::uint32_t> input_offset;  // for a root Input: the index of its first value in a step

  std::optional<Weights> weights;
  FloatRow start;  // Linear, Affine: initial values of the sums; Conv: the bias, one for each output channel
  bool starts_at_minus_zero = false;
  FloatRow scale;                     // Scale: scale; IF, I: g
  FloatRow a, v_leak, r;              // membrane
  FloatRow b, w_in;                   // synapse
  FloatRow threshold;                 // Threshold and spiking neurons
  FloatRow reset;                     // empty: subtract the threshold
  FloatRow v_start;                   // potentials before a run's first step; empty: 0
  FloatRow v_min;                     // lower limit of potentials at the end of a step; empty: none
  std::optional<Window> window;       // Conv, pool
  std::optional<PoolTargets> pool;    // pool
  std::optional<ConvWeights> conv;    // Conv
  std::vector<std::uint32_t> delays;  // Delay: steps of each element
  std::uint32_t delay_rows = 0;       // the largest of them
  FireRule rule;
  InputGain lif_gain = InputGain::kDt;
  InputGain synapse_gain = InputGain::kDt;
};

// Returns true if a node's spikes are also lists (kernels/lif_steps.h).
inline bool ListsSpikes(const NetworkNode& node) {
  return node.type == NodeType::kLif && node.rule.IsDefault() && node.lif_gain == InputGain::kDt && node.v_min.empty();
}

// A node whose spikes and state a recording keeps (proto/NUMERICS.md, "Recording").
struct RecordedNode {
  std::uint32_t node = 0;  // index into Network::nodes
  std::uint32_t elements = 0;
  std::uint32_t spike_bytes = 0;  // bytes per step; 0: it does not spike
  std::size_t at = 0;             // byte of a step's recording
};

struct Network {
  std::vector<NetworkNode> nodes;        // in order of evaluation
  std::vector<std::uint32_t> canonical;  // indices into `nodes`, in canonical order of names
  std::vector<std::uint32_t> inputs;     // indices into `nodes`, in canonical order
  std::uint32_t readout = 0;             // index into `nodes`
  std::string readout_name;              // from the manifest; by default the first Output's name
  InputKind input_kind = InputKind::kConstant;
  ReadoutFrom readout_from = ReadoutFrom::kSpikeCount;
  bool multiple_spikes = false;  // a neuron may fire several spikes in a step
  std::uint32_t steps = 0;       // of a constant input
  std::size_t item_floats = 0;   // scratch memory of one item in a batch
  std::size_t row_floats = 0;    // part of it for every further step of a block
  std::size_t widest = 0;        // input of a node, padded
  bool sums_sources = false;     // a node has several sources, or is its own
  bool has_delayed_edge = false;
  std::vector<RecordedNode> recorded;  // in order of evaluation
  std::size_t recorded_bytes = 0;      // a step
  std::uint32_t graph_nodes = 0;       // after flattening, evaluated or not
  std::uint64_t parameter_elements = 0;

  // The size of all Inputs together.
  [[nodiscard]] std::uint32_t input_size() const {
    return nodes[inputs.back()].out + *nodes[inputs.back()].input_offset;
  }
  [[nodiscard]] std::uint32_t output_size() const { return nodes[readout].out; }
  // Number of items that may be simulated together within kMaxScratchFloats; at least 1.
  [[nodiscard]] std::size_t max_batch() const;
};

// Limit on the elements of all evaluated nodes together. It bounds the memory of parameters and state, which could
// otherwise be very large for a small file with scalar parameters.
inline constexpr std::size_t kMaxStateElements = std::size_t{16} << 20;
// Limit for a batch; only a single input may use more.
inline constexpr std::size_t kMaxScratchFloats = std::size_t{16} << 20;
// Limit for the rows of a block (engine/block.h), so that they stay in a core's second-level cache.
inline constexpr std::size_t kMaxBlockFloats = std::size_t{1} << 17;

// Orders, sizes and lays out a graph with its run settings; refuses graphs by proto/NUMERICS.md.
Expected<Network> CompileNetwork(Graph graph, const Manifest& manifest);

}  // namespace tandem
