#include "bench/layer_limit.h"

#include <algorithm>
#include <optional>

#include "engine/trace.h"

namespace tandem::bench {
namespace {

struct Activity {
  double sources = 0;  // elements of a node's output that are not 0, over all inputs and steps
  bool spikes = true;  // all of them are 1
};

Activity ActivityOf(const Subject& subject, std::uint32_t node, std::uint32_t steps) {
  Scratch scratch;
  Activity activity;
  for (const std::vector<float>& input : subject.inputs) {
    const RunInput bytes{.values = {reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float)}};
    for (std::uint32_t step = 0; step < steps; ++step) {
      const auto trace = TraceRun(subject.network(), subject.manifest.steps, bytes, TracePlace{step, node}, scratch,
                                  [] { return false; });
      if (!trace) Stop("a run was abandoned without a request");
      for (const float value : trace->output) {
        if (value == 0) continue;
        ++activity.sources;
        activity.spikes &= value == 1;
      }
    }
  }
  return activity;
}

// Additions, multiplications and comparisons of one element at one step, and the binary32 numbers of its state.
struct NeuronWork {
  double operations = 0;
  double state = 0;
};

std::optional<NeuronWork> NeuronWorkOf(NodeType type) {
  switch (type) {
    case NodeType::kLif:
      return NeuronWork{7, 1};
    case NodeType::kLi:
      return NeuronWork{5, 1};
    case NodeType::kIf:
      return NeuronWork{4, 1};
    case NodeType::kCubaLif:
      return NeuronWork{11, 2};
    case NodeType::kCubaLi:
      return NeuronWork{9, 2};
    case NodeType::kScale:
    case NodeType::kThreshold:
      return NeuronWork{1, 0};
    default:
      return std::nullopt;
  }
}

LayerLimit Largest(std::initializer_list<LayerLimit> limits) {
  return *std::max_element(limits.begin(), limits.end(),
                           [](const LayerLimit& a, const LayerLimit& b) { return a.seconds < b.seconds; });
}

LayerLimit LinearLimit(const Subject& subject, const NetworkNode& node, std::uint32_t steps, const Peaks& peaks) {
  if (node.sources.size() != 1) return {};
  const Activity activity = ActivityOf(subject, node.sources[0].node, steps);
  const double operations = activity.sources * node.out;
  const double weight_bytes = sizeof(float) * static_cast<double>(node.in) * node.out;
  const CacheLevel& level = peaks.Holding(weight_bytes);
  const LayerLimit once{weight_bytes / level.bytes_per_second, "reading the weights from " + level.name};
  if (!activity.spikes) return Largest({once, {operations / peaks.multiply_adds, "multiplying and adding"}});
  return Largest({once,
                  {operations / peaks.adds, "adding"},
                  {sizeof(float) * operations / peaks.l1.bytes_per_second, "reading weights from L1"}});
}

LayerLimit NeuronLimit(const NeuronWork& work, double elements, const Peaks& peaks) {
  const double floats = 2 + (2 * work.state);  // input and output, and the state both ways
  return Largest({{work.operations * elements / peaks.adds, "computing"},
                  {sizeof(float) * floats * elements / peaks.l1.bytes_per_second, "moving state through L1"}});
}

}  // namespace

std::vector<LayerLimit> LayerLimits(const Subject& subject, const Peaks& peaks) {
  const Network& network = subject.network();
  std::vector<LayerLimit> limits(network.nodes.size());
  for (std::size_t k = 0; k < limits.size(); ++k) {
    const NetworkNode& node = network.nodes[k];
    const std::uint32_t steps = node.constant ? 1 : subject.manifest.steps;
    if (node.weights) {
      limits[k] = LinearLimit(subject, node, steps, peaks);
    } else if (const auto work = NeuronWorkOf(node.type)) {
      const double elements = static_cast<double>(subject.inputs.size()) * steps * node.out;
      limits[k] = NeuronLimit(*work, elements, peaks);
    }
  }
  return limits;
}

}  // namespace tandem::bench
