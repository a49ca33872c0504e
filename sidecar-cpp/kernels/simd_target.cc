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
  if (target == HWY_NEON) return "neon";
  if (target == HWY_SCALAR || target == HWY_EMU128) return "scalar";
  return hwy::TargetName(target);
}

// Best first, in the order of Highway's bits: the lowest is the best.
std::vector<std::int64_t> Split(std::int64_t targets) {
  std::vector<std::int64_t> all;
  for (; targets != 0; targets &= targets - 1) all.push_back(targets & -targets);
  return all;
}

// Targets that were built and that the machine supports. The compiler's own baseline always counts, even if Highway
// requires more: its NEON requires AES, which some arm64 machines (a Raspberry Pi 4) lack and no kernel uses.
std::vector<std::int64_t> MachineTargets() {
  static const std::vector<std::int64_t> all = Split((hwy::SupportedTargets() | HWY_STATIC_TARGET) & HWY_TARGETS);
  return all;
}

// The target in use.
std::int64_t& Active() {
  static std::int64_t active = MachineTargets().front();
  return active;
}

}  // namespace

std::vector<std::string> SupportedSimdTargets() {
  std::vector<std::string> names;
  for (const std::int64_t target : MachineTargets()) names.push_back(NameOf(target));
  return names;
}

bool ForceSimdTarget(std::string_view name) {
  for (const std::int64_t target : MachineTargets()) {
    if (!name.empty() && NameOf(target) != name) continue;
    Active() = target;
    hwy::GetChosenTarget().Update(target);
    return true;
  }
  return false;
}

std::string ActiveSimdTarget() { return NameOf(Active()); }

}  // namespace tandem
