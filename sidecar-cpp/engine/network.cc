#include "engine/network.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/decay_factor.h"
#include "kernels/recording.h"
#include "nir/invalid.h"
#include "nir/sizes.h"

namespace tandem {
namespace {

// Lays out the parameters of one node. It keeps the first error, so the caller checks only once.
class ParameterRows {
 public:
  ParameterRows(const Node& node, std::uint32_t size) : node_(node), size_(size) {}

  // A row of `constant(parameter)`, computed in binary64 and rounded to binary32; padding is `pad`.
  template <typename Constant>
  FloatRow Row(const std::string& field, Constant constant, float pad = 0.0f) {
    FloatRow row(PaddedSize(size_), pad);
    const auto found = node_.parameters.find(field);
    for (std::uint32_t k = 0; k < size_; ++k) {
      const double value = found == node_.parameters.end()    ? Fallback(field)
                           : found->second.values.size() == 1 ? found->second.values[0]
                                                              : found->second.values[k];
      row[k] = static_cast<float>(constant(value));
      if (!std::isfinite(row[k]) && !error_) {
        error_ = InvalidField(node_.name, field,
                              "gives a constant that is not finite in binary32 at index " + std::to_string(k));
      }
    }
    return row;
  }
  FloatRow Row(const std::string& field, float pad = 0.0f) {
    return Row(
        field, [](double value) { return value; }, pad);
  }

  [[nodiscard]] const MaybeError& error() const { return error_; }

 private:
  [[nodiscard]] double Fallback(const std::string& field) const {
    for (const ParameterSpec& spec : ParametersOf(node_.type)) {
      if (spec.name == field) return spec.fallback.value_or(0.0);
    }
    return 0.0;
  }

  const Node& node_;
  std::uint32_t size_;
  MaybeError error_;
};

MaybeError LayOutWeights(Node& node, NetworkNode& to) {
  auto& values = node.parameters.at("weight").values;
  std::vector<float> weights(values.size());
  for (std::size_t k = 0; k < values.size(); ++k) {
    weights[k] = static_cast<float>(values[k]);
    if (!std::isfinite(weights[k])) {
      return InvalidField(node.name, "weight", "is not finite in binary32 at index " + std::to_string(k));
    }
  }
  std::vector<double>().swap(values);  // so that a large model is not in memory twice
  const std::uint32_t sums = to.window ? to.window->out_channels : to.out;
  if (to.window) {
    to.conv.emplace(*to.window, weights);
  } else {
    to.weights.emplace(weights, to.out, to.in);
  }
  ParameterRows rows(node, sums);
  to.start = node.type == NodeType::kLinear ? FloatRow(PaddedSize(sums), 0.0f) : rows.Row("bias");
  to.starts_at_minus_zero =
      std::ranges::any_of(to.start, [](float value) { return value == 0.0f && std::signbit(value); });
  return rows.error();
}

// Delays are rounded to the nearest step, and halves up.
MaybeError LayOutDelays(const Node& node, double dt, NetworkNode& to) {
  const auto& values = node.parameters.at("delay").values;
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double steps = std::round(values[k] / dt);
    if (!(steps <= kMaxStateElements)) {
      return InvalidField(node.name, "delay",
                          "gives a delay of more steps than the limit of " + std::to_string(kMaxStateElements) +
                              " at index " + std::to_string(k));
    }
    to.delays.push_back(static_cast<std::uint32_t>(steps));
  }
  to.delays.resize(to.out, to.delays[0]);
  to.delay_rows = *std::ranges::max_element(to.delays);
  return std::nullopt;
}

// With a threshold of 0 or below, the number of spikes would not be bounded.
MaybeError CheckPositive(const Node& node, const std::string& field, const FloatRow& row) {
  const auto bad = std::ranges::find_if_not(row, [](float value) { return value > 0.0f; });
  if (bad == row.end()) return std::nullopt;
  return InvalidField(node.name, field,
                      "must be > 0 with spikes_per_step: multiple, found " + std::to_string(*bad) + " at index " +
                          std::to_string(bad - row.begin()));
}

MaybeError LayOut(Node& node, const Manifest& manifest, NetworkNode& to) {
  if (RankOfWeight(node.type) > 0) return LayOutWeights(node, to);
  if (to.window) {
    to.pool.emplace(*to.window);
    return std::nullopt;
  }
  if (node.type == NodeType::kDelay) return LayOutDelays(node, manifest.dt, to);
  ParameterRows rows(node, to.out);
  const double dt = manifest.dt;
  const NeuronSettings& settings = manifest.SettingsOf(node.name);
  to.lif_gain = settings.lif_gain;
  to.synapse_gain = settings.synapse_gain;
  DecayFactor decay_factor(settings.decay == Decay::kExponential);
  const auto per_tau = [&](double tau) { return decay_factor.Of(dt / tau); };
  if (node.type == NodeType::kScale) to.scale = rows.Row("scale");
  if (node.type == NodeType::kThreshold) to.threshold = rows.Row("threshold");
  if (node.type == NodeType::kIf || node.type == NodeType::kI) {
    const bool unit = settings.if_gain == IfGain::kUnit;
    to.scale = rows.Row("r", [dt, unit](double r) { return unit ? r : dt * r; });
  } else if (HasPotential(node.type)) {
    to.a = rows.Row(HasCurrent(node.type) ? "tau_mem" : "tau", per_tau);
    to.v_leak = rows.Row("v_leak");
    to.r = rows.Row("r");
  }
  if (settings.v_start == VStart::kLeak) to.v_start = to.v_leak;  // empty if there is none
  if (HasPotential(node.type) && settings.v_min != kNoVMin) {
    to.v_min.assign(PaddedSize(to.out), static_cast<float>(kNoVMin));  // padding stays at rest
    std::fill_n(to.v_min.begin(), to.out, static_cast<float>(settings.v_min));
  }
  if (HasCurrent(node.type)) {
    to.b = rows.Row("tau_syn", per_tau);
    to.w_in = rows.Row("w_in");
  }
  if (IsSpikingNeuron(node.type)) {
    to.threshold = rows.Row("v_threshold", std::numeric_limits<float>::max());
    FloatRow reset = rows.Row("v_reset");  // checked also where it is not used
    if (settings.v_start == VStart::kReset) to.v_start = reset;
    if (settings.resets_to_value()) to.reset = std::move(reset);
    to.rule = {settings.resets_delayed(), settings.emit == Emit::kNextStep,
               settings.spikes_per_step == SpikesPerStep::kMultiple, settings.fire_at == FireAt::kReached,
               settings.reset != Reset::kNone};
    if (to.rule.multiple) {
      if (auto error = CheckPositive(node, "v_threshold", to.threshold)) return error;
    }
  }
  return rows.error();
}

bool CanBeConstant(NodeType type) {
  return HasWeight(type) || HasWindow(type) || PassesThrough(type) || type == NodeType::kScale ||
         type == NodeType::kThreshold;
}

// Marks nodes with the same output at every step; `nodes` is in order of evaluation, so sources come first.
void MarkConstantPart(Network& network) {
  if (network.input_kind != InputKind::kConstant) return;
  for (std::uint32_t k = 0; k < network.nodes.size(); ++k) {
    NetworkNode& node = network.nodes[k];
    node.constant =
        node.input_offset || (CanBeConstant(node.type) && std::ranges::all_of(node.sources, [&](const Source& source) {
                                return !source.delayed && network.nodes[source.node].constant;
                              }));
  }
}

MaybeError FindReadout(const Graph& graph, const Manifest& manifest, Network& network) {
  network.readout_name = manifest.readout_node.empty() ? graph.nodes[graph.outputs[0]].name : manifest.readout_node;
  const auto at = std::ranges::find(network.nodes, network.readout_name, &NetworkNode::name);
  if (at == network.nodes.end()) {
    return InvalidFile("model.yaml: key \"readout.node\": no evaluated node is named \"" +
                       Printable(network.readout_name) + "\"; name one on a path to an Output");
  }
  auto readout = static_cast<std::uint32_t>(at - network.nodes.begin());
  // Each step goes to a node that was evaluated earlier, so the walk ends.
  while (PassesThrough(network.nodes[readout].type) && network.nodes[readout].sources.size() == 1 &&
         !network.nodes[readout].sources[0].delayed) {
    readout = network.nodes[readout].sources[0].node;
  }
  network.readout = readout;
  return std::nullopt;
}

MaybeError CheckInputShape(const Manifest& manifest, std::uint32_t input_size) {
  if (manifest.input_shape.empty()) return std::nullopt;
  std::uint64_t elements = 1;
  for (const std::uint32_t dim : manifest.input_shape) elements = std::min<std::uint64_t>(elements * dim, 1u << 30);
  if (elements == input_size) return std::nullopt;
  return InvalidFile("model.yaml: key \"input.shape\": has " + std::to_string(elements) +
                     " elements, but what the network takes has " + std::to_string(input_size));
}

// The first few, for an error text.
std::string NeuronsOf(const Graph& graph) {
  constexpr std::size_t kMaxNames = 10;
  std::size_t count = 0;
  std::string names;
  for (const Node& node : graph.nodes) {
    if (!HasPotential(node.type) || ++count > kMaxNames) continue;
    names += (names.empty() ? "\"" : ", \"") + Printable(node.name) + "\"";
  }
  if (count == 0) return "none";
  return count > kMaxNames ? names + " and " + std::to_string(count - kMaxNames) + " more" : names;
}

// `nodes` names neurons of the file, evaluated or not. (The graph's nodes are in canonical order.)
MaybeError CheckSettings(const Graph& graph, const Manifest& manifest) {
  for (const auto& [name, settings] : manifest.nodes) {
    const auto at = std::ranges::lower_bound(graph.nodes, name, {}, &Node::name);
    const bool exists = at != graph.nodes.end() && at->name == name;
    if (exists && HasPotential(at->type)) continue;
    return InvalidFile("model.yaml: key \"nodes." + Printable(name) + "\": " +
                       (exists ? "is of type " + std::string(NameOf(at->type)) + ", which has no such settings"
                               : "there is no such node; those with settings are " + NeuronsOf(graph)));
  }
  return std::nullopt;
}

// Scratch of one item: rows of output, i, v, spikes and delays for each node; the readout's sum and counts; and the
// widest input four times: as a sum, as a list of active sources, and as a potential before and after a step.
void MeasureScratch(Network& network) {
  for (const NetworkNode& node : network.nodes) {
    const std::size_t row = PaddedSize(node.out);
    const std::size_t list = ListsSpikes(node) ? row + kRowMultiple : 0;
    const std::size_t states = (HasPotential(node.type) ? 1 : 0) + (HasCurrent(node.type) ? 1 : 0) + node.delay_rows;
    network.item_floats += row * (1 + states) + list;
    if (!node.constant) network.row_floats += row + list;
    network.widest = std::max<std::size_t>(network.widest, PaddedSize(node.in));
    network.sums_sources |= node.sources.size() > 1 || node.reads_itself;
    network.has_delayed_edge |= node.feeds_delayed;
  }
  const std::size_t inputs = 3 * network.widest + kRowMultiple;
  network.item_floats += 2 * PaddedSize(network.output_size()) + inputs + network.widest;
  network.row_floats += inputs;
}

MaybeError CheckElements(std::size_t elements) {
  if (elements <= kMaxStateElements) return std::nullopt;
  return InvalidFile("the nodes have " + std::to_string(elements) +
                     " elements together, those of each step of a Delay counted by themselves, above the limit of " +
                     std::to_string(kMaxStateElements));
}

void FindWhatOnlyLists(Network& network) {
  std::vector<bool> is_read(network.nodes.size(), false);
  is_read[network.readout] = true;
  for (const NetworkNode& node : network.nodes) {
    for (const Source& source : node.sources) is_read[source.node] = true;
  }
  // An Output behind its one source has nothing to add, and cannot fail.
  const auto is_unread_output = [&](std::size_t k) {
    return network.nodes[k].type == NodeType::kOutput && network.nodes[k].sources.size() == 1 && !is_read[k];
  };
  for (std::size_t k = 0; k < network.nodes.size(); ++k) {
    network.nodes[k].only_lists = ListsSpikes(network.nodes[k]) || is_unread_output(k);
  }
  for (std::size_t k = 0; k < network.nodes.size(); ++k) {
    if (is_unread_output(k)) continue;
    const NetworkNode& node = network.nodes[k];
    const bool lists_do = node.weights || node.conv || (node.pool && !node.pool->empty());
    const bool takes_list = lists_do && node.sources.size() == 1 && !node.sources[0].delayed;
    for (const Source& source : node.sources) network.nodes[source.node].only_lists &= takes_list;
  }
}

void FindRecorded(Network& network) {
  for (std::uint32_t k = 0; k < network.nodes.size(); ++k) {
    NetworkNode& node = network.nodes[k];
    const bool spikes = IsSpikingNeuron(node.type) || node.type == NodeType::kThreshold;
    if (!spikes && !HasPotential(node.type) && k != network.readout) continue;
    const auto bytes = static_cast<std::uint32_t>(spikes ? SpikeBytes(node.out) : 0);
    node.recorded = static_cast<std::uint32_t>(network.recorded.size());
    network.recorded.push_back({k, node.out, bytes, network.recorded_bytes});
    network.recorded_bytes += sizeof(std::uint32_t) + bytes;
  }
}

}  // namespace

std::size_t Network::max_batch() const { return std::max<std::size_t>(1, kMaxScratchFloats / item_floats); }

Expected<Network> CompileNetwork(Graph graph, const Manifest& manifest) {
  auto order = OrderOfEvaluation(graph);
  if (!order.ok()) return order.error();
  auto sizes = InferSizes(graph);
  if (!sizes.ok()) return sizes.error();
  std::uint32_t input_size = 0;
  for (const std::uint32_t input : graph.inputs) input_size += sizes.value()[input].out;
  if (auto error = CheckInputShape(manifest, input_size)) return *std::move(error);
  if (auto error = CheckSettings(graph, manifest)) return *std::move(error);

  std::size_t elements = 0;
  for (const NodeSize& size : sizes.value()) elements += std::max(size.in, size.out);
  if (auto error = CheckElements(elements)) return *std::move(error);

  Network network;
  network.steps = manifest.steps;
  network.input_kind = manifest.input_kind;
  network.readout_from = manifest.readout_from;
  network.graph_nodes = static_cast<std::uint32_t>(graph.nodes.size());
  for (const Node& node : graph.nodes) {
    for (const auto& [field, tensor] : node.parameters) network.parameter_elements += tensor.values.size();
  }

  const auto& evaluated = order.value().evaluated;
  std::vector<std::uint32_t> position(graph.nodes.size(), 0);  // in order of evaluation, by index in the graph
  for (std::uint32_t k = 0; k < evaluated.size(); ++k) position[evaluated[k]] = k;
  network.nodes.resize(evaluated.size());
  for (std::uint32_t k = 0; k < evaluated.size(); ++k) {
    Node& node = graph.nodes[evaluated[k]];
    NetworkNode& to = network.nodes[k];
    to.name = node.name;
    to.type = node.type;
    to.in = sizes.value()[evaluated[k]].in;
    to.out = sizes.value()[evaluated[k]].out;
    to.window = sizes.value()[evaluated[k]].window;
    for (const Source& source : order.value().sources[evaluated[k]]) {
      to.sources.push_back({position[source.node], source.delayed});
      if (source.delayed) network.nodes[position[source.node]].feeds_delayed = true;
    }
    to.reads_itself = to.sources.size() == 1 && to.sources[0].node == k;
    if (auto error = LayOut(node, manifest, to)) return *std::move(error);
    network.multiple_spikes |= to.rule.multiple;
    elements += std::size_t{to.delay_rows} * to.out;
  }
  // A parameter that is not finite is an error even if it is not used.
  for (std::uint32_t index = 0; index < graph.nodes.size(); ++index) {
    if (!order.value().sources[index].empty() || std::ranges::binary_search(graph.inputs, index)) continue;
    NetworkNode unused;
    unused.in = sizes.value()[index].in;
    unused.out = sizes.value()[index].out;
    unused.window = sizes.value()[index].window;
    if (auto error = LayOut(graph.nodes[index], manifest, unused)) return *std::move(error);
    elements += std::size_t{unused.delay_rows} * unused.out;
  }
  if (auto error = CheckElements(elements)) return *std::move(error);
  std::uint32_t offset = 0;
  for (const std::uint32_t input : graph.inputs) {
    NetworkNode& node = network.nodes[position[input]];
    network.inputs.push_back(position[input]);
    node.input_offset = offset;
    offset += node.out;
  }
  network.canonical.resize(evaluated.size());
  std::iota(network.canonical.begin(), network.canonical.end(), 0u);
  std::ranges::sort(network.canonical, {}, [&](std::uint32_t k) { return evaluated[k]; });
  MarkConstantPart(network);
  if (auto error = FindReadout(graph, manifest, network)) return *std::move(error);
  FindRecorded(network);
  FindWhatOnlyLists(network);
  MeasureScratch(network);
  return network;
}

}  // namespace tandem
