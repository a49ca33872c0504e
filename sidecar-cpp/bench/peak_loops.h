// The loops of peak.h, on the instruction set in use.
#pragma once

#include <cstddef>

namespace tandem::bench {

// Chains of operations that do not wait for each other. Returns how many binary32 operations of one kind `rounds` are;
// the result goes to `to`, so that nothing is left out.
double MultiplyAndAdd(std::size_t rounds, float one, float* to);
double Add(std::size_t rounds, float one, float* to);

// Reads `count` floats, a multiple of 1024, aligned to 64 bytes, once.
void Read(const float* from, std::size_t count, float* to);

}  // namespace tandem::bench
