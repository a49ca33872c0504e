// The faults themselves: functions of a random number that selects the bit.
#pragma once

#include <cstdint>
#include <string>

#include "engine/manifest.h"
#include "engine/network.h"
#include "engine/simulator.h"

namespace tandem {

// A random number that depends only on the two arguments.
std::uint64_t Draw(std::uint64_t seed, std::uint64_t of);

// Returns true with the probability `share`, for the random number `drawn`.
bool Happens(double share, std::uint64_t drawn);

// Flips one bit of one element that the readout `from` uses; in a count, only a bit of numbers up to `steps`. Digests
// stay.
void FlipReadoutBit(ReadoutFrom from, std::uint64_t which, RunResult& result);

struct FlippedWeight {
  std::string node;
  std::uint32_t target = 0;
  std::uint32_t source = 0;
  unsigned bit = 0;
  float before = 0.0f;
  float after = 0.0f;
};

// Flips one bit of one weight in memory, although the network is const. The network must have weights.
FlippedWeight FlipWeightBit(const Network& network, std::uint64_t which);
// The same for a given bit.
FlippedWeight FlipBitOfWeight(const Network& network, std::uint64_t which, unsigned bit);

// Makes one weight NaN.
FlippedWeight MakeWeightNan(const Network& network, std::uint64_t which);

// The error of an engine that refuses an input for `reason`.
Error RefusalFor(const Network& network, const std::string& reason);

}  // namespace tandem
