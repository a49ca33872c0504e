// A state comes from callers, so it is checked like every other input, by the rules of proto/NUMERICS.md, "Session
// state".
#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <string>

#include "base/text.h"
#include "engine/digest.h"
#include "engine/session_state.h"
#include "engine/session_state_layout.h"
#include "kernels/elementwise.h"
#include "kernels/neuron.h"

namespace tandem {
namespace {

// Sums up to this value, and the additions of a run, are exact in binary64, too.
constexpr std::uint64_t kMaxTotal = std::uint64_t{1} << 52;

Error Refused(const char* reason, std::string message) {
  return {Code::kInvalidArgument, reason, std::move(message), {{"field", "state"}}};
}

MaybeError Invalid(const std::string& what) {
  return Refused("STATE_INVALID", "state " + what + "; send the state of an earlier answer, unchanged");
}

MaybeError InvalidNode(const NetworkNode& node, const std::string& what) {
  return Invalid("has a " + what + " of node \"" + Printable(node.name) + "\"");
}

std::string Hex(std::uint64_t number) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t k = 16; k-- > 0; number >>= 4) text[k] = kDigits[number & 15];
  return text;
}

// The node whose output this one has: itself, or the source that it passes on.
std::uint32_t OriginOf(const Network& network, std::uint32_t k) {
  const NetworkNode* node = &network.nodes[k];
  while (PassesThrough(node->type) && node->sources.size() == 1 && !node->sources[0].delayed) {
    k = node->sources[0].node;
    node = &network.nodes[k];
  }
  return k;
}

bool AllFiniteBytes(std::string_view floats) {
  // In C++ these are not aligned floats; the kernel loads them unaligned.
  return AllFinite(floats.size() / sizeof(float), reinterpret_cast<const float*>(floats.data()));
}

// Returns true if every number is a whole number from +0 to `most`.
bool AreSpikes(std::string_view floats, float most) {
  for (std::size_t at = 0; at < floats.size(); at += sizeof(float)) {
    const float spikes = NumberAt<float>(floats, at);
    if (!(spikes >= 0.0f && spikes <= most) || spikes != std::trunc(spikes) || std::signbit(spikes)) return false;
  }
  return true;
}

class Check {
 public:
  Check(const Network& network, std::string_view state)
      : network_(network), state_(state), steps_(NumberAt<std::uint32_t>(state, kStepsAt)) {}

  MaybeError Totals() const {
    const SessionTotals totals(state_);
    const std::uint32_t limit = MaxSteps();
    if (totals.steps == 0 || totals.steps > limit) {
      return Invalid("has " + std::to_string(totals.steps) + " steps, not 1 to " + std::to_string(limit));
    }
    if (std::max(totals.total_spikes, totals.synaptic_operations) > kMaxTotal) {
      return Invalid("has a total above " + std::to_string(kMaxTotal));
    }
    if (network_.input_kind == InputKind::kSeries && totals.input_digest != 0) {
      return Invalid("has the digest of a constant input");
    }
    std::uint64_t neurons = 0;
    for (const NetworkNode& node : network_.nodes) neurons += IsSpikingNeuron(node.type) ? node.out : 0;
    if (totals.total_spikes > MostCounts() * neurons) return Invalid("has more spikes than its steps can give");
    return std::nullopt;
  }

  MaybeError Counts() const {
    const NetworkNode& readout = network_.nodes[network_.readout];
    const bool counts = IsSpikingNeuron(readout.type) || readout.type == NodeType::kThreshold;
    const std::uint64_t most = counts ? MostCounts() : 0;
    std::uint64_t sum = 0;
    for (std::size_t k = 0; k < network_.output_size(); ++k) {
      const auto count = NumberAt<std::uint32_t>(state_, kCountsAt + k * sizeof(std::uint32_t));
      if (count > most) return Invalid("has a spike count above " + std::to_string(most));
      sum += count;
    }
    if (IsSpikingNeuron(readout.type) && sum > SessionTotals(state_).total_spikes) {
      return Invalid("has spike counts above its total of spikes");
    }
    return std::nullopt;
  }

  MaybeError Nodes() {
    PartReader reader(state_, kCountsAt);
    reader.Take(network_.output_size());
    if (!AllFiniteBytes(reader.Take(network_.output_size()))) return Invalid("has a potential that is not finite");
    for (const std::uint32_t k : network_.canonical) {
      const NetworkNode& node = network_.nodes[k];
      const StateParts parts(node);
      PartReader part = reader;
      if (!AllFiniteBytes(reader.Take(parts.floats()))) return InvalidNode(node, "value that is not finite");
      part.Take(parts.current);
      if (parts.potential > 0) potentials_[k] = part.Take(parts.potential);
      part.Take(parts.delayed);
      if (parts.output > 0) outputs_[k] = part.Take(parts.output);
    }
    if (!AllFiniteBytes(reader.Take(SumsOf(network_)))) return Invalid("has a readout sum that is not finite");
    return Outputs();
  }

  [[nodiscard]] std::uint32_t MaxSteps() const {
    return network_.multiple_spikes ? kMaxSessionStepsOfMultiple : kMaxSessionSteps;
  }

 private:
  [[nodiscard]] float MostSpikes() const { return network_.multiple_spikes ? kMaxSpikesPerStep : 1.0f; }
  [[nodiscard]] std::uint64_t MostCounts() const { return steps_ * static_cast<std::uint64_t>(MostSpikes()); }

  // Checks outputs that delayed edges carry into the next step: engines may store them in a form with only valid
  // values.
  MaybeError Outputs() const {
    std::map<std::uint32_t, std::string_view> by_origin;
    for (const auto& [k, output] : outputs_) {
      const std::uint32_t origin = OriginOf(network_, k);
      const NetworkNode& from = network_.nodes[origin];
      const bool is_neuron = IsSpikingNeuron(from.type);
      bool fits = by_origin.emplace(origin, output).first->second == output;
      if (is_neuron || from.type == NodeType::kThreshold)
        fits &= AreSpikes(output, from.rule.multiple ? kMaxSpikesPerStep : 1.0f);
      if (!is_neuron && HasPotential(from.type)) fits &= potentials_.at(origin) == output;
      if (!fits) return InvalidNode(network_.nodes[k], "last output that no step gives");
    }
    return std::nullopt;
  }

  const Network& network_;
  const std::string_view state_;
  const std::uint32_t steps_;
  std::map<std::uint32_t, std::string_view> potentials_;
  std::map<std::uint32_t, std::string_view> outputs_;
};

}  // namespace

MaybeError CheckSessionState(const Network& network, std::uint64_t model_id, std::string_view state,
                             std::uint32_t new_steps) {
  if (state.size() < kCountsAt + kChecksumBytes || state.size() > kMaxSessionStateBytes) {
    return Invalid("has " + std::to_string(state.size()) + " bytes, not " + std::to_string(kCountsAt + kChecksumBytes) +
                   " to " + std::to_string(kMaxSessionStateBytes));
  }
  if (NumberAt<std::uint32_t>(state, 0) != kSessionStateMagic) return Invalid("does not begin with \"TST1\"");
  const std::size_t checked = state.size() - kChecksumBytes;
  if (NumberAt<std::uint64_t>(state, checked) != DigestOf(state.substr(0, checked))) {
    return Invalid("has a wrong checksum");
  }
  if (const auto of = NumberAt<std::uint64_t>(state, kModelIdAt); of != model_id) {
    return Refused("STATE_MODEL", "state is of the model with the id " + Hex(of) + ", and this one has " +
                                      Hex(model_id) + "; name the version that gave the state, or begin a new session");
  }
  if (state.size() != SessionStateBytes(network) ||
      NumberAt<std::uint32_t>(state, kBodyLengthAt) != BodyBytes(network)) {
    return Invalid("has " + std::to_string(state.size()) + " bytes or a body of another length, not the " +
                   std::to_string(SessionStateBytes(network)) + " bytes of this model");
  }
  Check check(network, state);
  if (auto error = check.Totals()) return error;
  if (auto error = check.Counts()) return error;
  if (auto error = check.Nodes()) return error;
  const auto steps = NumberAt<std::uint32_t>(state, kStepsAt);
  if (new_steps <= check.MaxSteps() - steps) return std::nullopt;
  return Error{Code::kInvalidArgument,
               "INPUT_STEPS",
               "the session has " + std::to_string(steps) + " steps, and " + std::to_string(new_steps) +
                   " more are above the limit of " + std::to_string(check.MaxSteps()) + "; begin a new session",
               {{"field", "state"}}};
}

}  // namespace tandem
