// The baseline for the simulator: the same network as plain loops. Every step multiplies every weight, also by zero.
// Weights have NIR's order ([out, in]). It runs one input at a time, and computes nothing in advance. Compiled with the
// same flags. Feed-forward graphs of Input, Output, Affine, Linear, LIF, IF and CubaLIF only.
//
// The compiler cannot vectorise a dot product with this order of sums without changing the result. That is the cost of
// a simple engine. The benchmark checks that its spike counts equal those of the simulator.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/manifest.h"
#include "nir/graph.h"
#include "nir/order.h"

namespace tandem::bench {

class DenseBaseline {
 public:
  // nullopt if the graph has a node that it does not support.
  static std::optional<DenseBaseline> Make(const Graph& graph, const Manifest& manifest);

  // Spike counts of the last neuron layer. `input`: one constant step.
  std::vector<std::uint32_t> Run(std::span<const float> input, std::uint32_t steps);

 private:
  struct Layer {
    NodeType type = NodeType::kInput;
    std::size_t out = 0;
    std::vector<float> weight, bias, a, b, w_in, r, v_leak, threshold, reset;
    std::vector<float> i, v, y;
    bool subtract = false;
  };
  static void Step(Layer& layer, const std::vector<float>& x);

  std::vector<Layer> layers_;
};

}  // namespace tandem::bench
