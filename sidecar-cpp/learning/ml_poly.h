// The weights of the teachers (proto/NUMERICS.md, "Learning").
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace tandem {

struct MlPoly {
  explicit MlPoly(std::size_t teachers) : regrets(teachers), squares(teachers), rounds(teachers) {}

  // Sum to 1 over the teachers that are present; 0 for the others.
  [[nodiscard]] std::vector<double> Weights(const std::vector<bool>& present) const;

  // `losses`: nullopt for a teacher that did not answer.
  void Learn(const std::vector<std::optional<double>>& losses);

  std::vector<double> regrets;
  std::vector<double> squares;
  std::vector<double> rounds;
};

}  // namespace tandem
