// proto/NUMERICS.md as plain loops: no padding, no vectors, no event lists, one item. The engine must compute exactly
// the same bits.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/manifest.h"
#include "engine/simulator.h"
#include "nir/graph.h"

namespace tandem::testing {

// The recording of one node.
struct ReferenceRecordedNode {
  std::string node;
  std::vector<std::uint8_t> spikes;
  std::vector<std::uint32_t> checksums;
};

struct ReferenceOutcome {
  RunResult result;
  std::optional<std::string> failed_at;          // "step 3 node lif1" if a value was not finite
  std::vector<std::uint64_t> trace;              // trace digests of the steps without an error
  std::vector<ReferenceRecordedNode> recording;  // of the same steps
};

// `input` holds one step (constant) or all of them (series).
ReferenceOutcome RunReference(const Graph& graph, const Manifest& manifest, std::uint64_t model_id,
                              std::span<const float> input);

}  // namespace tandem::testing
