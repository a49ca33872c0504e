// What the engine does with a graph from outside, after it was read.
#pragma once

#include "nir/graph.h"

namespace tandem::fuzz {

// Flattens and compiles the graph, and runs a small network for two steps. Errors are fine; crashes are not.
void CompileAndRun(GraphTree tree);

}  // namespace tandem::fuzz
