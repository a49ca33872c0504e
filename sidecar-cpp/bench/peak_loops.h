// The loops of peak.h, on the instruction set in use.
#pragma once

#include <cstddef>

namespace tandem::bench {

// Runs independent chains of operations. Returns the number of binary32 operations of one kind in `rounds`. The result
// goes to `to`, so that the compiler cannot remove them.
double MultiplyAndAdd(std::size_t rounds, float one, float* to);
double Add(std::size_t rounds, float one, float* to);

// Reads `count` floats, a multiple of 1024, aligned to 64 bytes, once.
void Read(const float* from, std::size_t count, float* to);

}  // namespace tandem::bench
