// What a node's own parameters say of its sizes, before its neighbours are asked.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "nir/graph.h"
#include "nir/window.h"

namespace tandem {

struct OwnSize {
  std::uint64_t in = 0;  // 0: not known
  std::uint64_t out = 0;
  Shape shape;  // of its output; empty: not known. One dimension tells no more than the number of elements, and is none
  bool is_final = false;  // its sources have no say in the shape
};

// Refuses parameters that contradict each other or exceed the limit. Of a node that HasWindow it knows nothing:
// WindowOf does.
Expected<OwnSize> OwnSizeOf(const Node& node);

// The shape of a Flatten's output, of its input's.
Shape Flattened(const Node& node, const Shape& input);

}  // namespace tandem
