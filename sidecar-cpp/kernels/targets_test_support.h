// Random rows and a way to run a test on every instruction set the machine has.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "kernels/padded.h"
#include "kernels/simd_target.h"

namespace tandem {

// A suite whose tests run once for each target.
class EveryTarget : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ASSERT_TRUE(ForceSimdTarget(GetParam())); }
  void TearDown() override { ForceSimdTarget(""); }
};

inline std::string TargetTestName(const ::testing::TestParamInfo<std::string>& info) { return info.param; }

#define TANDEM_ON_EVERY_TARGET(suite) \
  INSTANTIATE_TEST_SUITE_P(Simd, suite, ::testing::ValuesIn(SupportedSimdTargets()), TargetTestName)

// Ordinary values with some zeros of both signs, subnormals and huge ones among them.
class HostileFloats {
 public:
  explicit HostileFloats(std::uint64_t seed) : random_(seed) {}

  float Next() {
    switch (std::uniform_int_distribution<int>(0, 19)(random_)) {
      case 0:
        return 0.0f;
      case 1:
        return -0.0f;
      case 2:
        return std::bit_cast<float>(std::uniform_int_distribution<std::uint32_t>(1, 0x7FFFFF)(random_));
      case 3:
        return std::numeric_limits<float>::max();
      case 4:
        return std::bit_cast<float>(0x80000000u | std::uniform_int_distribution<std::uint32_t>(1, 0x1FFFFFF)(random_));
      default:
        return std::uniform_real_distribution<float>(-2.0f, 2.0f)(random_);
    }
  }

  FloatRow Row(std::size_t n) {
    FloatRow row(PaddedSize(n), 0.0f);
    for (std::size_t k = 0; k < n; ++k) row[k] = Next();
    return row;
  }

 private:
  std::mt19937_64 random_;
};

// Equal bits, element by element; any NaN equals any other.
inline ::testing::AssertionResult SameBits(const FloatRow& a, const FloatRow& b) {
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (a[k] != a[k] && b[k] != b[k]) continue;
    if (std::bit_cast<std::uint32_t>(a[k]) != std::bit_cast<std::uint32_t>(b[k])) {
      return ::testing::AssertionFailure() << "index " << k << ": " << a[k] << " is not " << b[k];
    }
  }
  return ::testing::AssertionSuccess();
}

}  // namespace tandem
