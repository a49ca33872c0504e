// One run looked at step by step, for people who look for the place where two engines differ.
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

// More digests than this are not gathered.
inline constexpr std::size_t kMaxTraceDigests = 1'000'000;

struct TracePlace {
  std::uint32_t step = 0;
  std::uint32_t node = 0;  // index into Network::nodes
};

struct Trace {
  std::vector<std::uint64_t> digests;  // [steps that ended well, nodes]; empty where a place was asked for
  // Of the place; empty where the node has none, or the run ended before.
  std::vector<float> current;
  std::vector<float> potential;
  std::vector<float> output;
  std::string ended;  // the reason why the run ended before its last step; empty: it did not
};

// Runs one input as RunBatch would, from its state on; to its end, or through the step of `place`, which must be one of
// the run. `abandoned` is asked about once in 0.1 ms; nullopt: it said yes.
std::optional<Trace> TraceRun(const Network& network, std::uint32_t steps, const RunInput& input,
                              std::optional<TracePlace> place, Scratch& scratch,
                              const std::function<bool()>& abandoned);

}  // namespace tandem
