// Runs one input step by step, to find where two engines differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/network.h"
#include "engine/simulator.h"

namespace tandem {

// Maximum number of digests.
inline constexpr std::size_t kMaxTraceDigests = 1'000'000;

struct TracePlace {
  std::uint32_t step = 0;
  std::uint32_t node = 0;  // index into Network::nodes
};

struct Trace {
  std::vector<std::uint64_t> digests;  // [steps without an error, nodes]; empty if a place was requested
  // The values at the place; empty if the node has none, or the run ended before.
  std::vector<float> current;
  std::vector<float> potential;
  std::vector<float> output;
  std::string ended;  // the reason why the run ended before its last step; empty: it did not
};

// Runs one input like RunBatch, from its state on, to its end or through the step of `place`, which must be a step of
// the run. `abandoned` is called about once in 0.1 ms. Returns nullopt if it returned true.
std::optional<Trace> TraceRun(const Network& network, std::uint32_t steps, const RunInput& input,
                              std::optional<TracePlace> place, Scratch& scratch,
                              const std::function<bool()>& abandoned);

}  // namespace tandem
