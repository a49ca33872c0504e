#include "faults/one_shot.h"

#include <array>
#include <bit>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "engine/run.h"
#include "faults/harm.h"

namespace tandem {
namespace {

constexpr std::uint64_t kMaxFlips = 8;
constexpr unsigned kFloatBits = 32;

std::uint64_t StateElements(const Network& network) {
  std::uint64_t elements = 0;
  for (const NetworkNode& node : network.nodes) {
    elements += (HasCurrent(node.type) ? node.out : 0) + (HasPotential(node.type) ? node.out : 0);
  }
  return elements;
}

bool HasWeights(const Network& network) {
  for (const NetworkNode& node : network.nodes) {
    if (node.weights) return true;
  }
  return false;
}

Flip FlipStateBit(const Network& network, const BatchState& state, std::uint64_t which) {
  std::uint64_t index = which % StateElements(network);
  Flip flip;
  flip.bit = static_cast<unsigned>(which / StateElements(network) % kFloatBits);
  for (std::size_t k = 0; k < network.nodes.size(); ++k) {
    const NetworkNode& node = network.nodes[k];
    const std::array<std::pair<const char*, float*>, 2> rows = {
        {{"i", HasCurrent(node.type) ? state.nodes[k].current[0] : nullptr},
         {"v", HasPotential(node.type) ? state.nodes[k].potential[0] : nullptr}}};
    for (const auto& [field, row] : rows) {
      if (row == nullptr) continue;
      if (index >= node.out) {
        index -= node.out;
        continue;
      }
      flip.node = node.name;
      flip.field = field;
      flip.element = static_cast<std::uint32_t>(index);
      flip.before = row[index];
      flip.after = row[index] =
          std::bit_cast<float>(std::bit_cast<std::uint32_t>(row[index]) ^ (std::uint32_t{1} << flip.bit));
      return flip;
    }
  }
  return flip;
}

Flip FlipWeight(const Network& network, std::uint64_t which) {
  const FlippedWeight was = FlipWeightBit(network, which);
  return {was.node, "weight", was.target, was.source, was.bit, was.before, was.after};
}

// Observes a run with one item.
class KeepResult final : public RunObserver {
 public:
  explicit KeepResult(std::function<bool()> abandoned) : abandoned_(std::move(abandoned)) {}
  bool Abandoned(std::size_t) override { return abandoned_(); }
  void Finished(std::size_t, Expected<RunResult> outcome) override { result.emplace(std::move(outcome)); }
  [[nodiscard]] bool failed() const { return result && !result->ok(); }
  [[nodiscard]] std::string failed_node() const { return result->error().metadata.at("node"); }
  std::optional<Expected<RunResult>> result;

 private:
  const std::function<bool()> abandoned_;
};

bool SameRow(const Rows& a, const Rows& b, std::size_t n) { return std::memcmp(a[0], b[0], n * sizeof(float)) == 0; }

// For the last step that ended without an error in both runs.
void Compare(const Network& network, std::uint32_t step, const BatchState& a, const BatchState& b, OneShotReport& to) {
  for (const RecordedNode& recorded : network.recorded) {
    const NetworkNode& node = network.nodes[recorded.node];
    const NodeState& x = a.nodes[recorded.node];
    const NodeState& y = b.nodes[recorded.node];
    // As in a recording: whether a neuron fired, not how often.
    const bool fires = recorded.spike_bytes > 0;
    std::uint32_t neuron = 0;
    while (neuron < node.out && (x.out[0][neuron] != 0) == (y.out[0][neuron] != 0)) ++neuron;
    const bool same_out = fires ? neuron == node.out : SameRow(x.out, y.out, node.out);
    const bool same = same_out && (!HasCurrent(node.type) || SameRow(x.current, y.current, node.out)) &&
                      (!HasPotential(node.type) || SameRow(x.potential, y.potential, node.out));
    if (!same && !to.first) to.first = {step, Printable(node.name)};
    if (fires && !same_out && !to.first_spike) to.first_spike = {step, recorded.node, neuron};
  }
}

std::string Number(float value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.9g", static_cast<double>(value));
  return text.data();
}

}  // namespace

OneShot DrawOneShot(const Network& network, std::uint32_t steps, std::uint64_t seed) {
  std::uint64_t drawn = 0;
  const auto draw = [&] { return Draw(seed, drawn++); };
  OneShot shot;
  shot.weights = StateElements(network) == 0 || (HasWeights(network) && draw() % 2 == 0);
  shot.step = shot.weights && draw() % 2 == 0 ? 0 : static_cast<std::uint32_t>(draw() % steps);
  const std::uint64_t flips = 1 + draw() % kMaxFlips;
  for (std::uint64_t k = 0; k < flips; ++k) shot.which.push_back(draw());
  return shot;
}

OneShotReport RunOneShot(const Network& network, std::uint64_t model_id, std::uint32_t steps, const RunInput& input,
                         const OneShot& shot, const std::function<bool()>& abandoned, RunRecorder* recorder,
                         std::size_t item) {
  // A copy, so that no other run sees the flipped weights.
  const Network harmed = network;
  Scratch faulty_scratch;
  Scratch clean_scratch;
  KeepResult of_faulty(abandoned);
  KeepResult of_clean([] { return false; });
  Run faulty(harmed, model_id, steps, {&input, 1}, faulty_scratch, of_faulty, StepByStep(1));
  Run clean(network, model_id, steps, {&input, 1}, clean_scratch, of_clean, StepByStep(1));
  if (recorder != nullptr) faulty.Record(*recorder, item);

  OneShotReport report;
  report.step = shot.step;
  for (std::uint32_t step = 0; step < steps && faulty.running() > 0 && clean.running() > 0; ++step) {
    for (std::size_t k = 0; step == shot.step && k < shot.which.size(); ++k) {
      report.flips.push_back(shot.weights ? FlipWeight(harmed, shot.which[k])
                                          : FlipStateBit(harmed, faulty.state(), shot.which[k]));
    }
    faulty.Step();
    clean.Step();
    if (faulty.running() > 0 && clean.running() > 0) {
      Compare(network, step, faulty.state(), clean.state(), report);
    } else if (of_faulty.failed() != of_clean.failed() && !report.first) {
      report.first = {step, (of_faulty.failed() ? of_faulty : of_clean).failed_node()};
    }
  }
  faulty.ToTheEnd();
  report.result = std::move(of_faulty.result);
  return report;
}

std::string ToJson(const Network& network, const OneShotReport& report) {
  using Json = nlohmann::ordered_json;
  Json line;
  const Expected<RunResult>& result = *report.result;
  std::array<char, 17> digest{};
  if (result.ok()) {
    std::snprintf(digest.data(), digest.size(), "%016llx",
                  static_cast<unsigned long long>(result.value().state_digest));
  }
  line["state_digest"] = digest.data();  // empty: the run failed
  line["error"] = result.ok() ? "" : result.error().reason;
  line["fault_step"] = report.step;
  line["flips"] = Json::array();
  for (const Flip& flip : report.flips) {
    Json& to = line["flips"].emplace_back();
    to["node"] = Printable(flip.node);
    to["field"] = flip.field;
    to["element"] = flip.element;
    if (flip.field == "weight") to["source"] = flip.source;
    to["bit"] = flip.bit;
    to["before"] = Number(flip.before);
    to["after"] = Number(flip.after);
  }
  line["first_difference"] = nullptr;
  if (report.first) line["first_difference"] = {{"step", report.first->step}, {"node", report.first->node}};
  line["first_spike"] = nullptr;
  if (const auto& spike = report.first_spike) {
    line["first_spike"] = {
        {"step", spike->step}, {"node", Printable(network.nodes[spike->node].name)}, {"neuron", spike->neuron}};
  }
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tandem
