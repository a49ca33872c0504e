// A student's readout: softmax regression by gradient steps (proto/NUMERICS.md, "Learning").
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace tandem {

class Readout {
 public:
  Readout(std::size_t features, std::size_t labels, float rate);

  // The probability of each label, by the averages over all steps.
  [[nodiscard]] std::vector<float> Scores(std::span<const float> features) const;

  // One gradient step. `target`: the desired probability of each label.
  void Step(std::span<const float> features, std::span<const float> target);

  // A row of features for each label.
  std::vector<float> weights;
  std::vector<float> bias;
  std::vector<float> mean_weights;
  std::vector<float> mean_bias;
  double steps = 0;

 private:
  float rate_;
};

}  // namespace tandem
