// The name and versions of this program.
#pragma once

#include <cstdint>
#include <string>

namespace tandem {

inline constexpr std::uint32_t kNumericsVersion = 1;
// The newest and the oldest supported version of proto/tandem/engine/v1/engine.proto.
inline constexpr std::uint32_t kProtocolVersion = 1;
inline constexpr std::uint32_t kOldestProtocolVersion = 1;

// "0.1.0"
std::string Version();

// "tandem-engine 0.1.0 gcc-12.2 x86-64 avx2": version, compiler, machine and the instruction set in use.
std::string BuildName();

}  // namespace tandem
