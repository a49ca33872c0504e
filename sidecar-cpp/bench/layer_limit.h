// The minimum time of a layer on this core, for any program that keeps the order of proto/NUMERICS.md.
//
// A weighted layer reads every weight once from the cache that holds them all. With real-valued inputs, each active
// source of each item costs a multiplication and an addition. With spikes it costs an addition, and each weight must be
// loaded from L1 into a register. A neuron costs its operations, and its input, state and output pass through L1.
// Further data that items or steps can share (parameters, indices) counts as free here, so no program reaches the
// limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/peak.h"
#include "bench/subject.h"

namespace tandem::bench {

struct LayerLimit {
  double seconds = 0;  // of the whole batch, over all steps; 0: not known
  std::string by;      // the limiting resource
};

// The limits of all nodes, for all inputs of the subject as one batch.
std::vector<LayerLimit> LayerLimits(const Subject& subject, const Peaks& peaks);

}  // namespace tandem::bench
