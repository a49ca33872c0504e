// Which instruction set the kernels run on. All give the same bits; one can be forced to prove it or to find a
// broken core or compiler.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tandem {

// Names of the targets that were built and that this machine supports, best first: "avx512", "avx2", "sse4", "ssse3",
// "scalar"; on arm64 "neon", "scalar".
std::vector<std::string> SupportedSimdTargets();

// Makes every kernel use `name` from now on; "" chooses the best. False, changing nothing, where the machine lacks it.
// Not thread-safe: call it before threads run kernels.
bool ForceSimdTarget(std::string_view name);

// The target in use.
std::string ActiveSimdTarget();

}  // namespace tandem
