#include "faults/harm.h"

#include <bit>
#include <limits>
#include <map>
#include <stdexcept>

#include "base/text.h"
#include "engine/digest.h"

namespace tandem {
namespace {

constexpr unsigned kFloatBits = 32;

float Flipped(float value, unsigned bit) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ (std::uint32_t{1} << bit));
}

std::uint64_t CountOf(const Weights& weights) { return std::uint64_t{weights.out()} * weights.in(); }

std::uint64_t WeightsOf(const Network& network) {
  std::uint64_t total = 0;
  for (const NetworkNode& node : network.nodes) total += node.weights ? CountOf(*node.weights) : 0;
  if (total == 0) throw std::invalid_argument("the network has no weights");
  return total;
}

template <typename Change>
FlippedWeight ChangeWeight(const Network& network, std::uint64_t which, Change change) {
  std::uint64_t index = which % WeightsOf(network);
  FlippedWeight changed;
  for (const NetworkNode& node : network.nodes) {
    if (!node.weights) continue;
    const Weights& weights = *node.weights;
    if (index >= CountOf(weights)) {
      index -= CountOf(weights);
      continue;
    }
    changed.node = node.name;
    changed.target = static_cast<std::uint32_t>(index / weights.in());
    changed.source = static_cast<std::uint32_t>(index % weights.in());
    const Panel panel = weights.panel(changed.target / kPanelWidth);
    // The floats are on the heap and are not const objects.
    float& weight = const_cast<float*>(panel.data)[changed.source * panel.stride + changed.target - panel.first];
    changed.before = weight;
    weight = change(weight);
    changed.after = weight;
    break;
  }
  return changed;
}

}  // namespace

std::uint64_t Draw(std::uint64_t seed, std::uint64_t of) {
  Digest digest;
  digest.Add(seed);
  digest.Add(of);
  return digest.Value();
}

bool Happens(double share, std::uint64_t drawn) { return static_cast<double>(drawn >> 11) * 0x1p-53 < share; }

void FlipReadoutBit(ReadoutFrom from, std::uint64_t which, RunResult& result) {
  const std::uint64_t at = which % result.spike_counts.size();
  const std::uint64_t bit = which / result.spike_counts.size();
  if (from == ReadoutFrom::kSpikeCount) {
    result.spike_counts[at] ^= std::uint32_t{1} << bit % static_cast<unsigned>(std::bit_width(result.steps));
  } else {
    result.potentials[at] = Flipped(result.potentials[at], static_cast<unsigned>(bit % kFloatBits));
  }
}

FlippedWeight FlipWeightBit(const Network& network, std::uint64_t which) {
  return FlipBitOfWeight(network, which, static_cast<unsigned>(which / WeightsOf(network) % kFloatBits));
}

FlippedWeight FlipBitOfWeight(const Network& network, std::uint64_t which, unsigned bit) {
  FlippedWeight flipped = ChangeWeight(network, which, [bit](float weight) { return Flipped(weight, bit); });
  flipped.bit = bit;
  return flipped;
}

FlippedWeight MakeWeightNan(const Network& network, std::uint64_t which) {
  return ChangeWeight(network, which, [](float) { return std::numeric_limits<float>::quiet_NaN(); });
}

Error RefusalFor(const Network& network, const std::string& reason) {
  static const std::map<std::string, Code> kCodes = {
      {"NON_FINITE", Code::kOutOfRange},         {"UNKNOWN_MODEL", Code::kNotFound},
      {"MODEL_INVALID", Code::kNotFound},        {"ENGINE_FULL", Code::kResourceExhausted},
      {"DRAINING", Code::kUnavailable},          {"DETAIL_TOO_LARGE", Code::kResourceExhausted},
      {"CANCELLED", Code::kCancelled},           {"DEADLINE_EXCEEDED", Code::kDeadlineExceeded},
      {"INPUT_LENGTH", Code::kInvalidArgument},  {"INPUT_KIND", Code::kInvalidArgument},
      {"INPUT_STEPS", Code::kInvalidArgument},   {"INPUT_NOT_FINITE", Code::kInvalidArgument},
      {"INVALID_FIELD", Code::kInvalidArgument}, {"DUPLICATE_ID", Code::kInvalidArgument},
  };
  const auto code = kCodes.find(reason);
  Error error{code == kCodes.end() ? Code::kInternal : code->second, reason, "refused by a fault", {}};
  if (reason == "NON_FINITE") {
    error.metadata = {{"step", "0"}, {"node", Printable(network.nodes[network.readout].name)}};
  } else if (error.code == Code::kInvalidArgument) {
    error.metadata = {{"field", "data"}};
  }
  return error;
}

}  // namespace tandem
