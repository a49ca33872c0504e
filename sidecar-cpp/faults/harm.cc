#include "faults/harm.h"

#include <bit>
#include <stdexcept>

#include "engine/digest.h"

namespace tandem {
namespace {

constexpr unsigned kFloatBits = 32;

float Flipped(float value, unsigned bit) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ (std::uint32_t{1} << bit));
}

std::uint64_t CountOf(const Weights& weights) { return std::uint64_t{weights.out()} * weights.in(); }

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
  std::uint64_t total = 0;
  for (const NetworkNode& node : network.nodes) total += node.weights ? CountOf(*node.weights) : 0;
  if (total == 0) throw std::invalid_argument("the network has no weights");

  std::uint64_t index = which % total;
  FlippedWeight flipped;
  flipped.bit = static_cast<unsigned>(which / total % kFloatBits);
  for (const NetworkNode& node : network.nodes) {
    if (!node.weights) continue;
    const Weights& weights = *node.weights;
    if (index >= CountOf(weights)) {
      index -= CountOf(weights);
      continue;
    }
    flipped.node = node.name;
    flipped.target = static_cast<std::uint32_t>(index / weights.in());
    flipped.source = static_cast<std::uint32_t>(index % weights.in());
    const Panel panel = weights.panel(flipped.target / kPanelWidth);
    // The floats themselves are on the heap, and nobody made them const.
    float& weight = const_cast<float*>(panel.data)[flipped.source * panel.stride + flipped.target - panel.first];
    flipped.before = weight;
    weight = Flipped(weight, flipped.bit);
    flipped.after = weight;
    break;
  }
  return flipped;
}

}  // namespace tandem
