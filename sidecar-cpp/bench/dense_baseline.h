// What the simulator is measured against: the same network as plain loops. Every step multiplies every weight, zero or
// not; weights lie as NIR has them ([out, in]); one input at a time; nothing is computed ahead. Compiled with the same
// flags. Feed-forward graphs of Input, Output, Affine, Linear, LIF, IF and CubaLIF only.
//
// A dot product with its sums in this order cannot be vectorised by the compiler without changing the result, which is
// what a straightforward engine pays; the spike counts are the simulator's, which the benchmark checks.
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
  // nullopt: the graph has something this does not do.
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
