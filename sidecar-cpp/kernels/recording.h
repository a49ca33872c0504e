// What a recording keeps of a node's rows (proto/NUMERICS.md, "Recording"). Rows are 64-byte aligned and readable up to
// a multiple of kRowMultiple; `n` is the number of real elements, and what lies behind them does not show. Stateless,
// safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tandem {

constexpr std::size_t SpikeBytes(std::size_t n) { return (n + 7) / 8; }

// Bit k % 8 of bits[k / 8] is 1 where spikes[k] is not 0. Writes SpikeBytes(n) bytes; unused bits are 0.
void PackSpikes(std::size_t n, const float* spikes, std::uint8_t* bits);

// The state checksum of one row, or of two, the one after the other; `second` may be null.
std::uint32_t StateChecksum(std::size_t n, const float* first, const float* second);

}  // namespace tandem
