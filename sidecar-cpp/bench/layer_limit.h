// The least time that a layer could take on this core, whatever program runs it in the order of proto/NUMERICS.md.
//
// A weighted layer reads every weight once from the cache that holds them all. On real-valued inputs each active source
// of each item costs a multiplication and an addition; on spikes an addition, and each weight must come from L1 into a
// register to be added. A neuron costs its operations, and its input, state and output pass through L1. What several
// items or steps could share beyond that (parameters, indices) costs nothing here, so no program reaches the limit.
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
  std::string by;      // what limits it
};

// Of all nodes, for all inputs of the subject as one batch.
std::vector<LayerLimit> LayerLimits(const Subject& subject, const Peaks& peaks);

}  // namespace tandem::bench
