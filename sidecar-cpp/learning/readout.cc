#include "learning/readout.h"

#include <algorithm>

#include "engine/decay_factor.h"

namespace tandem {
namespace {

constexpr double kAveraging = 3;

// As a node of type Affine.
std::vector<float> Affine(std::span<const float> features, const std::vector<float>& weights,
                          const std::vector<float>& bias) {
  std::vector<float> sums = bias;
  for (std::size_t label = 0; label < sums.size(); ++label) {
    const float* row = weights.data() + label * features.size();
    float sum = sums[label];
    for (std::size_t k = 0; k < features.size(); ++k) {
      if (features[k] != 0) sum += row[k] * features[k];
    }
    sums[label] = sum;
  }
  return sums;
}

float Squared(std::span<const float> features) {
  float sum = 0;
  for (const float feature : features) sum += feature * feature;
  return sum;
}

// exp(-x) is 1 - D(x).
std::vector<float> Softmax(const std::vector<float>& sums) {
  const float largest = *std::max_element(sums.begin(), sums.end());
  std::vector<double> parts(sums.size());
  double total = 0;
  for (std::size_t label = 0; label < sums.size(); ++label) {
    parts[label] = 1 - ExponentialDecay(static_cast<double>(largest) - static_cast<double>(sums[label]));
    total += parts[label];
  }
  std::vector<float> scores(sums.size());
  for (std::size_t label = 0; label < sums.size(); ++label) scores[label] = static_cast<float>(parts[label] / total);
  return scores;
}

}  // namespace

Readout::Readout(std::size_t features, std::size_t labels, float rate)
    : weights(features * labels), bias(labels), mean_weights(features * labels), mean_bias(labels), rate_(rate) {}

std::vector<float> Readout::Scores(std::span<const float> features) const {
  return Softmax(Affine(features, mean_weights, mean_bias));
}

void Readout::Step(std::span<const float> features, std::span<const float> target) {
  const std::vector<float> scores = Softmax(Affine(features, weights, bias));
  const float rate = rate_ / (1.0F + Squared(features));
  steps += 1;
  const auto part = static_cast<float>((kAveraging + 1) / static_cast<double>(static_cast<float>(steps + kAveraging)));
  for (std::size_t label = 0; label < bias.size(); ++label) {
    const float change = rate * (scores[label] - target[label]);
    float* row = weights.data() + label * features.size();
    float* mean_row = mean_weights.data() + label * features.size();
    for (std::size_t k = 0; k < features.size(); ++k) {
      row[k] -= change * features[k];
      mean_row[k] += (row[k] - mean_row[k]) * part;
    }
    bias[label] -= change;
    mean_bias[label] += (bias[label] - mean_bias[label]) * part;
  }
}

}  // namespace tandem
