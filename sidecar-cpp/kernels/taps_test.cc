#include "kernels/taps.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace tandem {
namespace {

using Pairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;  // kernel index and output

Pairs PairsOf(const Taps& taps, std::uint32_t input) {
  Pairs pairs;
  const Taps::Run& run = taps.of(input);
  for (std::uint32_t k = 0; k < run.count; ++k) {
    pairs.emplace_back(run.kernel + k * taps.kernel_step(), run.out - k * taps.out_step());
  }
  return pairs;
}

// By the definition: every output and every kernel index.
Pairs PairsByDefinition(const Axis& axis, std::uint32_t input) {
  Pairs pairs;
  for (std::uint32_t kernel = 0; kernel < axis.kernel; ++kernel) {
    for (std::uint32_t out = 0; out < axis.out; ++out) {
      if (std::uint64_t{out} * axis.stride + std::uint64_t{kernel} * axis.dilation ==
          std::uint64_t{input} + axis.before) {
        pairs.emplace_back(kernel, out);
      }
    }
  }
  return pairs;
}

TEST(Taps, AreThoseOfTheDefinition) {
  std::mt19937_64 random(7);
  const auto pick = [&](std::uint32_t low, std::uint32_t high) {
    return std::uniform_int_distribution<std::uint32_t>(low, high)(random);
  };
  for (int n = 0; n < 2000; ++n) {
    Axis axis{pick(1, 14), 0, pick(1, 6), pick(1, 5), pick(1, 5), pick(0, 6)};
    const std::uint32_t reach = axis.dilation * (axis.kernel - 1) + 1;
    const std::uint32_t padded = axis.in + 2 * axis.before;
    if (padded < reach) continue;
    axis.out = (padded - reach) / axis.stride + 1;
    const Taps taps(axis);
    for (std::uint32_t input = 0; input < axis.in; ++input) {
      ASSERT_EQ(PairsOf(taps, input), PairsByDefinition(axis, input))
          << "in " << axis.in << " kernel " << axis.kernel << " stride " << axis.stride << " dilation " << axis.dilation
          << " before " << axis.before << " input " << input;
    }
  }
}

TEST(Taps, OfTheLargestStridesAndDilationsAreFoundAtOnce) {
  constexpr std::uint32_t kMillion = 1048576;
  const Taps taps(Axis{kMillion, 1, kMillion, kMillion - 1, 1, 0});
  EXPECT_EQ(taps.of(5).count, 1u);
  EXPECT_EQ(taps.of(5).kernel, 5u);
}

}  // namespace
}  // namespace tandem
