// Convolutions and pools by proto/NUMERICS.md, "Windows": one output at a time, one tap at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "base/window.h"
#include "nir/graph.h"

namespace tandem::testing {

// Adds the number of taps with an element that is not 0 to `operations`.
std::vector<float> ConvolveByDefinition(const Node& node, const Window& window, const std::vector<float>& x,
                                        std::uint64_t& operations);

std::vector<float> PoolByDefinition(const Node& node, const Window& window, const std::vector<float>& x);

}  // namespace tandem::testing
