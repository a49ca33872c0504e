// The input elements of a convolution or a pool: proto/NUMERICS.md, "Windows".
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

// The input shape by the convolution's own parameters; empty if they do not give it.
Shape OwnInputShape(const Node& node);

// The window of a node that HasWindow, for an input of that shape. Refuses parameters that do not fit; the error names
// node and field.
Expected<Window> WindowOf(const Node& node, Shape input);

// The shape of its output, without rows for a Conv1d.
Shape OutputShape(const Node& node, const Window& window);

}  // namespace tandem
