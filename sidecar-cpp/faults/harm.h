// The harm itself, as plain functions of a number that says which bit is meant.
#pragma once

#include <cstdint>
#include <string>

#include "engine/manifest.h"
#include "engine/network.h"
#include "engine/simulator.h"

namespace tandem {

// A number at random that is the same for the same two.
std::uint64_t Draw(std::uint64_t seed, std::uint64_t of);

// Whether what has a chance of `share` happens where `drawn` was drawn.
bool Happens(double share, std::uint64_t drawn);

// Flips one bit of one element of what `from` reads; of a count, one that counts up to `steps` have. Digests stay.
void FlipReadoutBit(ReadoutFrom from, std::uint64_t which, RunResult& result);

struct FlippedWeight {
  std::string node;
  std::uint32_t target = 0;
  std::uint32_t source = 0;
  unsigned bit = 0;
  float before = 0.0f;
  float after = 0.0f;
};

// Flips one bit of one weight in memory, as a cosmic ray would: past all that is const. The network must have weights.
FlippedWeight FlipWeightBit(const Network& network, std::uint64_t which);
// The same of a given bit.
FlippedWeight FlipBitOfWeight(const Network& network, std::uint64_t which, unsigned bit);

// Makes one weight NaN.
FlippedWeight MakeWeightNan(const Network& network, std::uint64_t which);

// What an engine says that refuses an input for `reason`.
Error RefusalFor(const Network& network, const std::string& reason);

}  // namespace tandem
