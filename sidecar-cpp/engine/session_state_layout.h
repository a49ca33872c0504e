// The layout of the bytes of a session state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/network.h"
#include "engine/state_body.h"

namespace tandem {

// True if the readout accumulates in its potentials.
inline bool CollectsPotentials(ReadoutFrom from) {
  return from == ReadoutFrom::kMaxPotential || from == ReadoutFrom::kFirstSpike;
}

inline constexpr std::uint32_t kSessionStateMagic = 0x31545354;  // "TST1"
inline constexpr std::size_t kBodyLengthAt = 4;
inline constexpr std::size_t kTotalSpikesAt = 8;
inline constexpr std::size_t kSynapticOperationsAt = 16;
inline constexpr std::size_t kInputDigestAt = 24;
inline constexpr std::size_t kBodyAt = 32;
inline constexpr std::size_t kModelIdAt = kBodyAt;
inline constexpr std::size_t kStepsAt = kBodyAt + 8;
inline constexpr std::size_t kCountsAt = kBodyAt + kBodyHeaderBytes;
inline constexpr std::size_t kChecksumBytes = 8;

// Number of floats or counts of one part.
inline std::size_t SumsOf(const Network& network) {
  return network.readout_from == ReadoutFrom::kMeanPotential ? network.output_size() : 0;
}

inline std::size_t BodyBytes(const Network& network) {
  std::size_t floats = std::size_t{2} * network.output_size();
  for (const NetworkNode& node : network.nodes) floats += StateParts(node).floats();
  return kBodyHeaderBytes + floats * sizeof(float);
}

template <typename Number>
Number NumberAt(std::string_view bytes, std::size_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof(number));
  return number;
}

// Reads one part after another.
class PartReader {
 public:
  PartReader(std::string_view bytes, std::size_t at) : bytes_(bytes), at_(at) {}

  // The next `count` 32-bit numbers, as bytes.
  std::string_view Take(std::size_t count) {
    const std::string_view taken = bytes_.substr(at_, count * sizeof(float));
    at_ += taken.size();
    return taken;
  }

 private:
  std::string_view bytes_;
  std::size_t at_;
};

}  // namespace tandem
