// The state of a student. The same examples in the same order give the same bits as in services/learning.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "learning/ml_poly.h"
#include "learning/readout.h"

namespace tandem {

struct StudentSpec {
  std::size_t teachers = 0;
  std::size_t labels = 0;
  std::size_t features = 0;
  float rate = 0;
};

struct Example {
  std::vector<float> features;
  std::optional<std::size_t> label;
  // The scores of each teacher; nullopt if it did not answer.
  std::vector<std::optional<std::vector<float>>> scores;
};

class Learner {
 public:
  explicit Learner(const StudentSpec& spec);

  void Learn(const Example& example);

  // The complete state, as services/learning/learner-state.ts writes it.
  [[nodiscard]] std::string State() const;

  // Returns false if `state` has another size.
  [[nodiscard]] bool Restore(std::string_view state);

 private:
  [[nodiscard]] std::vector<double> Consensus(const Example& example, const std::vector<bool>& present) const;
  void Count(const Example& example, const std::vector<double>* agreed);

  StudentSpec spec_;
  MlPoly teachers_;
  Readout readout_;
  double labelled_ = 0;
  double unlabelled_ = 0;
  double student_right_ = 0;
  double consensus_right_ = 0;
  std::vector<double> teacher_right_;
};

}  // namespace tandem
