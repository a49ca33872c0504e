#include "engine/session_state.h"

#include <cstring>

#include "engine/digest.h"
#include "engine/session_state_layout.h"
#include "engine/state_body.h"

namespace tandem {
namespace {

// Like a Digest, but it keeps the bytes.
class Bytes {
 public:
  explicit Bytes(std::size_t length) { bytes_.reserve(length); }

  template <typename Number>
  void Add(Number value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  template <typename Number>
  void AddAll(std::span<const Number> values) {
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

void CopyRow(std::string_view from, float* to) { std::memcpy(to, from.data(), from.size()); }

// Lists the elements that fired in the last step of the state, for nodes that read the list and not the row.
void ListSpikes(const NetworkNode& node, std::uint32_t k, std::size_t item, BatchState& state) {
  NodeState& of = state.nodes[k];
  const float* const out = of.out[item];
  std::uint32_t* const spikes = state.spikes(k, item, 0);
  std::uint32_t count = 0;
  for (std::uint32_t element = 0; element < node.out; ++element) {
    if (out[element] != 0.0f) spikes[count++] = element;
  }
  of.spike_counts[item - of.spikes.first] = count;
}

}  // namespace

SessionTotals::SessionTotals(std::string_view state)
    : steps(NumberAt<std::uint32_t>(state, kStepsAt)),
      total_spikes(NumberAt<std::uint64_t>(state, kTotalSpikesAt)),
      synaptic_operations(NumberAt<std::uint64_t>(state, kSynapticOperationsAt)),
      input_digest(NumberAt<std::uint64_t>(state, kInputDigestAt)) {}

std::size_t SessionStateBytes(const Network& network) {
  return kBodyAt + BodyBytes(network) + SumsOf(network) * sizeof(float) + kChecksumBytes;
}

void RestoreSessionState(const Network& network, std::string_view state, BatchState& to, std::size_t item) {
  const std::size_t n = network.output_size();
  PartReader reader(state, kCountsAt);
  const std::string_view counts = reader.Take(n);
  std::memcpy(to.counts(item), counts.data(), counts.size());
  const std::string_view potentials = reader.Take(n);
  if (CollectsPotentials(network.readout_from)) CopyRow(potentials, to.collected[item]);
  for (const std::uint32_t k : network.canonical) {
    const NetworkNode& node = network.nodes[k];
    const StateParts parts(node);
    NodeState& of = to.nodes[k];
    if (parts.current > 0) CopyRow(reader.Take(parts.current), of.current[item]);
    if (parts.potential > 0) CopyRow(reader.Take(parts.potential), of.potential[item]);
    // The first step of a run expects the oldest row in row 0.
    for (std::uint32_t row = 0; row < node.delay_rows; ++row) {
      CopyRow(reader.Take(node.out), of.delayed[item] + row * PaddedSize(node.out));
    }
    if (parts.output == 0) continue;
    CopyRow(reader.Take(parts.output), of.out[item]);
    if (ListsSpikes(node)) ListSpikes(node, k, item, to);
  }
  if (SumsOf(network) > 0) CopyRow(reader.Take(SumsOf(network)), to.collected[item]);
}

std::string SaveSessionState(const Network& network, std::uint64_t model_id, const RunResult& result,
                             const BatchState& state, std::size_t item, std::uint32_t new_steps,
                             std::uint64_t input_digest, std::span<const float> sums) {
  Bytes to(SessionStateBytes(network));
  to.Add(kSessionStateMagic);
  to.Add(static_cast<std::uint32_t>(BodyBytes(network)));
  to.Add(result.total_spikes);
  to.Add(result.synaptic_operations);
  to.Add(input_digest);
  AddBody(network, model_id, result, state, item, new_steps, to);
  to.AddAll(sums);
  to.Add(DigestOf(to.bytes()));
  return to.Take();
}

}  // namespace tandem
