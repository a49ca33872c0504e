#include "server/build_info.h"

#include "kernels/simd_target.h"

namespace tandem {
namespace {

constexpr const char* kMachine =
#if defined(__x86_64__)
    "x86-64";
#elif defined(__aarch64__)
    "arm64";
#else
    "other";
#endif

constexpr const char* kCompiler =
#if defined(__clang__)
    "clang-";
constexpr int kMajor = __clang_major__;
constexpr int kMinor = __clang_minor__;
#else
    "gcc-";
constexpr int kMajor = __GNUC__;
constexpr int kMinor = __GNUC_MINOR__;
#endif

}  // namespace

std::string Version() { return TANDEM_VERSION; }

std::string BuildName() {
  return "tandem-engine " + Version() + " " + kCompiler + std::to_string(kMajor) + "." + std::to_string(kMinor) + " " +
         kMachine + " " + ActiveSimdTarget();
}

}  // namespace tandem
