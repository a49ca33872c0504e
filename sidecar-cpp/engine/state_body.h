// The bytes that a state digest covers, which are also the body of a session state: proto/NUMERICS.md, "What a run
// returns".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/batch_state.h"
#include "engine/network.h"
#include "engine/simulator.h"
#include "kernels/padded.h"

namespace tandem {

// Bytes before the spike counts: `model_id` and `steps`.
inline constexpr std::size_t kBodyHeaderBytes = 12;

// The state of a node, in floats, in the order of the body.
struct StateParts {
  explicit StateParts(const NetworkNode& node)
      : current(HasCurrent(node.type) ? node.out : 0),
        potential(HasPotential(node.type) ? node.out : 0),
        delayed(std::size_t{node.delay_rows} * node.out),
        output(node.feeds_delayed ? node.out : 0) {}

  [[nodiscard]] std::size_t floats() const { return current + potential + delayed + output; }

  std::size_t current;
  std::size_t potential;
  std::size_t delayed;  // rows of a Delay, the oldest first
  std::size_t output;
};

// `to` has Add(number) and AddAll(span of numbers). The current and the potential of an item.
template <typename Sink>
void AddNeuron(const NetworkNode& node, const NodeState& state, std::size_t item, Sink& to) {
  if (HasCurrent(node.type)) to.AddAll(std::span<const float>(state.current[item], node.out));
  if (HasPotential(node.type)) to.AddAll(std::span<const float>(state.potential[item], node.out));
}

// The complete body of an item that has run `new_steps` steps in its batch. `result` has its first fields.
template <typename Sink>
void AddBody(const Network& network, std::uint64_t model_id, const RunResult& result, const BatchState& state,
             std::size_t item, std::uint32_t new_steps, Sink& to) {
  to.Add(model_id);
  to.Add(result.steps);
  to.AddAll(std::span<const std::uint32_t>(result.spike_counts));
  to.AddAll(std::span<const float>(result.potentials));
  for (const std::uint32_t k : network.canonical) {
    const NetworkNode& node = network.nodes[k];
    const NodeState& of = state.nodes[k];
    AddNeuron(node, of, item, to);
    for (std::uint32_t age = 0; age < node.delay_rows; ++age) {
      const std::size_t row = (std::size_t{new_steps} + age) % node.delay_rows;
      to.AddAll(std::span<const float>(of.delayed[item] + row * PaddedSize(node.out), node.out));
    }
    if (node.feeds_delayed) to.AddAll(std::span<const float>(of.out[item], node.out));
  }
}

}  // namespace tandem
