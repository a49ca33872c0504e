#include "engine/fingerprints.h"

#include <span>

#include "engine/digest.h"
#include "engine/state_body.h"

namespace tandem {
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
                          const BatchState& state, std::size_t item, std::uint32_t new_steps) {
  Digest digest;
  AddBody(network, model_id, result, state, item, new_steps, digest);
  return digest.Value();
}

std::uint64_t TraceDigest(const NetworkNode& node, const NodeState& state, std::size_t item) {
  Digest digest;
  AddNeuron(node, state, item, digest);
  digest.AddAll(std::span<const float>(state.out[item], node.out));
  return digest.Value();
}

}  // namespace tandem
