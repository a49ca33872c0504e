#include "learning/ml_poly.h"

#include <algorithm>

namespace tandem {

std::vector<double> MlPoly::Weights(const std::vector<bool>& present) const {
  std::vector<double> weights(present.size());
  double total = 0;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    if (present[k]) weights[k] = std::max(regrets[k], 0.0) / (1 + squares[k]);
    total += weights[k];
  }
  const auto count = static_cast<double>(std::count(present.begin(), present.end(), true));
  for (std::size_t k = 0; k < weights.size(); ++k) {
    if (total > 0) {
      weights[k] /= total;
    } else {
      weights[k] = present[k] ? 1 / count : 0;
    }
  }
  return weights;
}

void MlPoly::Learn(const std::vector<std::optional<double>>& losses) {
  std::vector<bool> present(losses.size());
  for (std::size_t k = 0; k < losses.size(); ++k) present[k] = losses[k].has_value();
  const std::vector<double> weights = Weights(present);
  double mean = 0;
  for (std::size_t k = 0; k < losses.size(); ++k) {
    if (losses[k]) mean += weights[k] * *losses[k];
  }
  for (std::size_t k = 0; k < losses.size(); ++k) {
    if (!losses[k]) continue;
    const double excess = mean - *losses[k];
    regrets[k] += excess;
    squares[k] += excess * excess;
    rounds[k] += 1;
  }
}

}  // namespace tandem
