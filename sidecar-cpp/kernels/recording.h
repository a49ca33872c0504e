// What a recording keeps of a node's rows (proto/NUMERICS.md, "Recording"). Rows are 64-byte aligned and readable up to
// a multiple of kRowMultiple; `n` is the number of real elements, and what lies behind them does not show. Stateless,
// safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tandem {

constexpr std::size_t SpikeBytes(std::size_t n) { return (n + 7) / 8; }

// Returns the state checksum over the first row and, behind it, the second, which may be null. Bit k % 8 of bits[k / 8]
// becomes 1 where spikes[k] is not 0: SpikeBytes(n) bytes, unused bits 0; where `spikes` is null, `bits` is left alone.
using RecordRow = std::uint32_t(std::size_t n, const float* first, const float* second, const float* spikes,
                                std::uint8_t* bits);

// For the target in use. Kept for a whole run, since looking it up takes as long as a small row.
RecordRow* RecordRowKernel();

}  // namespace tandem
