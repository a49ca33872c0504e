// Loops over one or two rows, element by element. Rows are 64-byte aligned and `n` is a multiple of kRowMultiple
// if a comment does not say otherwise; an output row may be one of the input rows. Stateless, safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tandem {

// y = a + b. True when every sum is finite.
bool AddRows(std::size_t n, const float* a, const float* b, float* y);

// y = scale * x. True when every product is finite.
bool ScaleRow(std::size_t n, const float* scale, const float* x, float* y);

// y = x > threshold ? 1 : 0.
void ThresholdRow(std::size_t n, const float* threshold, const float* x, float* y);

// y = x / divisor.
void DivideRow(std::size_t n, float divisor, const float* x, float* y);

// counts[k] += 1 where spikes[k] is 1.
void CountSpikes(std::size_t n, const float* spikes, std::uint32_t* counts);

// y = x > y ? x : y.
void KeepLarger(std::size_t n, const float* x, float* y);

// y = y + 1 where y or x is not 0: the number of steps since x was first not 0, including that step.
void CountSinceFirst(std::size_t n, const float* x, float* y);

// True when none of the `n` floats is NaN or infinite. `x` may be unaligned and `n` any number.
bool AllFinite(std::size_t n, const float* x);

// The data of its input for a linear node.
struct ActiveSources {
  std::size_t count = 0;  // elements that are not 0; their indices are in `index`, ascending
  bool all_one = true;    // every one of them is exactly 1
};

// Lists the elements that are not 0. `index` has room for n + kRowMultiple entries.
ActiveSources CollectActive(std::size_t n, const float* x, std::uint32_t* index);

}  // namespace tandem
