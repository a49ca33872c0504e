#include "engine/fingerprints.h"

#include <span>

#include "engine/digest.h"
#include "kernels/padded.h"

namespace tandem {
namespace {

void AddNeuron(const NetworkNode& node, const NodeState& state, std::size_t item, Digest& to) {
  const std::size_t n = node.out;
  if (HasCurrent(node.type)) to.AddAll(std::span<const float>(state.current[item], n));
  if (HasPotential(node.type)) to.AddAll(std::span<const float>(state.potential[item], n));
}

// The rows of a Delay, oldest first.
void AddDelayed(const NetworkNode& node, const NodeState& state, std::size_t item, std::uint32_t steps, Digest& to) {
  for (std::uint32_t k = 0; k < node.delay_rows; ++k) {
    const std::size_t row = (steps + k) % node.delay_rows;
    to.AddAll(std::span<const float>(state.delayed[item] + row * PaddedSize(node.out), node.out));
  }
}

void AddOutput(const NetworkNode& node, const NodeState& state, std::size_t item, Digest& to) {
  to.AddAll(std::span<const float>(state.out[item], node.out));
}

}  // namespace

std::uint64_t ReadoutDigest(const RunResult& result) {
  Digest digest;
  digest.Add(result.steps);
  digest.AddAll<std::uint32_t>(result.spike_counts);
  digest.AddAll<float>(result.potentials);
  digest.Add(result.total_spikes);
  digest.Add(result.synaptic_operations);
  return digest.Value();
}

std::uint64_t StateDigest(const Network& network, std::uint64_t model_id, const RunResult& result,
                          const BatchState& state, std::size_t item) {
  Digest digest;
  digest.Add(model_id);
  digest.Add(result.steps);
  digest.AddAll<std::uint32_t>(result.spike_counts);
  digest.AddAll<float>(result.potentials);
  for (const std::uint32_t k : network.canonical) {
    AddNeuron(network.nodes[k], state.nodes[k], item, digest);
    AddDelayed(network.nodes[k], state.nodes[k], item, result.steps, digest);
    if (network.nodes[k].feeds_delayed) AddOutput(network.nodes[k], state.nodes[k], item, digest);
  }
  return digest.Value();
}

std::uint64_t TraceDigest(const NetworkNode& node, const NodeState& state, std::size_t item) {
  Digest digest;
  AddNeuron(node, state, item, digest);
  AddOutput(node, state, item, digest);
  return digest.Value();
}

}  // namespace tandem
