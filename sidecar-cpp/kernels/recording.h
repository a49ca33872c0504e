// The recorded data of a node's rows (proto/NUMERICS.md, "Recording"). Rows are 64-byte aligned and readable up to a
// multiple of kRowMultiple; `n` is the number of real elements, and padding has no effect. Stateless, safe from any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tandem {

constexpr std::size_t SpikeBytes(std::size_t n) { return (n + 7) / 8; }

// Returns the state checksum over the first row and then the second, which may be null. Bit k % 8 of bits[k / 8]
// becomes 1 where spikes[k] is not 0: SpikeBytes(n) bytes, unused bits 0; if `spikes` is null, `bits` does not change.
using RecordRow = std::uint32_t(std::size_t n, const float* first, const float* second, const float* spikes,
                                std::uint8_t* bits);

// The function for the target in use. Look it up once per run, since that takes as long as a small row.
RecordRow* RecordRowKernel();

}  // namespace tandem
