// Random convolutions, pools and delays.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "nir/graph.h"
#include "nir/window.h"

namespace tandem::testing {

// A chain of one to three of them, with neurons between, over an input of a random shape. Small enough for the
// reference simulator.
struct RandomPicture {
  Shape input;
  std::vector<Node> nodes;
  Shape output;
};
RandomPicture MakePicture(std::mt19937_64& random, const std::string& prefix);

// The largest for a node of `elements`.
Node RandomDelay(std::mt19937_64& random, const std::string& name, std::uint64_t elements, double dt);

}  // namespace tandem::testing
