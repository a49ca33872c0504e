// Neurons and other nodes without weights by proto/NUMERICS.md, "A step": one element at a time.
#pragma once

#include <cstddef>
#include <string>

#include "engine/manifest.h"
#include "nir/graph.h"

namespace tandem::testing {

// Element k of a parameter. 1 for a missing "w_in", 0 for any other missing parameter.
double Parameter(const Node& node, const std::string& field, std::size_t k);
float FloatParameter(const Node& node, const std::string& field, std::size_t k);

class ElementByDefinition {
 public:
  // Element `k` of `node`. Both arguments must outlive this.
  ElementByDefinition(const Node& node, std::size_t k, const Manifest& manifest);

  // One step with the input `x`: updates the current, the potential and the output. Returns false if one of them, or
  // the potential before the reset or before `v_min`, is not finite.
  bool Step(float x, float& i, float& v, float& y) const;

 private:
  float Share(const char* tau) const;
  void Membrane(const char* tau, float drive, float& v) const;
  float Synapse(float x, float& i) const;
  float Spikes(float potential) const;
  void ApplyReset(float count, float& v) const;

  const Node& node_;
  const std::size_t k_;
  const NeuronSettings& by_;
  const double dt_;
  const float threshold_;
};

}  // namespace tandem::testing
