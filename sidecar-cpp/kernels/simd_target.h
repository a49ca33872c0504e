// The instruction set of the kernels. All give the same bits. One can be forced to prove that, or to find a faulty core
// or compiler.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tandem {

// Names of the targets that were built and that this machine supports, best first: "avx512", "avx2", "sse4", "ssse3",
// "scalar"; on arm64 "neon", "scalar".
std::vector<std::string> SupportedSimdTargets();

// Makes every kernel use `name` from now on; "" chooses the best. Returns false, and changes nothing, if the machine
// lacks it. Not thread-safe: call it before threads run kernels.
bool ForceSimdTarget(std::string_view name);

// The target in use.
std::string ActiveSimdTarget();

}  // namespace tandem
