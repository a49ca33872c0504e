// Where a convolution or a pool takes its input from: proto/NUMERICS.md, "Windows".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/window.h"
#include "nir/graph.h"

namespace tandem {

using Shape = std::vector<std::uint64_t>;

// The product, or a number above every limit.
std::uint64_t ElementsOf(const Shape& shape);

// "[2, 8, 8]".
std::string Shown(const Shape& shape);

// The shape that a convolution's own parameters give its input; empty: they do not.
Shape OwnInputShape(const Node& node);

// Of a node that HasWindow, over an input of that shape. Refuses what does not fit, naming node and field.
Expected<Window> WindowOf(const Node& node, Shape input);

// Of its output: without the rows where it is a Conv1d.
Shape OutputShape(const Node& node, const Window& window);

}  // namespace tandem
