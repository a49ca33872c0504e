// A fault that lasts one run: bits of state or of weights flip before one step, and the next run is correct again. A
// clean run of the same input shows, step by step, what changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/network.h"
#include "engine/recording.h"
#include "engine/simulator.h"

namespace tandem {

// The bits that flip, and the step.
struct OneShot {
  std::uint32_t step = 0;  // before it
  bool weights = false;    // of weights; else of `i` and `v`
  std::vector<std::uint64_t> which;
};

// Selects 1 to 8 bits by `seed`. A weight of the constant part is read at step 0 only, so half of the flips of weights
// come before that step. The network must have weights or state.
OneShot DrawOneShot(const Network& network, std::uint32_t steps, std::uint64_t seed);

struct Flip {
  std::string node;
  std::string field;          // "i", "v" or "weight"
  std::uint32_t element = 0;  // of a weight: its target
  std::uint32_t source = 0;   // of a weight
  unsigned bit = 0;
  float before = 0.0f;
  float after = 0.0f;
};

struct SpikePlace {
  std::uint32_t step = 0;
  std::uint32_t node = 0;  // index into Network::nodes
  std::uint32_t neuron = 0;
};
struct NodePlace {
  std::uint32_t step = 0;
  std::string node;
};

struct OneShotReport {
  std::uint32_t step = 0;
  std::vector<Flip> flips;
  // The first difference between the faulty and the clean run in the state or spikes of a recorded node; or the step
  // and node at which only one of them failed.
  std::optional<NodePlace> first;
  std::optional<SpikePlace> first_spike;
  // Of the faulty run.
  std::optional<Expected<RunResult>> result;  // nullopt: it was abandoned
};

// Runs one input with the fault. `abandoned` is called like RunObserver::Abandoned. With a recorder, the faulty run is
// recorded as its item `item`.
OneShotReport RunOneShot(const Network& network, std::uint64_t model_id, std::uint32_t steps, const RunInput& input,
                         const OneShot& shot, const std::function<bool()>& abandoned, RunRecorder* recorder,
                         std::size_t item);

// The report as one line of JSON.
std::string ToJson(const Network& network, const OneShotReport& report);

}  // namespace tandem
