#include "kernels/simd_target.h"

#include <hwy/highway.h>

namespace tandem {
namespace {

std::string NameOf(std::int64_t target) {
  if (target == HWY_AVX3_DL) return "avx512dl";
  if (target == HWY_AVX3) return "avx512";
  if (target == HWY_AVX2) return "avx2";
  if (target == HWY_SSE4) return "sse4";
  if (target == HWY_SSSE3) return "ssse3";
  if (target == HWY_SCALAR) return "scalar";
  return hwy::TargetName(target);
}

void Choose(std::int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

// What the machine has, whatever is forced at the moment.
std::vector<std::int64_t> MachineTargets() {
  const std::int64_t forced = hwy::SupportedTargets();
  hwy::SetSupportedTargetsForTest(0);
  std::vector<std::int64_t> all = hwy::SupportedAndGeneratedTargets();
  const bool is_forced = forced != hwy::SupportedTargets();
  if (is_forced) hwy::SetSupportedTargetsForTest(forced);
  return all;
}

}  // namespace

std::vector<std::string> SupportedSimdTargets() {
  std::vector<std::string> names;
  for (const std::int64_t target : MachineTargets()) names.push_back(NameOf(target));
  return names;
}

bool ForceSimdTarget(std::string_view name) {
  if (name.empty()) {
    Choose(0);
    return true;
  }
  for (const std::int64_t target : MachineTargets()) {
    if (NameOf(target) == name) {
      Choose(target);
      return true;
    }
  }
  return false;
}

std::string ActiveSimdTarget() { return NameOf(hwy::SupportedAndGeneratedTargets().front()); }

}  // namespace tandem
