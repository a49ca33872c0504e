#include "bench/dense_baseline.h"

#include "nir/window.h"

namespace tandem::bench {
namespace {

std::vector<float> Values(const Node& node, const char* field, std::size_t count, double fallback, double over = 0) {
  std::vector<float> values(count);
  const auto found = node.parameters.find(field);
  for (std::size_t k = 0; k < count; ++k) {
    const double value = found == node.parameters.end()     ? fallback
                         : found->second.values.size() == 1 ? found->second.values[0]
                                                            : found->second.values[k];
    values[k] = static_cast<float>(over == 0 ? value : over / value);
  }
  return values;
}

}  // namespace

std::optional<DenseBaseline> DenseBaseline::Make(const Graph& graph, const Manifest& manifest) {
  const auto order = OrderOfEvaluation(graph);
  if (!order.ok()) return std::nullopt;
  DenseBaseline baseline;
  std::size_t size = 0;
  for (const std::uint32_t index : order.value().evaluated) {
    const Node& node = graph.nodes[index];
    const auto& sources = order.value().sources[index];
    if (index != graph.inputs[0] && (sources.size() != 1 || sources[0].delayed)) return std::nullopt;
    if (node.type == NodeType::kInput)
      size = ElementsOf({node.integers.at("shape").begin(), node.integers.at("shape").end()});
    if (PassesThrough(node.type)) continue;
    if (!HasWeight(node.type) && !IsSpikingNeuron(node.type)) return std::nullopt;
    Layer layer;
    layer.type = node.type;
    layer.subtract = manifest.neurons.reset == Reset::kSubtract;
    if (HasWeight(node.type)) {
      const Tensor& weight = node.parameters.at("weight");
      layer.weight.assign(weight.values.begin(), weight.values.end());
      size = weight.dims[0];
      layer.bias = Values(node, "bias", size, 0);
    } else {
      const bool cuba = HasCurrent(node.type);
      if (node.type == NodeType::kIf) {
        const double gain = manifest.neurons.if_gain == IfGain::kUnit ? 1.0 : manifest.dt;
        layer.r = Values(node, "r", size, 1);
        for (float& r : layer.r) r = static_cast<float>(gain * static_cast<double>(r));
      } else {
        layer.r = Values(node, "r", size, 1);
        layer.a = Values(node, cuba ? "tau_mem" : "tau", size, 1, manifest.dt);
        layer.v_leak = Values(node, "v_leak", size, 0);
      }
      if (cuba) {
        layer.b = Values(node, "tau_syn", size, 1, manifest.dt);
        layer.w_in = Values(node, "w_in", size, 1);
      }
      layer.threshold = Values(node, "v_threshold", size, 1);
      layer.reset = Values(node, "v_reset", size, 0);
    }
    layer.out = size;
    layer.y.resize(size);
    baseline.layers_.push_back(std::move(layer));
  }
  if (baseline.layers_.empty() || !IsSpikingNeuron(baseline.layers_.back().type)) return std::nullopt;
  return baseline;
}

void DenseBaseline::Step(Layer& layer, const std::vector<float>& x) {
  if (HasWeight(layer.type)) {
    for (std::size_t o = 0; o < layer.out; ++o) {
      float sum = layer.bias[o];
      const float* row = layer.weight.data() + o * x.size();
      for (std::size_t j = 0; j < x.size(); ++j) sum = sum + row[j] * x[j];
      layer.y[o] = sum;
    }
    return;
  }
  for (std::size_t k = 0; k < layer.out; ++k) {
    float drive = x[k];
    if (HasCurrent(layer.type)) {
      layer.i[k] = layer.i[k] + (layer.b[k] * ((layer.w_in[k] * drive) - layer.i[k]));
      drive = layer.i[k];
    }
    float v = layer.v[k];
    if (layer.type == NodeType::kIf) {
      v = v + (layer.r[k] * drive);
    } else {
      v = v + (layer.a[k] * ((layer.v_leak[k] - v) + (layer.r[k] * drive)));
    }
    const bool fired = v > layer.threshold[k];
    layer.y[k] = fired ? 1.0f : 0.0f;
    if (fired) v = layer.subtract ? v - layer.threshold[k] : layer.reset[k];
    layer.v[k] = v;
  }
}

std::vector<std::uint32_t> DenseBaseline::Run(std::span<const float> input, std::uint32_t steps) {
  for (Layer& layer : layers_) {
    layer.i.assign(layer.out, 0.0f);
    layer.v.assign(layer.out, 0.0f);
  }
  const std::vector<float> x(input.begin(), input.end());
  std::vector<std::uint32_t> counts(layers_.back().out, 0);
  for (std::uint32_t step = 0; step < steps; ++step) {
    const std::vector<float>* from = &x;
    for (Layer& layer : layers_) {
      Step(layer, *from);
      from = &layer.y;
    }
    for (std::size_t k = 0; k < counts.size(); ++k) counts[k] += layers_.back().y[k] == 1.0f ? 1 : 0;
  }
  return counts;
}

}  // namespace tandem::bench
