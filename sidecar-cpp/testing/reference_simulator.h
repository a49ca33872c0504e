// proto/NUMERICS.md once more, written as plainly as it reads: no padding, no vectors, no event lists, one item. What
// the engine must equal bit for bit.
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

// What a recording has of one node.
struct ReferenceRecordedNode {
  std::string node;
  std::vector<std::uint8_t> spikes;
  std::vector<std::uint32_t> checksums;
};

struct ReferenceOutcome {
  RunResult result;
  std::optional<std::string> failed_at;          // "step 3 node lif1" where something was not finite
  std::vector<std::uint64_t> trace;              // trace digests of the steps that ended well
  std::vector<ReferenceRecordedNode> recording;  // of the same steps
};

// `input` holds one step (constant) or all of them (series).
ReferenceOutcome RunReference(const Graph& graph, const Manifest& manifest, std::uint64_t model_id,
                              std::span<const float> input);

}  // namespace tandem::testing
