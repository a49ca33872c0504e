#include "learning/learner.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/little_endian.h"

namespace tandem {
namespace {

// If several are equal, the first.
template <typename Numbers>
std::size_t IndexOfLargest(const Numbers& values) {
  return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

// Half of Brier's score.
double LossOf(const std::vector<float>& scores, std::size_t label) {
  double sum = 0;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    const double difference = static_cast<double>(scores[k]) - (k == label ? 1.0 : 0.0);
    sum += difference * difference;
  }
  return std::min(1.0, sum / 2);
}

template <typename Number>
void Append(std::string& to, std::span<const Number> values) {
  to.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());  // NOLINT: little-endian bytes
}

template <typename Number>
void Take(std::string_view& from, std::span<Number> values) {
  std::memcpy(values.data(), from.data(), values.size_bytes());
  from.remove_prefix(values.size_bytes());
}

}  // namespace

Learner::Learner(const StudentSpec& spec)
    : spec_(spec),
      teachers_(spec.teachers),
      readout_(spec.features, spec.labels, spec.rate),
      teacher_right_(spec.teachers) {}

void Learner::Learn(const Example& example) {
  std::vector<bool> present(spec_.teachers);
  for (std::size_t k = 0; k < present.size(); ++k) present[k] = example.scores[k].has_value();
  const bool has_teacher = std::find(present.begin(), present.end(), true) != present.end();
  if (!example.label && !has_teacher) return;
  std::vector<double> agreed;
  if (has_teacher) agreed = Consensus(example, present);
  std::vector<float> target(spec_.labels);
  if (!example.label) {
    unlabelled_ += 1;
    for (std::size_t label = 0; label < target.size(); ++label) target[label] = static_cast<float>(agreed[label]);
    readout_.Step(example.features, target);
    return;
  }
  Count(example, has_teacher ? &agreed : nullptr);
  if (has_teacher) {
    std::vector<std::optional<double>> losses(spec_.teachers);
    for (std::size_t k = 0; k < losses.size(); ++k) {
      if (present[k]) losses[k] = LossOf(*example.scores[k], *example.label);
    }
    teachers_.Learn(losses);
  }
  target[*example.label] = 1;
  readout_.Step(example.features, target);
}

std::vector<double> Learner::Consensus(const Example& example, const std::vector<bool>& present) const {
  const std::vector<double> weights = teachers_.Weights(present);
  std::vector<double> mean(spec_.labels);
  for (std::size_t k = 0; k < present.size(); ++k) {
    if (!present[k]) continue;
    for (std::size_t label = 0; label < mean.size(); ++label) {
      mean[label] += weights[k] * static_cast<double>((*example.scores[k])[label]);
    }
  }
  return mean;
}

void Learner::Count(const Example& example, const std::vector<double>* agreed) {
  const std::size_t label = *example.label;
  labelled_ += 1;
  if (IndexOfLargest(readout_.Scores(example.features)) == label) student_right_ += 1;
  if (agreed != nullptr && IndexOfLargest(*agreed) == label) consensus_right_ += 1;
  for (std::size_t k = 0; k < example.scores.size(); ++k) {
    if (example.scores[k] && IndexOfLargest(*example.scores[k]) == label) teacher_right_[k] += 1;
  }
}

std::string Learner::State() const {
  std::string state;
  const double counts[] = {readout_.steps, labelled_, unlabelled_, student_right_, consensus_right_};
  Append<double>(state, counts);
  for (const auto* values : {&teachers_.regrets, &teachers_.squares, &teachers_.rounds, &teacher_right_}) {
    Append<double>(state, *values);
  }
  for (const auto* values : {&readout_.weights, &readout_.bias, &readout_.mean_weights, &readout_.mean_bias}) {
    Append<float>(state, *values);
  }
  return state;
}

bool Learner::Restore(std::string_view state) {
  if (state.size() != State().size()) return false;
  double counts[5];
  Take<double>(state, counts);
  readout_.steps = counts[0];
  labelled_ = counts[1];
  unlabelled_ = counts[2];
  student_right_ = counts[3];
  consensus_right_ = counts[4];
  for (auto* values : {&teachers_.regrets, &teachers_.squares, &teachers_.rounds, &teacher_right_}) {
    Take<double>(state, *values);
  }
  for (auto* values : {&readout_.weights, &readout_.bias, &readout_.mean_weights, &readout_.mean_bias}) {
    Take<float>(state, *values);
  }
  return true;
}

}  // namespace tandem
