// What a recording keeps of a node's rows (proto/NUMERICS.md, "Recording"). Rows are 64-byte aligned and readable up to
// a multiple of kRowMultiple; `n` is the number of real elements, and what lies behind them does not show. Stateless,
// safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tandem {

constexpr std::size_t SpikeBytes(std::size_t n) { return (n + 7) / 8; }

// The rows of one item at one node. `second` may be null, and `spikes`, too.
struct RecordedRows {
  const float* first = nullptr;
  const float* second = nullptr;
  const float* spikes = nullptr;
};

// Returns the state checksum over the first row and, behind it, the second. Bit k % 8 of bits[k / 8] becomes 1 where
// spikes[k] is not 0: SpikeBytes(n) bytes, unused bits 0.
std::uint32_t RecordRow(std::size_t n, const RecordedRows& rows, std::uint8_t* bits);

}  // namespace tandem
