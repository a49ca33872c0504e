// The sizes of a node by its own parameters, without its neighbours.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "nir/graph.h"
#include "nir/window.h"

namespace tandem {

struct OwnSize {
  std::uint64_t in = 0;  // 0: not known
  std::uint64_t out = 0;
  Shape shape;            // of its output; empty: not known. A single dimension is not a shape
  bool is_final = false;  // the shape does not depend on its sources
};

// Refuses parameters that contradict each other or exceed the limit. For a node that HasWindow it returns nothing: see
// WindowOf.
Expected<OwnSize> OwnSizeOf(const Node& node);

// The shape of a Flatten's output, from the shape of its input.
Shape Flattened(const Node& node, const Shape& input);

}  // namespace tandem
