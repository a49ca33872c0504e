// Handles a graph of the loader as the engine does.
#pragma once

#include "nir/graph.h"

namespace tandem::fuzz {

// Compiles the graph, and runs a small network for two steps. Errors are fine; crashes are not.
void CompileAndRun(Graph graph);

}  // namespace tandem::fuzz
